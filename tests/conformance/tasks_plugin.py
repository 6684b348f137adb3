"""The tasks that shapes call; each execution is counted under the label in its arguments."""

from __future__ import annotations

from typing import Any, NoReturn

from celery import Celery

from flowrunner import hookimpl
from tests.conformance.counts import counts_of_this_process

legacy = Celery("conformance", set_as_current=False)

#: Seconds. Celery publishes the retried task before it writes RETRY: with none at all, the
#: state of a task that has ended by then could be written over.
RETRY_AFTER = 0.2


class PlannedFailureError(Exception):
    """What ``fail`` raises."""


def count(args: tuple[Any, ...], label: str | None) -> str:
    """Count an execution and return its label, that of the shape in front."""
    full = str(args[-1]) if label is None else f"{label}.{args[-1]}"
    shape, _, name = full.partition("/")
    counts_of_this_process().add(shape, name)
    return full


def tag(*args: Any, label: str | None = None) -> Any:
    """Return what it was called with."""
    count(args, label)
    return [*args] if label is None else [*args, label]


def fail(*args: Any, label: str | None = None) -> NoReturn:
    """Raise."""
    raise PlannedFailureError(f"planned at {count(args, label)}")


@legacy.task(name="retry_once", bind=True)
def retry_once(self: Any, *args: Any, label: str | None = None) -> Any:
    """Return what it was called with, the second time."""
    count(args, label)
    if self.request.retries == 0:
        raise self.retry(countdown=RETRY_AFTER)
    return [*args] if label is None else [*args, label]


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    registry.add(tag)
    registry.add(fail)
    registry.add(retry_once)
