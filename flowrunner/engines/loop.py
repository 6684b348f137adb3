"""The loop that follows a run to its end, whatever engine runs it.

Timeouts, cancelling and the pace of looks are decided here; an engine publishes, reports what has
happened, and knows when nothing can happen any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Final, Protocol

from flowrunner.engines.protocol import RunTimeoutError
from flowrunner.plan import Sequence
from flowrunner.runs.unfolding import Unfolding

__all__ = ["EnginePort", "follow"]

#: How much longer each pause is than the one before, while nothing changes.
PAUSE_GROWTH: Final = 1.5


class EnginePort(Protocol):
    """What the loop asks of an engine, for one run."""

    #: Seconds between two looks after a change, and the most while nothing changes. An engine that
    #: is told of news needs no short ones.
    shortest_pause: float
    longest_pause: float

    def poll(self) -> None:
        """Note in the run's state what has happened since the last look."""

    def publish(self, sections: Iterable[Sequence]) -> None:
        """Queue the sections, unless another driver has."""

    def check_stall(self, unchanged: float) -> None:
        """Raise :class:`~flowrunner.engines.protocol.RunStalledError` if nothing can happen.

        ``unchanged`` is for how many seconds nothing has happened.
        """

    def wait(self, seconds: float) -> None:
        """Wait for news, at most ``seconds``."""


def follow(
    state: Unfolding,
    port: EnginePort,
    *,
    timeout: float | None = None,
    until: Callable[[], bool] | None = None,
) -> Any:
    """Follow a run that has begun to its end, or ``until`` something; return its value.

    The value is ``None`` if the run has failed or has not ended. Raises
    :class:`~flowrunner.engines.protocol.RunTimeoutError` after ``timeout`` seconds.
    """
    changed = monotonic()
    deadline = None if timeout is None else changed + timeout
    pause = port.shortest_pause
    while True:
        before, began = state.changes, monotonic()
        port.poll()
        port.publish(state.advance())
        if state.ended or (until is not None and until()):
            return state.value if state.ended and not state.failed else None
        is_quiet = state.changes == before
        if is_quiet and state.cancelled and not state.running:
            # After a quiet look: a worker reports a start before it looks at the flag.
            state.cancel()
            continue
        now = monotonic()
        if is_quiet:
            pause = min(pause * PAUSE_GROWTH, port.longest_pause)
        else:
            pause, changed = port.shortest_pause, now
        if deadline is not None and now >= deadline:
            raise RunTimeoutError(f"the run took longer than {timeout:g} s")
        port.check_stall(now - changed)
        # A look at a wide run takes a while: no more than half of the time goes into looks.
        limits = [min(max(pause, now - began), port.longest_pause)]
        if (retry_in := state.pause) is not None:
            limits.append(retry_in)
        if deadline is not None:
            limits.append(max(deadline - now, 0.0))
        port.wait(min(limits))
