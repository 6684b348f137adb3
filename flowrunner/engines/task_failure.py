"""What a task has raised, told once: before Celery puts something that pickles in its place."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import flowrunner
from flowrunner.raised import message_of
from flowrunner.values import NotJSONError

__all__ = ["TaskFailure", "carry_failure", "failure_of"]

_OWN: Final = str(Path(flowrunner.__file__).parent)
_HINTS: Final = str(Path(_OWN, "hints"))
#: Where an exception carries the failure of the process that it comes from.
_CARRIED: Final = "_flowrunner_failure"


@dataclass(frozen=True)
class TaskFailure:
    """An exception as texts: its class's own name, its message, its traceback, its notes.

    The traceback shows causes, and the exceptions of a group.
    """

    type: str
    message: str
    traceback: str = ""
    notes: tuple[str, ...] = ()


def failure_of(error: BaseException) -> TaskFailure:
    """Return what an exception says; its class may do anything, also raise while it is asked."""
    carried = _carried(error)
    if carried is not None:
        return carried
    found = TaskFailure(type(error).__name__, message_of(error), _traceback(error), _notes(error))
    cause = _cause(error)
    remote = None if cause is None else _carried(cause)
    return found if remote is None else replace(found, traceback=remote.traceback)


def carry_failure(error: BaseException, failure: TaskFailure) -> None:
    """Let an exception that comes from another process tell what was raised there."""
    # Not setattr(): an exception may be a frozen dataclass.
    object.__setattr__(error, _CARRIED, failure)


def _carried(error: BaseException) -> TaskFailure | None:
    attributes: dict[str, Any] = object.__getattribute__(error, "__dict__")
    found = attributes.get(_CARRIED)
    return found if isinstance(found, TaskFailure) else None


def _traceback(error: BaseException) -> str:
    try:
        if _cause(error) is None and _is_of_the_check(error):
            return ""
        return "".join(traceback.format_exception(error))
    except Exception:  # what is shown of a frame or a cause may fail as well
        return f"{type(error).__name__}: {message_of(error)}\n"


def _cause(error: BaseException) -> BaseException | None:
    # Not error.__cause__: a class may have a property of that name.
    cause: BaseException | None = BaseException.__dict__["__cause__"].__get__(error)
    return cause


def _is_of_the_check(error: BaseException) -> bool:
    """Tell whether flowrunner has checked an argument or a result: no frame is the task's then."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    checked = isinstance(error, NotJSONError) or any(file.startswith(_HINTS) for file in files)
    return checked and all(file.startswith(_OWN) or "pydantic" in file for file in files)


def _notes(error: BaseException) -> tuple[str, ...]:
    try:
        notes = getattr(error, "__notes__", ())
        return tuple(_texts(notes))
    except Exception:
        return ()


def _texts(notes: Any) -> Iterator[str]:
    if not isinstance(notes, (list, tuple)):
        yield _text(notes, repr)
        return
    for note in notes:
        yield _text(note, str)


def _text(note: Any, shown: Callable[[Any], str]) -> str:
    try:
        return str.__str__(shown(note))
    except Exception as fault:
        return f"(a note whose text raises {type(fault).__name__})"
