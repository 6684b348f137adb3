"""What the result backend says of a run as a whole: that it is known, and that it was cancelled.

Every message of a run carries its root in Celery's own field ``root_id``: the run's attempt for
the main part, an id of its own for each handler. So a worker knows which flags a task is under.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID, uuid5

from celery.signals import before_task_publish

from flowrunner.plan import Plan

__all__ = [
    "COMES_AGAIN",
    "cancelled_key",
    "is_task_of_a_run",
    "known_key",
    "publishing_under",
    "root_of",
]

#: Kept with where a task has started: its message comes again when that worker dies.
COMES_AGAIN: Final = "comes_again"

_root: ContextVar[str | None] = ContextVar("flowrunner_root", default=None)


def root_of(plan: Plan, attempt: UUID) -> UUID:
    """Return the ``root_id`` of a plan's messages: a handler's is not that of the main part.

    A run that is cancelled still runs ``finally``.
    """
    return attempt if plan.part is None else uuid5(attempt, plan.part)


def is_task_of_a_run(task_id: Any) -> bool:
    """Tell whether an id may be that of a run's task: they are UUIDs of version 5."""
    return isinstance(task_id, str) and len(task_id) == 36 and task_id[14] == "5"


def known_key(backend: Any, root: UUID | str) -> Any:
    """Return the key that is there while what is kept of a run has not been lost."""
    return backend.get_key_for_task(f"flowrunner-run-{root}")


def cancelled_key(backend: Any, root: UUID | str) -> Any:
    """Return the key that is there when no task under this root may start any more."""
    return backend.get_key_for_task(f"flowrunner-cancelled-{root}")


@contextmanager
def publishing_under(root: UUID) -> Iterator[None]:
    """Give every message that this thread publishes its root; workers hand it on.

    As an option of ``apply_async()`` it would stand in every signature once more.
    """
    token = _root.set(str(root))
    try:
        yield
    finally:
        _root.reset(token)


@before_task_publish.connect(weak=False)  # type: ignore[untyped-decorator]
def _name_root(headers: dict[str, Any], **_: Any) -> None:
    root = _root.get()
    if root is not None:
        headers["root_id"] = root
