"""Run functions side by side and wait for them up to a number of seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Thread
from time import monotonic
from typing import Final, TypeVar

__all__ = ["NoAnswerError", "in_time"]

T = TypeVar("T")

#: Seconds before the next thing is begun: most answer sooner, and two threads that compute side by
#: side take longer than one after the other.
HEAD_START: Final = 0.05


class NoAnswerError(RuntimeError):
    """What was asked has neither answered nor failed."""


def in_time(seconds: float, work: Mapping[str, Callable[[], T]]) -> dict[str, T | Exception]:
    """Return what each function gives, or raises; :class:`NoAnswerError` for one that does not end.

    Such a one is left behind in a daemon thread: a server that accepts a connection and then says
    nothing may hold whoever reads from it for as long as it likes.
    """
    found: dict[str, T | Exception] = {}

    def attempt(name: str, function: Callable[[], T]) -> None:
        try:
            found[name] = function()
        except Exception as error:  # each client fails in words of its own
            found[name] = error

    threads = [
        Thread(target=attempt, args=each, name=f"flowrunner-asks-{each[0]}", daemon=True)
        for each in work.items()
    ]
    deadline = monotonic() + seconds
    for thread in threads:
        thread.start()
        thread.join(HEAD_START)
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    answered = dict(found)
    return {name: answered.get(name, NoAnswerError()) for name in work}
