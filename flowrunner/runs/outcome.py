"""How a run has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from flowrunner.plan import Call
from flowrunner.runs.ledger import StepError

__all__ = ["Outcome", "RunState"]

#: Celery's words for the states that a run can end in.
RunState: TypeAlias = Literal["SUCCESS", "FAILURE", "REVOKED"]


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    ``result`` is JSON data; ``errors`` has every call that failed and ``skipped`` every call
    that did not run because of it. ``reason`` says why the run as a whole did not succeed where
    no single call is to blame (a timeout, an interrupt).
    """

    run: UUID
    workflow: str
    state: RunState
    started: datetime
    ended: datetime
    result: Any = None
    errors: tuple[StepError, ...] = ()
    skipped: tuple[Call, ...] = ()
    reason: str = ""

    @property
    def seconds(self) -> float:
        """How long the run took."""
        return (self.ended - self.started).total_seconds()
