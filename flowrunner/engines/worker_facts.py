"""What a worker with flowrunner tells of itself: the control command ``flowrunner_facts``.

Whoever imports this module answers it once Celery's worker has started. Celery's own ``conf`` and
``stats`` tell neither the time nor what a task's ``acks_late`` comes to.
"""

from __future__ import annotations

from time import time
from typing import Any, Final

from celery.signals import celeryd_after_setup

from flowrunner import __version__

__all__ = ["FACTS", "note_supervisor"]

FACTS: Final = "flowrunner_facts"

_supervises = [False]


def note_supervisor() -> None:
    """Note that this worker goes on with runs that nobody drives."""
    _supervises[0] = True


@celeryd_after_setup.connect(weak=False)  # type: ignore[untyped-decorator]
def _answer(**_: Any) -> None:
    # Imported by now; a producer, which imports this too, has no use for it.
    from celery.worker.control import inspect_command

    inspect_command(name=FACTS)(_facts)


def _facts(state: Any, **_: Any) -> dict[str, Any]:
    """Return this worker's time, version and settings that runs depend on."""
    conf, controller = state.app.conf, state.consumer.controller
    return {
        "time": time(),
        "flowrunner": __version__,
        "pool": str(controller.pool_cls.__module__),
        "supervises": _supervises[0],
        "concurrency": controller.concurrency,
        "acks_late": bool(conf.task_acks_late),
        "track_started": bool(conf.task_track_started),
        "broker_pool_limit": conf.broker_pool_limit,
    }
