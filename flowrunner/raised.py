"""What somebody else's code has raised, in a message: a plugin's, an app's, a task's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

__all__ = ["described", "message_of", "place_of"]

_OWN: Final = str(Path(__file__).parent)
_DATA: Final = str(Path(__file__).parent / "_data")  # the example plugins of a wheel


def described(error: BaseException) -> str:
    """Return an exception as ``Type: message``, or its type where it cannot say what it is."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # the exception's own class may fail here too
        return type(error).__name__


def place_of(error: BaseException, module: Any = None) -> str:
    """Return where an exception was raised, as `` (file:line)``.

    That is the last place in ``module``, or in whatever is not flowrunner's.
    """
    own = getattr(module, "__file__", None)
    place = ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        foreign = file.startswith(_DATA) or not file.startswith((_OWN, "<frozen"))
        if file == own or (own is None and foreign):
            place = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


def message_of(error: BaseException) -> str:
    """Return an exception's message; one whose ``__str__`` raises has none."""
    try:
        return str.__str__(str(error))  # a plain string, whatever subclass __str__ returns
    except Exception as fault:
        return f"(no message: {type(error).__name__}.__str__ raises {type(fault).__name__})"
