"""A run as its record and what is kept of its calls tell it: from another process, or later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from flowrunner.environment import hide
from flowrunner.model import HandlerName
from flowrunner.plan import Call
from flowrunner.runs.outcome import RUN_LOST, Outcome
from flowrunner.runs.record import Attempt, RunRecord
from flowrunner.runs.record_data import timestamp
from flowrunner.runs.replay import Kept, kept_of, recorded_part, replay, row_error
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.step_state import FAILURE, REVOKED, SUCCESS, StepError
from flowrunner.runs.store import StepRow
from flowrunner.runs.unfolding import Unfolding

__all__ = [
    "StepReader",
    "recorded_ledger",
    "recorded_outcome",
    "recorded_steps",
    "used_again",
]


class StepReader(Protocol):
    """Gives what is kept of an attempt's calls, by path; nothing for those that have no trace."""

    def __call__(self, attempt: UUID, calls: Sequence[Call]) -> Mapping[str, StepRow]: ...


def recorded_steps(record: RunRecord, read: StepReader) -> dict[str, StepRow]:
    """Return what is kept of a run's calls, by path: of the attempt that ran each of them."""
    if record.plan.env:
        hide(record.plan.env)
    found = _main_steps(record, read)
    for _, handler in _begun_handlers(record):
        found |= replay(handler, partial(read, record.attempt.id))
    for path in (record.outcome or {}).get("ran", ()):  # their results were lost
        found.setdefault(path, StepRow(path, SUCCESS))
    return found


def _main_steps(record: RunRecord, read: StepReader) -> dict[str, StepRow]:
    """Follow each attempt from what it used of the one before."""
    kept, rows = Kept(), dict[str, StepRow]()
    for number, attempt in enumerate(record.attempts):
        later = record.attempts[number + 1 : number + 2]
        used = kept.only(attempt.reused)
        ledger = recorded_part(record.plan, used)
        earlier = {path: row for path, row in rows.items() if path in attempt.reused}

        def read_used(
            calls: Sequence[Call], attempt: Attempt = attempt, later: Sequence[Attempt] = later
        ) -> Mapping[str, StepRow]:
            # The next attempt has its own rows of all calls whose results it does not reuse.
            wanted = [call for call in calls if all(call.path in each.reused for each in later)]
            return read(attempt.id, wanted) if wanted else {}

        rows = earlier | replay(ledger, read_used)
        kept = kept_of(ledger, rows)
    return rows


def _begun_handlers(record: RunRecord) -> Iterator[tuple[HandlerName, Unfolding]]:
    """Yield the ledgers of the handlers that have begun, or whose calls are known before that."""
    for handler in record.plan.handlers:
        ledger = recorded_part(handler)
        if handler.name in record.handler_inputs:
            ledger.give(record.handler_inputs[handler.name])
        elif not ledger.steps:
            continue
        yield handler.name, ledger


def recorded_ledger(record: RunRecord, steps: Mapping[str, StepRow]) -> RunLedger:
    """Return the states of a run's calls, as these rows and the record's outcome tell them."""
    errors = {
        error["path"]: error
        for error in (record.outcome or {}).get("errors", ())
        if not _is_loss(error)
    }
    handlers = dict(_begun_handlers(record))
    ledger = RunLedger(record.plan, main=_main(record, steps, errors), handlers=handlers)
    for handler in handlers.values():
        replay(handler, partial(_rows_of, steps), errors)
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


def _main(record: RunRecord, steps: Mapping[str, StepRow], errors: Mapping[str, Any]) -> Unfolding:
    used = used_again(record, steps)
    ledger = recorded_part(record.plan, used, lost=record.attempt.reused - steps.keys())
    replay(ledger, partial(_rows_of, steps), errors)
    for path in record.attempt.reused:
        if path in ledger.steps and path in steps:
            ledger.steps[path].started = timestamp(steps[path].started)
            ledger.steps[path].ended = timestamp(steps[path].ended)
            ledger.steps[path].retries = steps[path].retries
    return ledger


def _rows_of(steps: Mapping[str, StepRow], calls: Sequence[Call]) -> Mapping[str, StepRow]:
    return {call.path: steps[call.path] for call in calls if call.path in steps}


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


def recorded_outcome(record: RunRecord, ledger: RunLedger) -> Outcome | None:
    """Return how a run has ended, with its result where that is kept; ``None`` if it has not."""
    if record.state not in ("SUCCESS", "FAILURE", "REVOKED"):
        return None
    has_result = ledger.main.has_value
    result = ledger.main.value if has_result else None
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
