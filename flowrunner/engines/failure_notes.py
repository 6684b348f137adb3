"""Failures that flowrunner's own workers note on a task's request, and keep with its result.

Celery stores what pickles of an exception: else its nearest base class, or its arguments alone
(``celery/utils/serialization.py``, ``get_pickleable_exception``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from celery import Celery
from celery.app.task import Task
from celery.exceptions import TaskPredicate

from flowrunner.engines.celery_patches.apps import wrap_task, wrapped_method
from flowrunner.engines.task_failure import TaskFailure, failure_of

__all__ = [
    "FAILURE",
    "kept_failure",
    "note_failures",
    "noted_failure",
    "noting",
    "noting_before_start",
    "with_failure",
]

_Function = Callable[..., Any]

#: Where a request has the failure of its task, and a stored result beside Celery's own keys.
FAILURE: Final = "flowrunner_failure"


def note_failures(app: Celery) -> None:
    """Let every task of an app note what it raises."""
    for task in app.tasks.values():
        wrap_task(task, noting, noting_before_start(type(task)))


def noting(task: Any, function: _Function) -> _Function:
    """Return the function of a task, which notes what it raises on the task's request."""

    @wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        request = task.request
        # No context manager: it could not raise a frozen dataclass again.
        try:
            result = function(*args, **kwargs)
        except TaskPredicate:  # Celery's Retry, Ignore and Reject are no failures
            raise
        except Exception as error:
            if request.id and not request.called_directly:
                setattr(request, FAILURE, failure_of(error))
            raise
        vars(request).pop(FAILURE, None)  # of a call of itself that it has caught
        return result

    return noted


def noting_before_start(kind: type[Any]) -> dict[str, Any]:
    """Return what a class of tasks needs for ``before_start``, if it has one, to note as well."""
    if kind.before_start is Task.before_start:
        return {}
    return {"before_start": wrapped_method(kind.before_start, noting)}


def noted_failure(request: Any) -> TaskFailure | None:
    """Return what a task has raised in this execution."""
    found = getattr(request, FAILURE, None)
    return found if isinstance(found, TaskFailure) else None


def with_failure(meta: dict[str, Any], failure: TaskFailure) -> dict[str, Any]:
    """Return what a result backend keeps of a task, with what it has raised."""
    told = {"type": failure.type, "message": failure.message, "notes": failure.notes}
    return {**meta, "traceback": failure.traceback, FAILURE: told}


def kept_failure(meta: Mapping[str, Any]) -> TaskFailure | None:
    """Return what a flowrunner worker has kept of a failure; a plain worker keeps nothing."""
    told = meta.get(FAILURE)
    if told is None:
        return None
    trace = meta.get("traceback") or ""
    return TaskFailure(told["type"], told["message"], trace, tuple(told["notes"]))
