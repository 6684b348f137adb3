"""What an exception says, whatever it is: a task may raise anything."""

from __future__ import annotations

__all__ = ["message_of"]


def message_of(error: BaseException) -> str:
    """Return an exception's message; one whose ``__str__`` raises has none."""
    try:
        return str.__str__(str(error))  # a plain string, whatever subclass __str__ returns
    except Exception as fault:
        return f"(no message: {type(error).__name__}.__str__ raises {type(fault).__name__})"
