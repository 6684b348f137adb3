"""How far a run that unfolds has come, from what is kept of its calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from flowrunner.plan import Call, Handler, Plan, calls_of, without_continuations
from flowrunner.planner.cost import Costing
from flowrunner.planner.remaining import Remainder
from flowrunner.runs.record_data import timestamp
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.section import LostResultError
from flowrunner.runs.step_state import FAILURE, RETRY, REVOKED, SUCCESS, StepError, StepState
from flowrunner.runs.store import StepRow
from flowrunner.runs.unfolding import Unfolding

__all__ = [
    "Kept",
    "kept_of",
    "note_implied_ends",
    "note_row",
    "recorded_part",
    "remainder_of",
    "replay",
    "row_error",
]

#: What Celery keeps of a task that was revoked, as is asked for when a run is cancelled.
REVOKED_ERROR: Final = "TaskRevokedError"


@dataclass(frozen=True)
class Kept:
    """What of earlier attempts is used again: results, and failures that were taken care of."""

    results: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, StepError] = field(default_factory=dict)

    def only(self, paths: frozenset[str]) -> Kept:
        """Return what of it is of these calls."""
        return Kept(
            {path: each for path, each in self.results.items() if path in paths},
            {path: each for path, each in self.failures.items() if path in paths},
        )


def recorded_part(
    part: Plan | Handler, kept: Kept | None = None, *, lost: Collection[str] = ()
) -> Unfolding:
    """Return the ledger of a part of a recorded plan, to be told what is stored of its calls.

    ``lost`` are the paths of calls that have succeeded earlier with results that have expired.
    """
    kept = Kept() if kept is None else kept
    return Unfolding(
        part.root,
        without_continuations(part.sequence),
        known=kept.results,
        failures=kept.failures,
        lost=lost,
    )


def replay(
    ledger: Unfolding,
    read: Callable[[Sequence[Call]], Mapping[str, StepRow]],
    errors: Mapping[str, Any] | None = None,
) -> dict[str, StepRow]:
    """Let a run unfold as far as what is kept of its calls tells, and return that.

    ``read`` gives what is kept of calls, by path; ``errors`` are those of a recorded outcome, for
    calls of which nothing else is kept. What is returned has one row for each call, whatever its
    retries left: the row of a call that is to be retried says so.
    """
    rows: dict[str, StepRow] = {}
    ledger.leave_out_continuations()
    ledger.is_queued = lambda call: True
    sections = list(ledger.begin())
    while sections:
        # In the order of the plan: what comes behind a failure is skipped before Celery's own
        # mark of it, a failure as well, is read.
        calls = [call for section in sections for call in calls_of(section)]
        found = read(calls)
        for call in calls:
            row, error = found.get(call.path), _error_of(call, (errors or {}).get(call.path))
            if row is not None:
                note_row(ledger, call, row, error)
                rows[call.path] = _row_of_all_tries(row, ledger.steps[call.path])
            elif error is not None:
                ledger.record(call.path, FAILURE, error, for_good=True)
                ledger.steps[call.path].ended = None
        note_implied_ends(ledger, found)
        try:
            sections = list(ledger.advance())
        except LostResultError:  # what came next cannot be told any more
            break
    return rows


def _row_of_all_tries(row: StepRow, step: StepState) -> StepRow:
    if step.state == RETRY:
        row = replace(row, state=RETRY, ended=None)
    if row.retries == step.retries and not row.of_one_task:
        return row
    return replace(row, retries=step.retries, of_one_task=False)


def _error_of(call: Call, error: Mapping[str, Any] | None) -> StepError | None:
    """Return the error of a recorded outcome."""
    if error is None:
        return None
    return StepError(
        call,
        error["type"],
        error["message"],
        error["traceback"],
        error["worker"],
        retries=error.get("retries", 0),  # older records have neither
        notes=tuple(error.get("notes", ())),
    )


def note_row(ledger: Unfolding, call: Call, row: StepRow, error: StepError | None = None) -> None:
    """Note what is kept of a call; ``error`` says why it failed where the row does not.

    A call whose retry was cancelled has the error of its last try, which is no failure of the run.
    """
    result = (lambda: row.result) if row.has_result else None
    if row.of_one_task or row.state != REVOKED:
        error = row_error(call, row) or error
    ledger.record(
        call.path,
        row.state,
        error,
        result=result,
        retries=row.retries,
        for_good=not row.of_one_task,
    )
    step = ledger.steps[call.path]
    step.started, step.ended = timestamp(row.started), timestamp(row.ended)


def note_implied_ends(ledger: Unfolding, rows: Container[str]) -> None:
    """Note the success of calls without a result that others need, of which something is stored.

    Such a call replaced itself where results are ignored.
    """
    before = -1
    while before != ledger.changes:
        before = ledger.changes
        for step in list(ledger.expected()):
            if any(call.path in rows for call in ledger.needing(step)):
                ledger.record(step.call.path, SUCCESS)
                step.ended = None


def row_error(call: Call, row: StepRow) -> StepError | None:
    """Return why a call failed, as it was kept."""
    if row.error_type is None or row.error_type == REVOKED_ERROR:
        return None
    return StepError(
        call,
        row.error_type,
        row.error_message,
        row.error_traceback,
        row.worker,
        retries=row.retries,
        notes=row.error_notes,
    )


def kept_of(ledger: Unfolding, rows: Mapping[str, StepRow]) -> Kept:
    """Return what of a run can be used again: what has succeeded, and what was taken care of."""
    results = {
        path: row.result for path, row in rows.items() if row.state == SUCCESS and row.has_result
    }
    return Kept(results, {error.call.path: error for error in ledger.caught})


def remainder_of(plan: Plan, kept: Kept) -> Remainder:
    """Return what is left of a plan, with the results and handled failures that are reused."""
    ledger = ledger_of(plan, known=kept.results, failures=kept.failures)
    ledger.begin()
    reused = frozenset(ledger.reused)
    if ledger.ended and not ledger.failed:
        return Remainder(None, reused, ledger.value, kept.results, kept.failures)
    if ledger.sequence:  # an engine checks only the calls that are left
        costing = Costing()
        plan = replace(
            plan,
            sequence=ledger.sequence,
            cost=costing.cost(ledger.sequence),
            one_canvas=costing.cost(without_continuations(ledger.sequence)),
        )
    return Remainder(plan, reused, known=kept.results, failures=kept.failures)
