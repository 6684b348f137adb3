"""A run as its record and what is kept of its calls tell it: from another process, or later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from flowrunner.environment import hide
from flowrunner.plan import Call, Plan, calls_of, without_continuations
from flowrunner.planner.remaining import remaining_plan
from flowrunner.runs.ledger import FAILURE, REVOKED, SUCCESS, Ledger, StepError
from flowrunner.runs.outcome import RUN_LOST, Outcome
from flowrunner.runs.record import RunRecord
from flowrunner.runs.record_data import timestamp
from flowrunner.runs.replay import Kept, kept_of, note_implied_ends, note_row, replay, row_error
from flowrunner.runs.run_ledger import RunLedger, ledger_of
from flowrunner.runs.store import StepRow
from flowrunner.runs.unfolding import Unfolding

__all__ = [
    "StepReader",
    "recorded_ledger",
    "recorded_outcome",
    "recorded_steps",
    "result_step",
    "used_again",
]


class StepReader(Protocol):
    """Gives what is kept of an attempt's calls, by path; nothing for those that have no trace."""

    def __call__(self, attempt: UUID, calls: Sequence[Call]) -> Mapping[str, StepRow]: ...


def recorded_steps(record: RunRecord, read: StepReader) -> dict[str, StepRow]:
    """Return what is kept of a run's calls, by path: of the attempt that ran each of them."""
    if record.plan.env:
        hide(record.plan.env)
    plan = record.plan
    found = _unfolded_steps(record, read) if plan.unfolds else _planned_steps(record, read)
    for handler in plan.handlers:
        ledger = ledger_of(handler)
        if isinstance(ledger, Unfolding):
            if handler.name in record.handler_inputs:
                ledger.give(record.handler_inputs[handler.name])
                found |= replay(ledger, partial(read, record.attempt.id))
        else:
            calls = calls_of(without_continuations(handler.sequence))
            found |= read(record.attempt.id, list(calls))
    for path in (record.outcome or {}).get("ran", ()):  # their results were lost
        found.setdefault(path, StepRow(path, SUCCESS))
    return found


def _planned_steps(record: RunRecord, read: StepReader) -> dict[str, StepRow]:
    calls = list(calls_of(without_continuations(record.plan.sequence)))
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


def _unfolded_steps(record: RunRecord, read: StepReader) -> dict[str, StepRow]:
    """Follow each attempt from what it used of the one before."""
    kept, rows = Kept(), dict[str, StepRow]()
    for attempt in record.attempts:
        used = kept.only(attempt.reused)
        ledger = Unfolding(record.plan.root, known=used.results, failures=used.failures)
        earlier = {path: row for path, row in rows.items() if path in attempt.reused}
        rows = earlier | replay(ledger, partial(read, attempt.id))
        kept = kept_of(ledger, rows)
    return rows


def recorded_ledger(record: RunRecord, steps: Mapping[str, StepRow]) -> RunLedger:
    """Return the states of a run's calls, as these rows and the record's outcome tell them."""
    plan = record.plan
    if plan.unfolds:
        ledger = RunLedger(plan, main=_unfolded(record, steps))
    else:
        ledger = RunLedger(plan, main=Ledger(without_continuations(plan.sequence)))
        for path in _settled(record):
            ledger.main.record(path, SUCCESS)
            ledger.main.steps[path].ended = None  # unless its row says when
    errors = dict(_errors(record, ledger))
    for name, handler in ledger.handlers.items():
        if isinstance(handler, Unfolding) and name in record.handler_inputs:
            handler.give(record.handler_inputs[name])
            replay(handler, partial(_rows_of, steps))
    # In the order of the plan: what comes behind a failure is skipped before Celery's own mark
    # of it, a failure as well, is read.
    for part in (ledger.main, *ledger.handlers.values()):
        if isinstance(part, Unfolding):
            continue
        for path in _in_order(part):
            _note_step(part, path, steps.get(path), errors.get(path))
        note_implied_ends(part, steps)
    _note_end(record, ledger)
    return ledger


def used_again(record: RunRecord, steps: Mapping[str, StepRow]) -> Kept:
    """Return what the current attempt of a run uses of those before it."""
    rows = [steps[path] for path in record.attempt.reused if path in steps]
    nobody = Call("", "", record.plan.root.location)  # whoever fails again
    return Kept(
        {row.path: row.result for row in rows if row.has_result},
        {
            row.path: error
            for row in rows
            if row.state == FAILURE and (error := row_error(nobody, row)) is not None
        },
    )


def _unfolded(record: RunRecord, steps: Mapping[str, StepRow]) -> Unfolding:
    used = used_again(record, steps)
    ledger = Unfolding(record.plan.root, known=used.results, failures=used.failures)
    replay(ledger, partial(_rows_of, steps))
    for path in record.attempt.reused:
        if path in ledger.steps and path in steps:
            ledger.steps[path].started = timestamp(steps[path].started)
            ledger.steps[path].ended = timestamp(steps[path].ended)
            ledger.steps[path].retries = steps[path].retries
    return ledger


def _rows_of(steps: Mapping[str, StepRow], calls: Sequence[Call]) -> Mapping[str, StepRow]:
    return {call.path: steps[call.path] for call in calls if call.path in steps}


def _in_order(part: Ledger) -> list[str]:
    return [call.path for call in calls_of(part.sequence)]


def _note_step(part: Ledger, path: str, row: StepRow | None, error: StepError | None) -> None:
    step = part.steps[path]
    if step.call.kind == "continuation":  # a run may have been published without
        part.record(path, SUCCESS)
    elif row is not None:
        note_row(part, step.call, row, error)
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
        ledger.main.settle()
    elif record.cancelled and record.state == REVOKED and not ledger.main.running:
        ledger.main.cancel()
    on_error = ledger.handlers.get("on_error")
    succeeded = ledger.main.ended and not ledger.main.failed  # and 'finally' may have failed
    if on_error is not None and (record.state != FAILURE or succeeded):
        on_error.leave_out()
    final = ledger.handlers.get("finally")
    if final is not None and record.state == SUCCESS:
        final.settle()


def _errors(record: RunRecord, ledger: RunLedger) -> Iterator[tuple[str, StepError]]:
    for each in (record.outcome or {}).get("errors", ()):
        step = ledger.steps.get(each["path"])
        if step is not None and not _is_loss(each):
            texts = (each["type"], each["message"], each["traceback"], each["worker"])
            retries, notes = (
                each.get("retries", 0),
                each.get("notes", ()),
            )  # older records have none
            error = StepError(step.call, *texts, retries=retries, notes=tuple(notes))
            yield each["path"], error


def _is_loss(error: Mapping[str, Any]) -> bool:
    return error["type"] == RUN_LOST and not error["traceback"]


def _losses(record: RunRecord) -> Iterator[StepError]:
    """Yield the error of a run that its result backend has lost."""
    for each in (record.outcome or {}).get("errors", ()):
        if _is_loss(each):
            call = Call(each["path"], each["step"], record.plan.root.location)
            yield StepError(call, RUN_LOST, each["message"])


def _skipped(record: RunRecord, ledger: RunLedger) -> list[Call]:
    """Return the calls that did not run because of a failure: those of a lost run as recorded."""
    outcome = record.outcome or {}
    if "ran" not in outcome:
        return ledger.skipped()
    return [ledger.steps[path].call for path in outcome["skipped"] if path in ledger.steps]


def result_step(plan: Plan) -> Call:
    """Return the call whose value is the run's."""
    *_, last = calls_of(without_continuations(plan.sequence))
    return last


def _result(plan: Plan, main: Ledger, steps: Mapping[str, StepRow]) -> tuple[Any, bool]:
    if isinstance(main, Unfolding):
        return (main.value, True) if main.has_value else (None, False)
    last = steps.get(result_step(plan).path)
    if last is None or not last.has_result or main.failed:
        return None, False
    return last.result, True


def recorded_outcome(
    record: RunRecord, ledger: RunLedger, steps: Mapping[str, StepRow]
) -> Outcome | None:
    """Return how a run has ended, with its result where that is kept; ``None`` if it has not."""
    if record.state not in ("SUCCESS", "FAILURE", "REVOKED"):
        return None
    result, has_result = _result(record.plan, ledger.main, steps)
    return Outcome(
        record.run,
        record.workflow,
        record.state,
        record.attempt.started,
        record.ended or datetime.now(UTC),
        result,
        (*_losses(record), *ledger.errors),
        tuple(_skipped(record, ledger)),
        record.reason,
        has_result,
        tuple(ledger.caught),
        record.attempt.seconds_before,
        None if (ran := (record.outcome or {}).get("ran")) is None else tuple(ran),
    )
