"""Where runs are recorded, whatever keeps them: what a store has to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, runtime_checkable
from uuid import UUID

from flowrunner.errors import BrokerError, EngineError, FlowrunnerError
from flowrunner.model import HandlerName
from flowrunner.plan import Plan
from flowrunner.runs.record import Attempt, RecordState, RunRecord, RunSummary

__all__ = [
    "LAST",
    "RunNotFoundError",
    "RunStore",
    "RunStoreError",
    "RunStoreUnreachableError",
    "StepRow",
    "StepStore",
    "named_run",
    "not_recorded",
]

#: What names the newest run.
LAST: Final = "last"
#: Runs that a message lists at most.
MOST_CANDIDATES: Final = 5


class RunStoreError(EngineError):
    """The records of runs cannot be read or written; the message says why and what to do."""


class RunStoreUnreachableError(RunStoreError, BrokerError):
    """What keeps the records of runs does not answer."""


class RunNotFoundError(FlowrunnerError):
    """No run is recorded under an id, or several begin with it; the message lists candidates."""


@dataclass(frozen=True)
class StepRow:
    """What is kept of one call of an attempt.

    ``result`` is JSON data where ``has_result``: one that has been lost, or was too large to
    keep, leaves a call that succeeded without. ``error_type`` and the others say why it failed.
    ``retries`` counts the retries of the call. A row ``of_one_task`` tells of one Celery task
    alone: its ``retries`` are Celery's, and a retry that flowrunner queued has a row of its own.
    """

    path: str
    state: str
    started: datetime | None = None
    ended: datetime | None = None
    retries: int = 0
    result: Any = None
    has_result: bool = False
    error_type: str | None = None
    error_message: str = ""
    error_traceback: str = ""
    worker: str | None = None
    error_notes: tuple[str, ...] = ()
    of_one_task: bool = False


class RunStore(Protocol):
    """Keeps the records of runs; safe to use from several threads and processes.

    Every method raises :class:`RunStoreError` when what keeps the records fails, and those that
    take a run :class:`RunNotFoundError` when there is no record of it.
    """

    def create(self, record: RunRecord) -> None:
        """Record a new run."""

    def get(self, run: UUID) -> RunRecord:
        """Return what is recorded of a run."""

    def find(self, text: str) -> UUID:
        """Return the run that somebody means: by its id, the start of it, or ``last``.

        Raises :class:`RunNotFoundError` for none and for several, with what there is.
        """

    def open_runs(self) -> list[UUID]:
        """Return the runs that have not ended, the oldest first."""

    def list(self, *, limit: int, states: Collection[RecordState] = ()) -> list[RunSummary]:
        """Return the newest runs first, ``limit`` at most; only those in one of the states."""

    def delete(self, run: UUID) -> None:
        """Forget a run, and what is kept of its steps; nothing happens for an unknown one."""

    def begin_attempt(self, run: UUID, attempt: Attempt, *, plan: Plan | None = None) -> None:
        """Add an attempt: the run is open again, not queued, not cancelled, without an outcome.

        ``plan`` is the workflow from now on, where it has changed.
        """

    def set_queued(self, run: UUID) -> None:
        """Note that the current attempt's main part has been published whole."""

    def set_handler_input(self, run: UUID, name: HandlerName, value: Any) -> None:
        """Keep what a handler of the current attempt is given: JSON data."""

    def finish(
        self, run: UUID, state: RecordState, outcome: Mapping[str, Any], ended: datetime
    ) -> None:
        """Note how the current attempt has ended; the outcome's result is left out."""

    def cancel(self, run: UUID) -> None:
        """Note the wish that nothing more of the run starts."""

    def is_cancelled(self, run: UUID) -> bool:
        """Tell whether :meth:`cancel` was called in the current attempt."""

    def claim(self, run: UUID, driver: str, *, seconds: float) -> bool:
        """Let ``driver`` be the one who drives a run, for so long; tell whether it is.

        Nobody else may be at that time. Whoever drives claims again before the time is over.
        """

    def release(self, run: UUID, driver: str) -> None:
        """Drive a run no more, if it is ``driver`` who does."""

    def driver(self, run: UUID) -> str | None:
        """Return who drives a run at this moment."""


@runtime_checkable
class StepStore(Protocol):
    """Keeps what the calls of embedded runs have given.

    On a cluster the result backend does: what Celery keeps of each task.
    """

    def save_steps(self, attempt: UUID, steps: Sequence[StepRow]) -> None:
        """Keep these rows; one that says how a call has ended is never replaced."""

    def steps(self, attempt: UUID) -> dict[str, StepRow]:
        """Return what is kept of an attempt's calls, by path."""


def not_recorded(run: UUID) -> RunNotFoundError:
    """Return the error for a run that there is no record of."""
    return RunNotFoundError(f"run {run} is not recorded, or is no longer (flowrunner runs)")


def named_run(text: str, runs: Iterable[UUID]) -> UUID:
    """Return the one of these runs, the newest first, that a text names.

    Raises :class:`RunNotFoundError`.
    """
    known = list(runs)
    wanted = text.strip().lower()
    if not known:
        raise RunNotFoundError(f"there is no run '{text}': no run is recorded here")
    if wanted == LAST:
        return known[0]
    found = [run for run in known if wanted and str(run).startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not wanted:
        why = f"'{text}' names no run: give the first characters of its id, or '{LAST}'"
    elif found:
        why = f"{len(found)} runs have an id that begins with '{text}': give more of it"
    else:
        why = f"there is no run '{text}'"
    listed = ", ".join(str(run) for run in (found or known)[:MOST_CANDIDATES])
    raise RunNotFoundError(
        f"{why}; {'they are' if found else 'the newest'}: {listed} (flowrunner runs)"
    )
