"""What is recorded of a run, apart from what its steps have given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID, uuid5

from flowrunner.model import HandlerName
from flowrunner.plan import Plan
from flowrunner.process import Process

__all__ = [
    "ENDED_STATES",
    "RECORD_STATES",
    "Attempt",
    "EngineName",
    "RecordState",
    "RunRecord",
    "RunSummary",
    "attempt_id",
]

#: ``PENDING`` is recorded and not queued yet; ``STARTED`` is queued, or running.
RecordState: TypeAlias = Literal["PENDING", "STARTED", "SUCCESS", "FAILURE", "REVOKED"]
RECORD_STATES: Final[tuple[RecordState, ...]] = (
    *("PENDING", "STARTED"),
    *("SUCCESS", "FAILURE", "REVOKED"),
)
ENDED_STATES: Final[frozenset[RecordState]] = frozenset({"SUCCESS", "FAILURE", "REVOKED"})

EngineName: TypeAlias = Literal["embedded", "celery"]


def attempt_id(run: UUID, number: int) -> UUID:
    """Return the id of a run's attempt, counted from 1; the first has the run's own."""
    return run if number == 1 else uuid5(run, f"attempt-{number}")


@dataclass(frozen=True)
class Attempt:
    """One attempt of a run.

    ``reused`` holds the paths of the calls whose results come from earlier attempts.
    ``seconds_before`` is how long those were driven. ``process`` runs an embedded run's attempt;
    older records do not say which.
    """

    id: UUID
    started: datetime
    reused: frozenset[str] = frozenset()
    process: Process | None = None
    seconds_before: float = 0.0


@dataclass(frozen=True)
class RunSummary:
    """A run in a list.

    ``file`` is its source's name; ``attempts`` counts them, and ``attempt`` is the current one,
    where the record of a summary tells. ``claimed_until`` and ``last_step`` are as in a
    :class:`RunRecord`.
    """

    run: UUID
    workflow: str
    file: str
    state: RecordState
    created: datetime
    ended: datetime | None
    attempts: int
    engine: EngineName
    attempt: Attempt | None = None
    claimed_until: datetime | None = None
    last_step: datetime | None = None


@dataclass(frozen=True)
class RunRecord:
    """What is recorded of a run.

    ``timeout`` is in seconds and the one that holds for this run. ``queued`` says that the
    current attempt's main part has been published whole, ``handler_inputs`` what its handlers
    were given, stored before they are published. ``cancelled`` is the wish that nothing more of
    the run starts. ``outcome`` is what :func:`~flowrunner.runs.outcome.outcome_to_json` gives,
    without the result, once the run has ended. ``claimed_until`` is when the latest claim of a
    driver lapses, or has lapsed, where the store still knows: not after the driver has let go.
    ``last_step`` is when a call of an embedded run that has not ended last began or ended.
    """

    run: UUID
    workflow: str
    file: str
    state: RecordState
    created: datetime
    engine: EngineName
    plan: Plan
    attempts: tuple[Attempt, ...]
    ended: datetime | None = None
    timeout: float | None = None
    queued: bool = False
    handler_inputs: Mapping[HandlerName, Any] = field(default_factory=dict)
    cancelled: bool = False
    outcome: Mapping[str, Any] | None = None
    claimed_until: datetime | None = None
    last_step: datetime | None = None

    @classmethod
    def of(
        cls,
        plan: Plan,
        *,
        run: UUID,
        created: datetime,
        engine: EngineName,
        timeout: float | None = None,
        process: Process | None = None,
    ) -> RunRecord:
        """Return the record of a run that is about to be queued for the first time."""
        return cls(
            run,
            plan.name,
            plan.source.name,
            "PENDING",
            created,
            engine,
            plan,
            (Attempt(run, created, process=process),),
            timeout=timeout,
        )

    @property
    def attempt(self) -> Attempt:
        """The current attempt: the last."""
        return self.attempts[-1]

    @property
    def has_ended(self) -> bool:
        """Whether the current attempt has come to its end."""
        return self.state in ENDED_STATES

    @property
    def reason(self) -> str:
        """Why the run as a whole did not succeed, where no single call is to blame."""
        return str((self.outcome or {}).get("reason") or "")

    @property
    def summary(self) -> RunSummary:
        """The run as a list shows it."""
        return RunSummary(
            self.run,
            self.workflow,
            self.file,
            self.state,
            self.created,
            self.ended,
            len(self.attempts),
            self.engine,
            self.attempt,
            self.claimed_until,
            self.last_step,
        )
