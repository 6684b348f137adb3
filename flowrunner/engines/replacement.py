"""Tasks that replace themselves: a replacement in a run stores its result as the task would.

Celery gives the replacement the task's id, but not the task's ``ignore_result``: the replacement's
own class, or the app, would decide (``celery/app/task.py``, ``replace``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery.app.task import get_actual_ignore_result

from flowrunner.engines.celery_patches.apps import change_replacements
from flowrunner.engines.run_flags import is_task_of_a_run
from flowrunner.message_format import signatures_in

__all__ = ["keep_results_of_replacements"]


def keep_results_of_replacements(tasks: Iterable[Any]) -> None:
    """Let the replacements of these tasks store their results, for the tasks of runs."""
    for task in tasks:
        change_replacements(task, _keep_result)


def _keep_result(task: Any, replacement: Any) -> None:
    request = task.request
    if is_task_of_a_run(request.id) and not get_actual_ignore_result(task, request):
        for signature in signatures_in(replacement):
            if signature["options"].get("task_id") == request.id:
                signature["options"]["ignore_result"] = False
