"""A run that is read from its record is the run that it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from flowrunner.plan import Call
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.record import Attempt, RunRecord
from flowrunner.runs.recorded import recorded_ledger, recorded_outcome, recorded_steps
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.step_state import StepError
from flowrunner.runs.store import StepRow
from tests.runs.records import at, record

TEXT = "{on_error: call, finally: call, chain: [{group: [call, {chain: [call, call]}]}, call]}"
FIRST, INNER, THEN = "chain[0].group[0]", "chain[0].group[1].chain[0]", "chain[0].group[1].chain[1]"
LAST = "chain[1]"
MAIN = (FIRST, INNER, THEN, LAST)


def success(path: str, result: Any = None) -> StepRow:
    return StepRow(path, "SUCCESS", at(0), at(1), result=result, has_result=True)


def failure(path: str, kind: str = "ValueError") -> StepRow:
    return StepRow(path, "FAILURE", at(0), at(1), error_type=kind, error_message="no")


def states(ledger: RunLedger) -> dict[str, str]:
    return {path: step.state for path, step in ledger.steps.items() if step.call.is_written}


def rows(*found: StepRow) -> dict[str, StepRow]:
    return {row.path: row for row in found}


def ended(state: Any, **known: Any) -> RunRecord:
    new = record(TEXT)
    outcome = Outcome(new.run, "test", state, at(0), at(1), **known)
    return replace(new, state=state, ended=at(1), outcome=outcome_to_json(outcome))


def test_a_run_that_goes_on_is_as_far_as_its_rows() -> None:
    found = recorded_ledger(
        replace(record(TEXT), state="STARTED"),
        rows(success(FIRST), StepRow(INNER, "PROGRESS", at(0)), StepRow("gone", "SUCCESS")),
    )
    assert states(found) == {
        **dict.fromkeys((THEN, LAST, "on_error", "finally"), "PENDING"),
        FIRST: "SUCCESS",
        INNER: "STARTED",
    }
    assert {step.call.path for step in found.main.expected()} == {INNER}
    step = found.steps[FIRST]
    assert (step.started, step.ended) == (at(0).timestamp(), at(1).timestamp())
    assert recorded_outcome(record(TEXT), found) is None


def test_what_comes_behind_a_failure_is_skipped_whatever_celery_keeps_of_it() -> None:
    """Whatever the order in which the rows are read."""
    found = recorded_ledger(
        ended("FAILURE"),
        rows(failure(LAST, "ChordError"), failure(INNER), success(FIRST), success("finally")),
    )
    assert states(found) == {
        FIRST: "SUCCESS",
        INNER: "FAILURE",
        THEN: "SKIPPED",
        LAST: "SKIPPED",
        "on_error": "PENDING",
        "finally": "SUCCESS",
    }
    (error,) = found.errors
    assert (error.call.path, error.type, error.message) == (INNER, "ValueError", "no")


def test_a_run_that_succeeded_is_done_also_when_nothing_is_kept_of_its_calls() -> None:
    new = ended("SUCCESS")
    found = recorded_ledger(new, {})
    assert states(found) == {
        **dict.fromkeys((*MAIN, "finally"), "SUCCESS"),
        "on_error": "UNNEEDED",
    }
    outcome = recorded_outcome(new, found)
    assert outcome is not None
    assert (outcome.state, outcome.has_result) == ("SUCCESS", False)


def test_errors_are_known_when_nothing_is_kept_of_the_calls() -> None:
    first = recorded_ledger(ended("FAILURE"), rows(failure(INNER)))
    new = ended("FAILURE", errors=tuple(first.errors), reason="why")
    found = recorded_ledger(new, {})
    assert states(found)[INNER] == "FAILURE"
    assert found.errors == first.errors
    outcome = recorded_outcome(new, found)
    assert outcome is not None
    assert (outcome.reason, [call.path for call in outcome.skipped]) == ("why", [THEN, LAST])


@pytest.mark.parametrize("handler", ["finally", "on_error"])
def test_a_result_stays_when_a_handler_fails(handler: str) -> None:
    new = ended("FAILURE" if handler == "finally" else "SUCCESS")
    kept = rows(*(success(path, path) for path in MAIN), failure("finally"))
    kept["chain[0].group:collect"] = success("chain[0].group:collect")
    found = recorded_ledger(new, kept)
    assert states(found)["on_error"] == "UNNEEDED"
    outcome = recorded_outcome(new, found)
    assert outcome is not None
    assert (outcome.result, outcome.has_result) == (LAST, True)


def test_a_cancelled_run_runs_no_more() -> None:
    found = recorded_ledger(replace(ended("REVOKED"), cancelled=True), rows(success(FIRST)))
    assert states(found) == {
        FIRST: "SUCCESS",
        INNER: "REVOKED",
        THEN: "SKIPPED",
        LAST: "SKIPPED",
        "on_error": "UNNEEDED",
        "finally": "PENDING",
    }


@pytest.mark.usefixtures("continued_everywhere")
def test_continuations_are_nothing_that_is_waited_for() -> None:
    new = replace(record("chain: [call, call, call]"), state="STARTED")
    assert new.plan.continuations
    found = recorded_ledger(new, rows(*(success(f"chain[{n}]") for n in range(3))))
    assert found.main.ended
    assert not found.failed


class Kept:
    """What is kept of each attempt's calls, and what was asked for."""

    def __init__(self, kept: Mapping[UUID, Sequence[StepRow]]) -> None:
        self._kept = kept
        self.asked: dict[UUID, list[str]] = {}

    def __call__(self, attempt: UUID, calls: Sequence[Call]) -> dict[str, StepRow]:
        self.asked[attempt] = [call.path for call in calls]
        wanted = set(self.asked[attempt])
        return {row.path: row for row in self._kept.get(attempt, ()) if row.path in wanted}


def test_each_call_is_read_from_the_attempt_that_ran_it() -> None:
    first = record(TEXT)
    second = Attempt(uuid4(), at(1), frozenset({FIRST}))
    third = Attempt(uuid4(), at(2), frozenset({FIRST, THEN}))
    new = replace(first, state="STARTED", attempts=(first.attempt, second, third))
    kept = Kept(
        {
            first.run: [success(FIRST, 1), failure(INNER), success(THEN, "old")],
            second.id: [success(THEN, 2), StepRow(FIRST, "STARTED")],
            third.id: [StepRow(LAST, "STARTED")],
        }
    )
    found = recorded_steps(new, kept)
    assert {path: (row.state, row.result) for path, row in found.items()} == {
        FIRST: ("SUCCESS", 1),
        THEN: ("SUCCESS", 2),
        LAST: ("STARTED", None),
    }
    assert kept.asked[first.run] == [FIRST]
    ledger = recorded_ledger(new, found)
    assert states(ledger)[INNER] == "SUCCESS"  # what came of it is used again
    assert states(ledger)[LAST] == "STARTED"


def test_nothing_else_is_asked_of_a_run_that_was_never_resumed() -> None:
    new = record(TEXT)
    kept = Kept({new.run: [success(FIRST)]})
    assert [*recorded_steps(new, kept)] == [FIRST]
    assert list(kept.asked) == [new.run]


@pytest.mark.parametrize("notes", [("order 7",), ()], ids=["notes", "a record without notes"])
def test_an_error_whose_row_has_expired_is_the_one_of_the_record(notes: tuple[str, ...]) -> None:
    (call, *_) = [each for each in record(TEXT).plan.calls() if each.path == FIRST]
    error = StepError(call, "PaymentError", "card declined", "trace", "w@h", notes=notes)
    new = ended("FAILURE", errors=(error,))
    if not notes:  # as versions wrote it that knew none
        for each in new.outcome["errors"]:
            del each["notes"]
    (found,) = recorded_ledger(new, {}).errors
    assert (found.type, found.message, found.worker) == ("PaymentError", "card declined", "w@h")
    assert found.notes == notes
