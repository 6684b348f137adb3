"""A run as its record and what is kept of its calls tell it: from another process, or later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from flowrunner.plan import Call, Plan, calls_of, without_continuations
from flowrunner.planner.remaining import remaining_plan
from flowrunner.runs.ledger import FAILURE, REVOKED, SUCCESS, Ledger, StepError
from flowrunner.runs.outcome import Outcome
from flowrunner.runs.record import RunRecord
from flowrunner.runs.record_data import timestamp
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.store import StepRow

#: What Celery keeps of a task that was revoked, as is asked for when a run is cancelled.
REVOKED_ERROR: Final = "TaskRevokedError"

__all__ = ["StepReader", "recorded_ledger", "recorded_outcome", "recorded_steps", "result_step"]


class StepReader(Protocol):
    """Gives what is kept of an attempt's calls, by path; nothing for those that have no trace."""

    def __call__(self, attempt: UUID, calls: Sequence[Call]) -> Mapping[str, StepRow]: ...


def recorded_steps(record: RunRecord, read: StepReader) -> dict[str, StepRow]:
    """Return what is kept of a run's calls, by path: of the attempt that ran each of them."""
    calls = list(_calls(record.plan))
    reused = record.attempt.reused
    found = dict(read(record.attempt.id, [call for call in calls if call.path not in reused]))
    missing = [call for call in calls if call.path in reused]
    for attempt in reversed(record.attempts[:-1]):
        if not missing:
            break
        rows = read(attempt.id, missing)
        found |= {
            call.path: rows[call.path]
            for call in missing
            if call.path in rows and rows[call.path].state == SUCCESS
        }
        missing = [call for call in missing if call.path not in found]
    return found


def _calls(plan: Plan) -> Iterator[Call]:
    """Yield every call but continuations, which a run may have been published without."""
    yield from calls_of(without_continuations(plan.sequence))
    for handler in plan.handlers:
        yield from calls_of(without_continuations(handler.sequence))


def recorded_ledger(record: RunRecord, steps: Mapping[str, StepRow]) -> RunLedger:
    """Return the states of a run's calls, as these rows and the record's outcome tell them."""
    plan = record.plan
    ledger = RunLedger(plan, main=Ledger(without_continuations(plan.sequence)))
    for path in _settled(record):
        ledger.main.record(path, SUCCESS)
        ledger.main.steps[path].ended = None  # unless its row says when
    errors = dict(_errors(record, ledger))
    # In the order of the plan: what comes behind a failure is skipped before Celery's own mark
    # of it, a failure as well, is read.
    for part in (ledger.main, *ledger.handlers.values()):
        for path in _in_order(part):
            _note_step(part, path, steps.get(path), errors.get(path))
    _note_end(record, ledger)
    return ledger


def _in_order(part: Ledger) -> list[str]:
    return [call.path for call in calls_of(part.sequence)]


def _note_step(part: Ledger, path: str, row: StepRow | None, error: StepError | None) -> None:
    step = part.steps[path]
    if step.call.kind == "continuation":  # a run may have been published without
        part.record(path, SUCCESS)
    elif row is not None:
        part.record(path, row.state, _error(step.call, row) or error)
        step.started, step.ended = timestamp(row.started), timestamp(row.ended)
        step.retries = max(step.retries, row.retries)
    elif error is not None:
        part.record(path, FAILURE, error)
        step.ended = None


def _settled(record: RunRecord) -> Iterator[str]:
    """Yield the calls that the current attempt has no need to run: earlier ones have."""
    if len(record.attempts) == 1:
        return
    rest = remaining_plan(record.plan, dict.fromkeys(record.attempt.reused)).plan
    left = set() if rest is None else {call.path for call in rest.calls()}
    for call in calls_of(without_continuations(record.plan.sequence)):
        if call.path not in left:
            yield call.path


def _note_end(record: RunRecord, ledger: RunLedger) -> None:
    """Note what the end of a run says of calls that nothing is kept of any more."""
    if not record.has_ended:
        return
    if record.state == SUCCESS:
        _succeed(ledger.main)
    elif record.cancelled and record.state == REVOKED and not ledger.main.running:
        ledger.main.cancel()
    on_error = ledger.handlers.get("on_error")
    succeeded = ledger.main.ended and not ledger.main.failed  # and 'finally' may have failed
    if on_error is not None and (record.state != FAILURE or succeeded):
        on_error.leave_out()
    final = ledger.handlers.get("finally")
    if final is not None and record.state == SUCCESS:
        _succeed(final)


def _succeed(part: Ledger) -> None:
    for step in part.open_steps():
        part.record(step.call.path, SUCCESS)
        step.ended = None


def _errors(record: RunRecord, ledger: RunLedger) -> Iterator[tuple[str, StepError]]:
    for each in (record.outcome or {}).get("errors", ()):
        step = ledger.steps.get(each["path"])
        if step is not None:
            texts = (each["type"], each["message"], each["traceback"], each["worker"])
            yield each["path"], StepError(step.call, *texts)


def _error(call: Call, row: StepRow) -> StepError | None:
    if row.error_type is None or row.error_type == REVOKED_ERROR:
        return None
    return StepError(call, row.error_type, row.error_message, row.error_traceback, row.worker)


def result_step(plan: Plan) -> Call:
    """Return the call whose value is the run's."""
    *_, last = calls_of(without_continuations(plan.sequence))
    return last


def recorded_outcome(
    record: RunRecord, ledger: RunLedger, steps: Mapping[str, StepRow]
) -> Outcome | None:
    """Return how a run has ended, with its result where that is kept; ``None`` if it has not.

    An attempt's time counts, not that since the run was recorded.
    """
    if record.state not in ("SUCCESS", "FAILURE", "REVOKED"):
        return None
    last = steps.get(result_step(record.plan).path)
    has_result = last is not None and last.has_result and not ledger.main.failed
    return Outcome(
        record.run,
        record.workflow,
        record.state,
        record.attempt.started,
        record.ended or datetime.now(UTC),
        last.result if last is not None and has_result else None,
        tuple(ledger.errors),
        tuple(ledger.skipped()),
        record.reason,
        has_result,
    )
