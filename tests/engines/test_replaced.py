"""Tasks that replace themselves where results are ignored: their calls end, and are not lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from flowrunner import plan
from flowrunner.engines.canvas import header_id
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.implied_ends import ImpliedEnds
from flowrunner.engines.lost_calls import LostCalls, Question
from flowrunner.engines.protocol import Engine, task_id
from flowrunner.engines.whereabouts import Whereabouts
from flowrunner.plan import Retry
from flowrunner.runs.replay import note_implied_ends, replay
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.store import StepRow
from flowrunner.runs.unfolding import Unfolding
from tests.engines.conftest import cluster
from tests.engines.plans import HANG, Ran, call, chain, chord, planned, run
from tests.engines.services import ClusterAddress
from tests.shapes import plan_of, with_paths

SPLITS = call("legacy.splits", 4, immutable=True)


def test_what_replaces_a_task_keeps_the_tasks_result(engine: Engine) -> None:
    nested = chord([SPLITS, chain(SPLITS, call("legacy.unkept"))], call("legacy.unkept_sum"))
    ran = run(engine, chain(chord([SPLITS, nested], call("legacy.unkept_sum")), SPLITS))
    assert (ran.errors, ran.value) == ({}, 6)


def test_it_is_kept_for_a_driver_too(engine: Engine) -> None:
    retried = plan.Call("", "legacy.unkept", SPLITS.location, retry=Retry(1))
    ready = plan_of(with_paths(chain(SPLITS, retried)))
    ledger = ledger_of(ready)
    ran = Ran(engine.run(ready, run=uuid4(), ledger=ledger, timeout=HANG), ledger)
    assert (ran.errors, ran.value) == ({}, 6)


def test_a_replacement_that_fails_fails_its_call(engine: Engine) -> None:
    ran = run(engine, chord([call("legacy.replaced_by_failure"), call("tag")], call("tag")))
    assert {path: error.type for path, error in ran.errors.items()} == {"root.header.0": "OwnError"}


class Backstage:
    """A run of which nothing is queued: what its result backend has is written by hand."""

    def __init__(self, engine: CeleryEngine, root: plan.Node) -> None:
        self.engine = engine
        self.backend: Any = engine.app.backend
        self.run = uuid4()
        self.plan = planned(root)
        self.ledger = ledger_of(self.plan)
        self.implied = ImpliedEnds(engine.app, self.ledger, self.id_of)

    def id_of(self, made: plan.Call) -> str:
        return task_id(made, self.run)

    def id_at(self, path: str) -> str:
        return self.id_of(self.ledger.steps[path].call)

    def store(self, path: str, state: str, result: Any = None) -> None:
        self.backend.store_result(self.id_at(path), result, state)

    def count(self, path: str, join: str, number: int, state: str, result: Any) -> None:
        """Let a chord have counted a member, as Celery's Redis backend does."""
        kept = self.backend.encode_result(result, state)
        entry = self.backend.encode([1, self.id_at(path), state, kept])
        key = self.backend.get_key_for_group(header_id(self.id_at(join)), ".j")
        self.backend.client.zadd(key, {entry: number})

    def note(self, *, near: bool = False) -> dict[str, str]:
        """Note what has ended; return the states of the calls."""
        while self.implied.note(list(self.ledger.expected()), near=near):
            pass
        return {path: step.state for path, step in self.ledger.steps.items()}


@pytest.fixture(scope="module")
def driver(address: ClusterAddress) -> Iterator[CeleryEngine]:
    with cluster(address) as running:
        yield running


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("state", ["STARTED", "SUCCESS", "RETRY", "PROGRESS"])
def test_a_call_has_ended_when_one_that_needs_it_has_started(
    driver: CeleryEngine, state: str, near: bool
) -> None:
    there = Backstage(driver, chain(*[call("tag")] * 40))
    there.store("root.0", "STARTED", {})
    assert set(there.note(near=near).values()) == {"PENDING"}
    there.store("root.39", state, ValueError("again") if state == "RETRY" else {})
    assert list(there.note(near=near).values()) == ["SUCCESS"] * 39 + ["PENDING"]


@pytest.mark.parametrize("near", [False, True])
def test_members_have_ended_when_their_chords_body_has_started(
    driver: CeleryEngine, near: bool
) -> None:
    there = Backstage(driver, chord([call("tag"), chain(call("tag"), call("tag"))], call("tag")))
    there.store("root.body", "STARTED", {})
    states = there.note(near=near)
    assert states.pop("root.body") == "PENDING"
    assert set(states.values()) == {"SUCCESS"}


def test_a_chord_tells_which_members_have_ended_before_its_body_is_queued(
    driver: CeleryEngine,
) -> None:
    members = [call("tag"), chain(call("tag"), call("tag")), call("tag"), call("tag")]
    there = Backstage(driver, chord(members, call("tag")))
    there.count("root.header.0", "root.body", 0, "SUCCESS", [1])
    there.count("root.header.1.1", "root.body", 1, "SUCCESS", [2])
    there.count("root.header.2", "root.body", 2, "FAILURE", KeyError("gone"))
    assert there.note() == {
        "root.header.0": "SUCCESS",
        "root.header.1.0": "SUCCESS",
        "root.header.1.1": "SUCCESS",
        "root.header.2": "FAILURE",
        "root.header.3": "PENDING",
        "root.body": "SKIPPED",
    }
    (error,) = there.ledger.errors
    assert (error.type, error.message) == ("KeyError", "gone")


def test_a_chord_that_has_failed_names_the_member(driver: CeleryEngine) -> None:
    from celery.exceptions import ChordError

    there = Backstage(driver, chord([call("tag"), call("tag")], call("tag")))
    text = f"Dependency {there.id_at('root.header.1')} raised ValueError('not (one)')"
    there.store("root.body", "FAILURE", ChordError(text))
    states = there.note()
    assert (states["root.header.0"], states["root.header.1"]) == ("SUCCESS", "FAILURE")
    (error,) = there.ledger.errors
    assert (error.type, error.message) == ("ValueError", "not (one)")


@pytest.mark.parametrize("is_queued", [True, False])
def test_a_call_is_lost_only_if_nothing_that_needs_it_is_queued(
    driver: CeleryEngine, is_queued: bool
) -> None:
    there = Backstage(driver, chain(call("tag"), call("tag")))
    there.ledger.record("root.0", "STARTED")
    lost = LostCalls(driver._cluster, there.ledger, there.id_of, set(), there.implied)
    meta = {"status": "STARTED", "result": {"hostname": "w"}}
    lost.note("root.0", meta)
    following = {there.id_at("root.1")}
    queued = frozenset(following if is_queued else ())
    question = Question.__new__(Question)
    question.steps = {there.id_at("root.0"): there.ledger.steps["root.0"]}
    question.following = {there.id_at("root.0"): following}
    question.changes = there.ledger.changes
    none: frozenset[str] = frozenset()
    question.found = Whereabouts(none, queued, none, frozenset({"w"}), none)
    for _ in range(2):
        lost.judge(question, 6.0)
    assert there.ledger.steps["root.0"].state == ("STARTED" if is_queued else "FAILURE")


def test_a_record_tells_it_too() -> None:
    ready = planned(chain(call("tag"), call("tag"), call("tag")))
    ledger = ledger_of(ready)
    note_implied_ends(ledger, {"root.0": None, "root.2": None})
    assert [step.state for step in ledger.steps.values()] == ["SUCCESS", "SUCCESS", "PENDING"]


def test_a_dynamic_run_is_replayed_beyond_it() -> None:
    retried = plan.Call("", "tag", SPLITS.location, retry=Retry(1))
    ready = plan_of(with_paths(chain(call("tag"), call("tag"), retried)))
    rows = {
        "root.0": StepRow("root.0", "STARTED"),
        "root.1": StepRow("root.1", "SUCCESS", result=1, has_result=True),
    }
    ledger = Unfolding(ready.root)
    replay(
        ledger, lambda calls: {each.path: rows[each.path] for each in calls if each.path in rows}
    )
    assert {path: step.state for path, step in ledger.steps.items()} == {
        "root.0": "SUCCESS",
        "root.1": "SUCCESS",
        "root.2": "PENDING",
    }
