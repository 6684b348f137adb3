"""What is known of a whole run: of its main part and of each handler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from flowrunner.model import HandlerName
from flowrunner.plan import Call, Plan
from flowrunner.runs.ledger import Ledger, StepError, StepListener, StepState

__all__ = ["RunLedger", "RunProgress"]


class RunProgress(Protocol):
    """How far a run is: what its tree is drawn from, wherever that is known from."""

    @property
    def steps(self) -> dict[str, StepState]:
        """The states of the calls of all parts, by path."""

    @property
    def failed(self) -> bool:
        """Whether a call of any part has failed or was revoked."""


class RunLedger:
    """A ledger for each part of a plan that an engine runs by itself.

    ``steps`` has those of all of them, by path: no two calls of a plan share one. ``on_step`` is
    told of what changes in the handlers', and in the main part's unless ``main`` is given.
    """

    def __init__(
        self, plan: Plan, *, main: Ledger | None = None, on_step: StepListener | None = None
    ) -> None:
        self.main = main or Ledger(plan.sequence, on_step=on_step)
        self.handlers: dict[HandlerName, Ledger] = {
            handler.name: Ledger(handler.sequence, on_step=on_step) for handler in plan.handlers
        }
        self.steps: dict[str, StepState] = {
            path: step for part in self._parts() for path, step in part.steps.items()
        }

    def _parts(self) -> Iterator[Ledger]:
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

    def skipped(self) -> list[Call]:
        """Return the calls of the author's that will not run because of a failure."""
        return [call for part in self._parts() for call in part.skipped()]
