"""Which tests share a process of pytest-xdist, and which of them start first.

``--dist loadgroup`` groups nothing with pytest 9 and pytest-xdist 3.8 (pytest-xdist issue 1386).
"""

from __future__ import annotations

import re
from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

__all__ = ["GroupScheduling", "group_of"]

#: Parameters that start an engine or a cluster: its tests share a process in each of these.
_SERVICES: Final = {
    "tests/conformance/": ("embedded", "redis, threads", "redis, prefork", "rabbitmq + redis"),
    "tests/engines/": ("embedded", "processes", "celery", "rabbitmq"),
}
#: The groups that take longest, which start first: the last one to end decides when all end.
_LONGEST: Final = (
    *("tests/engines/ on processes", "tests/engines/ on celery", "tests/engines/ on embedded"),
    *("tests/engines/test_recorded_runs.py", "tests/planner/test_budget.py"),
    *("tests/engines/test_celery.py", "tests/render/test_graph_golden.py"),
    *("tests/runs/test_plan_data.py", "tests/cli/test_apply.py"),
    *("tests/engines/test_existing_app.py", "tests/engines/test_plain_workers.py"),
    *("tests/conformance/ on redis, prefork", "tests/conformance/ on rabbitmq + redis"),
    *("tests/conformance/ on embedded", "tests/conformance/ on redis, threads"),
    *("tests/cli/test_terminal.py", "tests/engines/test_worker.py", "tests/masking/test_masks.py"),
    *("tests/loader/test_composer.py", "tests/test_workflows.py"),
)
#: Files whose tests start what they need themselves, and take long.
_ALONE: Final = ("tests/chaos/test_chaos.py",)


def group_of(nodeid: str) -> str:
    """Return the group of a test: its service and folder, itself, or its file."""
    file, _, test = nodeid.partition("::")
    if file in _ALONE:
        return nodeid
    parameters = re.search(r"\[(.*)\]$", test, re.DOTALL)
    for folder, services in _SERVICES.items():
        if parameters and file.startswith(folder):
            for service in services:
                if parameters[1] == service or parameters[1].startswith(f"{service}-"):
                    return f"{folder} on {service}"
    return file


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each group to one process, the longest ones first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=_rank), last=False)
        super()._assign_work_unit(node)


def _rank(group: str) -> int:
    """Return the place of a group: the trials of faults, the longest ones, all others."""
    if group.startswith(_ALONE):
        return -1
    return _LONGEST.index(group) if group in _LONGEST else len(_LONGEST)
