"""A piece of a run that unfolds, which an engine runs by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowrunner import plan
from flowrunner.runs.activity import Activity, End, Failed, Succeeded
from flowrunner.runs.step_state import SKIPPED, StepError, StepState

__all__ = ["LostResultError", "Section"]


class LostResultError(Exception):
    """A call has succeeded, and what it gave, which decides what comes next, is not kept."""


class Section:
    """A sequence that an engine runs by itself.

    ``sequence`` is followed and ``published`` is queued: the same, with what its first calls are
    given and perhaps without continuations. ``new`` is false if it ends again as it did in an
    earlier attempt. ``open`` counts its calls that have not ended; ``value`` gives the last one's.
    """

    def __init__(
        self, sequence: plan.Sequence, parent: Activity | None, slot: int, *, new: bool
    ) -> None:
        self.new = new
        self.sequence = sequence
        self.published = sequence
        self.parent = parent
        self.slot = slot
        self.open = sum(1 for _ in plan.calls_of(sequence))
        self.value: Callable[[], Any] | None = None
        self.errors: list[StepError] = []
        self.failed = False

    def end(self, steps: Mapping[str, StepState]) -> End:
        """Return how it has ended; raises :class:`LostResultError`."""
        if not self.failed:
            if self.value is None:
                raise LostResultError
            return Succeeded(self.value(), new=self.new)
        calls = [call.path for call in plan.calls_of(self.sequence)]
        skipped = tuple(path for path in calls if steps[path].state == SKIPPED)
        order = {path: position for position, path in enumerate(calls)}
        errors = sorted(self.errors, key=lambda error: order[error.call.path])
        return Failed(tuple(errors), skipped, self.new)
