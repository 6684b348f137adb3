"""What every store of records does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest

from flowrunner.process import this_process
from flowrunner.runs.driven import seconds_driven
from flowrunner.runs.record import Attempt, RunRecord, attempt_id
from flowrunner.runs.store import RunNotFoundError, RunStore
from tests.engines.plans import HANG
from tests.planner.planning import planned
from tests.runs.records import at, record

OUTCOME = {"run": "1", "result": [1], "reason": "why", "errors": [{"message": "größer\x1b"}]}


def assert_same(found: RunRecord, wanted: RunRecord) -> None:
    """Compare all but the sources, which are never equal."""
    assert repr(replace(found, plan=replace(found.plan, source=wanted.plan.source))) == repr(wanted)
    assert found.plan.source.text == wanted.plan.source.text


def recorded(store: RunStore, **known: object) -> UUID:
    new = record(**known)  # type: ignore[arg-type]
    store.create(new)
    return new.run


def test_a_record_is_read_as_it_was_written(store: RunStore) -> None:
    new = record(timeout=2.5)
    store.create(new)
    assert_same(store.get(new.run), new)


def test_a_record_with_everything_is_read_as_it_was_written(store: RunStore) -> None:
    first = record(engine="embedded")
    whole = replace(
        first,
        workflow="größer \udcff",
        file="a\udcff.yaml",
        state="FAILURE",
        ended=at(1),
        queued=True,
        cancelled=True,
        attempts=(*first.attempts, Attempt(uuid4(), at(2), frozenset({"a", "b"}))),
        handler_inputs={"finally": {"state": "FAILURE"}},
        outcome={"reason": "x"},
    )
    store.create(whole)
    assert_same(store.get(whole.run), whole)
    assert store.open_runs() == []


def test_a_run_goes_from_pending_to_its_end(store: RunStore) -> None:
    run = recorded(store)
    assert (store.get(run).state, store.get(run).queued) == ("PENDING", False)
    store.set_queued(run)
    assert (store.get(run).state, store.get(run).queued) == ("STARTED", True)
    store.set_handler_input(run, "on_error", {"a": [1.5]})
    store.set_handler_input(run, "finally", None)
    store.set_handler_input(run, "finally", "x")
    assert store.get(run).handler_inputs == {"on_error": {"a": [1.5]}, "finally": "x"}
    store.cancel(run)
    store.finish(run, "REVOKED", OUTCOME, at(1))
    ended = store.get(run)
    assert (ended.state, ended.ended, ended.cancelled) == ("REVOKED", at(1), True)
    assert ended.outcome == {name: OUTCOME[name] for name in OUTCOME if name != "result"}
    assert ended.reason == "why"
    assert ended.has_ended


def test_an_attempt_opens_a_run_again(store: RunStore) -> None:
    run = recorded(store)
    store.set_queued(run)
    store.set_handler_input(run, "finally", 1)
    store.cancel(run)
    store.finish(run, "FAILURE", OUTCOME, at(1))
    second = Attempt(attempt_id(run, 2), at(2), frozenset({"group[0][0]"}))
    store.begin_attempt(run, second)
    again = store.get(run)
    assert (again.state, again.queued, again.cancelled) == ("STARTED", False, False)
    assert (again.outcome, again.ended, again.handler_inputs) == (None, None, {})
    assert (len(again.attempts), again.attempt) == (2, second)
    assert store.open_runs() == [run]
    store.begin_attempt(run, second)  # by somebody who has not heard that it was done
    assert store.get(run).attempts == again.attempts


def test_an_attempt_may_bring_a_workflow_that_has_changed(store: RunStore) -> None:
    run = recorded(store)
    changed = planned("chain: [call, call, call]")
    store.begin_attempt(run, Attempt(attempt_id(run, 2), at(2)), plan=changed)
    again = store.get(run)
    assert repr(again.plan.root) == repr(changed.root)
    assert again.plan.source.text == changed.source.text
    assert len(again.attempts) == 2


def test_attempts_have_ids_of_their_own() -> None:
    run = uuid4()
    assert attempt_id(run, 1) == run
    assert len({attempt_id(run, number) for number in range(1, 5)}) == 4


def test_runs_are_listed_the_newest_first(store: RunStore) -> None:
    runs = [recorded(store, minutes=minutes) for minutes in range(4)]
    store.finish(runs[1], "SUCCESS", OUTCOME, at(9))
    store.set_queued(runs[2])
    listed = store.list(limit=3)
    assert [each.run for each in listed] == runs[:0:-1]
    assert [each.run for each in store.list(limit=9, states={"SUCCESS", "STARTED"})] == [
        runs[2],
        runs[1],
    ]
    assert listed[2] == store.get(runs[1]).summary
    assert store.list(limit=9, states=["FAILURE"]) == []
    assert store.open_runs() == [runs[0], *runs[2:]]


def test_many_runs_are_listed_in_order(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowrunner.runs.redis_store.PAGE", 2)
    runs = [recorded(store, minutes=minutes) for minutes in range(5)]
    store.finish(runs[0], "SUCCESS", OUTCOME, at(9))
    assert [each.run for each in store.list(limit=5)] == runs[::-1]
    assert [each.run for each in store.list(limit=1, states=["SUCCESS"])] == [runs[0]]


def test_a_run_is_found_by_what_people_type(store: RunStore) -> None:
    runs = [UUID(f"abcd{digit}000-0000-4000-8000-000000000000") for digit in range(3)]
    for minutes, run in enumerate(runs):
        recorded(store, run=run, minutes=minutes)
    assert store.find(str(runs[0])) == runs[0]
    assert store.find("ABCD1") == runs[1]
    assert store.find("last") == runs[2]


@pytest.mark.parametrize("text", ["f", "F", "ff", " ff0"])
def test_a_unique_start_of_any_length_names_a_run(store: RunStore, text: str) -> None:
    runs = [UUID(f"{start}0000-0000-4000-8000-000000000000") for start in ("abcd", "ff00")]
    for minutes, run in enumerate(runs):
        recorded(store, run=run, minutes=minutes)
    assert store.find(text) == runs[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("abcd", "2 runs have an id that begins with 'abcd': give more of it; they are: abcd1"),
        ("", "'' names no run"),
        ("ffff", "there is no run 'ffff'; the newest: abcd1"),
    ],
)
def test_what_names_no_run_is_told_with_what_there_is(
    store: RunStore, text: str, words: str
) -> None:
    for digit in range(2):
        recorded(store, run=UUID(f"abcd{digit}000-0000-4000-8000-000000000000"), minutes=digit)
    with pytest.raises(RunNotFoundError) as caught:
        store.find(text)
    assert words in str(caught.value)
    assert "flowrunner runs" in str(caught.value)


def test_nothing_is_found_where_nothing_is_recorded(store: RunStore) -> None:
    assert store.list(limit=5) == []
    assert store.open_runs() == []
    with pytest.raises(RunNotFoundError, match="no run is recorded here"):
        store.find("last")


def test_a_run_that_is_not_recorded_stays_so(store: RunStore) -> None:
    run = uuid4()
    for act in (
        lambda: store.get(run),
        lambda: store.begin_attempt(run, Attempt(run, at(0))),
        lambda: store.set_queued(run),
        lambda: store.set_handler_input(run, "finally", 1),
        lambda: store.finish(run, "SUCCESS", OUTCOME, at(0)),
        lambda: store.cancel(run),
        lambda: store.is_cancelled(run),
        lambda: store.claim(run, "me", seconds=9),
    ):
        with pytest.raises(RunNotFoundError, match=str(run)):
            act()
    store.delete(run)
    store.release(run, "me")
    assert store.driver(run) is None
    assert store.list(limit=5) == []


def test_a_deleted_run_is_gone(store: RunStore) -> None:
    run, other = recorded(store), recorded(store, minutes=1)
    store.claim(run, "me", seconds=60)
    store.delete(run)
    assert store.open_runs() == [other]
    assert [each.run for each in store.list(limit=9)] == [other]
    assert store.driver(run) is None
    with pytest.raises(RunNotFoundError):
        store.get(run)


def test_the_wish_to_cancel_is_seen_by_everybody(store: RunStore) -> None:
    run = recorded(store)
    assert not store.is_cancelled(run)
    store.cancel(run)
    assert store.is_cancelled(run)
    assert store.get(run).cancelled


def test_one_drives_a_run_at_a_time(store: RunStore) -> None:
    run = recorded(store)
    assert store.driver(run) is None
    assert store.claim(run, "one", seconds=60)
    assert store.claim(run, "one", seconds=60)
    assert not store.claim(run, "two", seconds=60)
    store.release(run, "two")
    assert store.driver(run) == "one"
    store.release(run, "one")
    assert store.driver(run) is None
    assert store.claim(run, "two", seconds=60)


def test_a_driver_that_is_gone_is_followed_by_another(store: RunStore) -> None:
    run = recorded(store)
    assert store.claim(run, "one", seconds=0.01)
    deadline = monotonic() + HANG
    while not store.claim(run, "two", seconds=60):
        assert monotonic() < deadline
        sleep(0.005)
    assert store.driver(run) == "two"
    assert not store.claim(run, "one", seconds=60)


def test_only_one_of_many_gets_to_drive(store: RunStore) -> None:
    run = recorded(store)
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda name: store.claim(run, str(name), seconds=60), range(8)))
    assert sum(claimed) == 1
    assert store.driver(run) == str(claimed.index(True))


def test_threads_record_side_by_side(store: RunStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda minutes: recorded(store, minutes=minutes), range(24)))
    listed = store.list(limit=99)
    assert {each.run for each in listed} == set(runs)
    assert all(newer.created > older.created for newer, older in pairwise(listed))


def test_a_resumed_run_was_driven_as_long_as_its_attempts(store: RunStore) -> None:
    first = record(minutes=0)
    store.create(first)
    store.finish(first.run, "FAILURE", {}, at(2))
    assert seconds_driven(store.get(first.run), at(2)) == 120
    process = this_process()
    second = Attempt(attempt_id(first.run, 2), at(60), process=process, seconds_before=120)
    store.begin_attempt(first.run, second)
    store.finish(first.run, "SUCCESS", {}, at(61))
    kept = store.get(first.run)
    assert kept.attempt == second
    assert seconds_driven(kept, at(61)) == 180
    (summary,) = (each for each in store.list(limit=100) if each.run == first.run)
    assert summary == kept.summary
    assert seconds_driven(summary, at(61)) == 180
