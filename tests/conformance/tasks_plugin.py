"""The tasks that shapes call; each execution is counted under the label in its arguments."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, NoReturn

from celery import Celery

from flowrunner import hookimpl
from tests.conformance.behaviour import PASSING, PLANNED, error_of, lot
from tests.conformance.counts import counts_of_this_process

legacy = Celery("conformance", set_as_current=False)

#: Seconds. Celery publishes the retried task before it writes RETRY: with none at all, the
#: state of a task that has ended by then could be written over.
RETRY_AFTER = 0.2
#: Seconds in which one too many would come into a room.
LINGERING = 0.05
#: Seconds after which nothing comes any more.
PATIENCE = 15.0


class PlannedFailureError(Exception):
    """What tasks raise that are to fail."""


class PassingFailureError(Exception):
    """What tasks raise that succeed when they are called again."""


ERRORS = {PLANNED: PlannedFailureError, PASSING: PassingFailureError}


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


def sometimes(*args: Any, label: str | None = None) -> Any:
    """Return what it was called with, or fail: that follows from what it is."""
    return behave("sometimes", args, label)


def fail_once(*args: Any, label: str | None = None) -> Any:
    """Return what it was called with, the second time it is called so."""
    return behave("fail_once", args, label)


def fail_twice(*args: Any, label: str | None = None) -> Any:
    """Return what it was called with, the third time it is called so."""
    return behave("fail_twice", args, label)


def behave(behaviour: str, args: tuple[Any, ...], label: str | None) -> Any:
    """Count an execution, and return what it was called with or raise, as the behaviour says."""
    full = count(args, label)
    value = [*args] if label is None else [*args, label]
    shape, _, name = full.partition("/")
    attempt = counts_of_this_process().add(f"{shape}:attempts", f"{name} {lot(value)}")
    error = error_of(behaviour, value, attempt)
    if error is not None:
        raise ERRORS[error](f"planned at {full}")
    return value


def enter(*args: Any, room: str, crowd: int, members: int, leave: bool = False) -> Any:
    """Enter a room, and stay until as many are inside as may be, or nobody else will come.

    ``room`` begins with the key of its trial. Who has failed to find a crowd says so.
    """
    counts, (shape, _, name) = counts_of_this_process(), room.partition("/")
    inside = counts.add(f"{shape}:rooms", name)
    counts.add(f"{shape}:rooms", f"{name} had {inside}")
    entered = counts.add(f"{shape}:rooms", f"{name} in all")

    def crowded() -> bool:
        found = counts.of(f"{shape}:rooms")
        return found[name] >= crowd or found[f"{name} in all"] >= members

    wait_until(crowded, f"{name} is not full")
    sleep(LINGERING)
    return exit_from(room, entered) if leave else entered


def exit_from(room: str, *args: Any) -> Any:
    """Leave a room."""
    shape, _, name = room.partition("/")
    counts_of_this_process().add(f"{shape}:rooms", name, -1)
    return [*args]


def leave(*args: Any, room: str) -> Any:
    """Leave a room, as a task of its own."""
    return exit_from(room, *args)


def leave_badly(*args: Any, room: str) -> NoReturn:
    """Leave a room and fail."""
    exit_from(room)
    raise PlannedFailureError("planned in a room")


def wait_for(*args: Any, label: str, other: str) -> Any:
    """Wait until another task has been executed."""
    shape, _, name = label.partition("/")
    counts = counts_of_this_process()
    wait_until(lambda: other in counts.of(shape), f"{other} does not run while {name} does")
    counts.add(shape, name)
    return [*args, label]


def wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something holds; whoever waits for long in vain fails."""
    deadline = monotonic() + PATIENCE
    while not holds():
        if monotonic() > deadline:
            raise TimeoutError(otherwise)
        sleep(0.005)


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    for task in (tag, fail, retry_once, sometimes, fail_once, fail_twice):
        registry.add(task)
    for task in (enter, leave, leave_badly, wait_for):
        registry.add(task)
