"""What is known of a whole run: of its main part and of each handler."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from flowrunner.model import HandlerName
from flowrunner.plan import Call, Handler, Plan
from flowrunner.runs.step_state import StepError, StepListener, StepState
from flowrunner.runs.unfolding import Unfolding

__all__ = ["RunLedger", "RunProgress", "ledger_of"]


class RunProgress(Protocol):
    """How far a run is: what its tree is drawn from, wherever that is known from."""

    def snapshot(self) -> Mapping[str, StepState]:
        """Return the calls of all parts that there are now, by path."""

    @property
    def failed(self) -> bool:
        """Whether a call of any part has failed or was revoked."""

    @property
    def caught(self) -> Sequence[StepError]:
        """Why calls failed whose failure is none of the run's."""

    def has_ended(self, part: HandlerName | None) -> bool:
        """Tell whether nothing more comes of a handler, or of the main part."""


def ledger_of(
    part: Plan | Handler,
    *,
    known: Mapping[str, Any] | None = None,
    failures: Mapping[str, StepError] | None = None,
    on_step: StepListener | None = None,
) -> Unfolding:
    """Return the ledger of a part of a plan.

    ``known`` and ``failures`` are the results and handled failures of earlier attempts.
    """
    return Unfolding(part.root, part.sequence, known=known, failures=failures, on_step=on_step)


class RunLedger:
    """A ledger for each part of a plan that an engine runs by itself.

    ``on_step`` is told of what changes in the ``handlers`` and in the ``main`` part, unless they
    are given.
    """

    def __init__(
        self,
        ready: Plan,
        *,
        main: Unfolding | None = None,
        handlers: Mapping[HandlerName, Unfolding] | None = None,
        on_step: StepListener | None = None,
    ) -> None:
        self.main = main or ledger_of(ready, on_step=on_step)
        self.handlers: dict[HandlerName, Unfolding] = {
            handler.name: ledger_of(handler, on_step=on_step) for handler in ready.handlers
        } | dict(handlers or {})

    @property
    def steps(self) -> Mapping[str, StepState]:
        """The states of the calls of all parts, by path: no two calls of a plan share one."""
        # A chain map is gone through from its end.
        parts = [part.steps for part in self._parts()]
        return ChainMap(*reversed(parts))

    def snapshot(self) -> Mapping[str, StepState]:
        """Return the calls of all parts that there are now, by path."""
        steps = dict[str, StepState]()
        for part in reversed(list(self._parts())):
            steps.update(part.steps)  # at once, whatever comes in the meantime
        return steps

    def _parts(self) -> Iterator[Unfolding]:
        yield self.main
        yield from self.handlers.values()

    @property
    def failed(self) -> bool:
        """Whether a call of any part has failed or was revoked."""
        return any(part.failed for part in self._parts())

    @property
    def errors(self) -> list[StepError]:
        """Why calls failed: those of the main part first, then those of the handlers."""
        return [error for part in self._parts() for error in part.errors]

    @property
    def caught(self) -> list[StepError]:
        """Why calls failed whose failure was tolerated, or handled by a step's ``on_error``."""
        return [error for part in self._parts() for error in part.caught]

    def has_ended(self, part: HandlerName | None) -> bool:
        """Tell whether nothing more comes of a handler, or of the main part."""
        return (self.main if part is None else self.handlers.get(part, self.main)).ended

    def skipped(self) -> list[Call]:
        """Return the calls of the author's that will not run because of a failure."""
        return [call for part in self._parts() for call in part.skipped()]
