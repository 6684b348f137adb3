"""The ledger decides when a run has ended, from the plan and not from Celery's propagation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from flowrunner.runs.outcome import Outcome
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.step_state import StepError, StepState
from flowrunner.runs.unfolding import Unfolding
from tests.engines.plans import call, chain, chord, group, planned

#: Two members, one of them two steps long, then a body and one more step.
ROOT = chain(
    chord([chain(call("tag"), call("tag")), call("tag")], call("tag")),
    call("tag"),
)
FIRST, THEN, BESIDE = "root.0.header.0.0", "root.0.header.0.1", "root.0.header.1"
BODY, LAST = "root.0.body", "root.1"


@pytest.fixture
def ledger() -> Unfolding:
    return ledger_of(planned(ROOT))


def error(path: str, kind: str = "ValueError") -> StepError:
    named = next(step for step in planned(ROOT).calls() if step.path == path)
    return StepError(named, kind, "no")


def expected(ledger: Unfolding) -> set[str]:
    return {step.call.path for step in ledger.expected()}


def states(ledger: Unfolding) -> dict[str, str]:
    return {path: step.state for path, step in ledger.steps.items()}


def test_a_run_ends_when_every_call_has_succeeded(ledger: Unfolding) -> None:
    for path in (FIRST, THEN, BESIDE, BODY, LAST):
        assert not ledger.ended
        ledger.record(path, "SUCCESS")
    assert ledger.ended
    assert not ledger.failed


def test_a_failure_skips_what_comes_after_and_waits_for_the_siblings(ledger: Unfolding) -> None:
    ledger.record(FIRST, "FAILURE", error(FIRST))
    assert states(ledger) == {
        FIRST: "FAILURE",
        THEN: "SKIPPED",
        BESIDE: "PENDING",
        BODY: "SKIPPED",
        LAST: "SKIPPED",
    }
    assert ledger.failed
    assert not ledger.ended
    assert [step.path for step in ledger.skipped()] == [THEN, BODY, LAST]
    ledger.record(BESIDE, "SUCCESS")
    assert ledger.ended


def test_every_failure_is_kept(ledger: Unfolding) -> None:
    ledger.record(THEN, "FAILURE", error(THEN))
    ledger.record(BESIDE, "FAILURE", error(BESIDE))
    assert [each.call.path for each in ledger.errors] == [THEN, BESIDE]
    assert not ledger.ended  # the first step has said nothing yet
    ledger.record(FIRST, "SUCCESS")
    assert ledger.ended


@pytest.mark.parametrize("final", ["SUCCESS", "FAILURE", "REVOKED"])
@pytest.mark.parametrize("late", ["STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED", "PROGRESS"])
def test_what_comes_after_a_final_state_is_ignored(
    ledger: Unfolding, final: str, late: str
) -> None:
    ledger.record(FIRST, final, error(FIRST))
    before, errors = states(ledger), list(ledger.errors)
    ledger.record(FIRST, late, error(FIRST))
    assert states(ledger) == before
    assert ledger.errors == errors


def test_celerys_own_marking_of_what_comes_after_a_failure_is_ignored(ledger: Unfolding) -> None:
    ledger.record(FIRST, "FAILURE", error(FIRST))
    ledger.record(BODY, "FAILURE", error(BODY, "ChordError"))
    assert [each.call.path for each in ledger.errors] == [FIRST]


@pytest.mark.parametrize("state", ["FAILURE", "REVOKED"])
def test_without_a_value_a_run_has_failed_even_if_nobody_says_why(
    ledger: Unfolding, state: str
) -> None:
    ledger.record(LAST, state)
    assert ledger.failed


def test_a_failure_without_a_reason_is_still_named(ledger: Unfolding) -> None:
    ledger.record(FIRST, "FAILURE")
    assert [each.call.path for each in ledger.errors] == [FIRST]


def test_a_state_of_the_tasks_own_means_that_it_runs(ledger: Unfolding) -> None:
    ledger.record(FIRST, "PROGRESS")
    assert ledger.steps[FIRST].state == "STARTED"
    assert ledger.running


def test_retries_are_counted_and_the_first_start_is_kept(ledger: Unfolding) -> None:
    ledger.record(FIRST, "STARTED")
    started = ledger.steps[FIRST].started
    for state in ("RETRY", "STARTED", "RETRY", "STARTED", "SUCCESS"):
        ledger.record(FIRST, state)
    step = ledger.steps[FIRST]
    assert (step.retries, step.started) == (2, started)
    assert step.ended is not None


EXPECTED: list[tuple[dict[str, str], set[str]]] = [
    ({}, {FIRST, BESIDE}),
    ({FIRST: "STARTED"}, {FIRST, BESIDE}),
    ({FIRST: "SUCCESS"}, {THEN, BESIDE}),
    ({FIRST: "SUCCESS", THEN: "SUCCESS"}, {BESIDE}),
    ({FIRST: "SUCCESS", THEN: "SUCCESS", BESIDE: "SUCCESS"}, {BODY}),
    ({FIRST: "SUCCESS", THEN: "SUCCESS", BESIDE: "SUCCESS", BODY: "SUCCESS"}, {LAST}),
    ({FIRST: "FAILURE"}, {BESIDE}),
    ({FIRST: "FAILURE", BESIDE: "SUCCESS"}, set()),
]


@pytest.mark.parametrize(("recorded", "next_ones"), EXPECTED)
def test_only_what_may_end_next_is_looked_for(
    ledger: Unfolding, recorded: dict[str, str], next_ones: set[str]
) -> None:
    for path, state in recorded.items():
        ledger.record(path, state)
    assert expected(ledger) == next_ones
    assert {step.call.path for step in ledger.open_steps()} >= next_ones


def test_a_fork_inside_a_fork_is_followed_outwards() -> None:
    root = chord([group(call("tag"), call("tag")), call("tag")], call("tag"))
    ledger = ledger_of(planned(root))
    ledger.record("root.header.0.0", "FAILURE")
    ledger.record("root.header.0.1", "FAILURE")
    assert states(ledger)["root.body"] == "SKIPPED"
    ledger.record("root.header.1", "SUCCESS")
    assert ledger.ended


def test_waiting_is_over_when_the_run_ends(ledger: Unfolding) -> None:
    assert not ledger.wait(0)

    def all_succeed() -> None:
        for path in (FIRST, THEN, BESIDE, BODY, LAST):
            ledger.record(path, "SUCCESS")

    thread = Thread(target=all_succeed)
    thread.start()
    assert ledger.wait(60)
    thread.join()


@pytest.mark.parametrize(
    "end",
    [
        lambda ledger: ledger.record(BESIDE, "FAILURE"),
        lambda ledger: ledger.record(BESIDE, "REVOKED"),
    ],
)
def test_waiting_is_over_when_the_last_sibling_of_a_failure_ends(
    ledger: Unfolding, end: Callable[[Unfolding], None]
) -> None:
    ledger.record(FIRST, "FAILURE")
    assert not ledger.wait(0)
    end(ledger)
    assert ledger.wait(60)


def test_an_outcome_knows_how_long_the_run_took() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    end = start + timedelta(seconds=2.5)
    assert Outcome(uuid4(), "name", "SUCCESS", start, end).seconds == 2.5


def test_whoever_listens_is_told_of_what_counts_and_sees_no_later_state() -> None:
    told: list[tuple[StepState, Callable[[], Any] | None]] = []
    ledger = ledger_of(planned(ROOT), on_step=lambda step, result: told.append((step, result)))
    for state in ("STARTED", "RETRY", "SUCCESS", "RETRY"):
        ledger.record(FIRST, state, result=lambda: 1)
    ledger.record(THEN, "FAILURE", error(THEN))
    ledger.record(BODY, "FAILURE", error(BODY, "ChordError"))
    seen = [(step.call.path, step.state, step.retries) for step, _ in told]
    assert seen == [
        (FIRST, "STARTED", 0),
        (FIRST, "RETRY", 1),
        (FIRST, "SUCCESS", 1),
        (THEN, "FAILURE", 0),
    ]
    assert told[3][0].error == error(THEN)
    assert ledger.steps[THEN].error == error(THEN)


def test_a_listener_may_look_at_the_ledger() -> None:
    ledger = ledger_of(
        planned(ROOT),
        on_step=lambda step, _: ledger.record(BESIDE, "SUCCESS"),
    )
    ledger.record(FIRST, "SUCCESS")
    assert states(ledger)[BESIDE] == "SUCCESS"
