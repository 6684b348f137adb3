"""Plans whose parts are published by continuations, on every engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
from celery.signals import before_task_publish
from hypothesis import given, settings
from redis import Redis

from flowrunner import plan
from flowrunner.engines import celery, follower
from flowrunner.engines.canvas import lower_to_canvas
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.protocol import Engine, task_ids
from flowrunner.engines.workers import Worker as Known
from flowrunner.errors import BrokerError
from flowrunner.plan import Retry
from flowrunner.planner.continuations import CONTINUE
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.semantics import Failure, evaluate
from tests.conftest import EXAMPLES
from tests.engines.conftest import cluster
from tests.engines.plans import (
    HANG,
    Ran,
    await_file,
    call,
    chain,
    chord,
    group,
    in_background,
    planned,
    run,
)
from tests.engines.services import Worker
from tests.shapes import call_task, failing_shapes, plan_of, shapes, with_paths


def run_tree(engine: Engine, tree: plan.Node) -> Ran:
    ready = plan_of(tree)
    ledger = ledger_of(ready)
    return Ran(engine.run(ready, run=uuid4(), ledger=ledger, timeout=HANG), ledger)


@pytest.mark.usefixtures("continued_everywhere")
@settings(max_examples=max(EXAMPLES // 10, 5))
@given(tree=shapes())
def test_every_shape_has_its_value(engine: Engine, tree: plan.Node) -> None:
    ran = run_tree(engine, tree)
    assert ran.errors == {}
    assert ran.value == evaluate(tree, call_task)
    assert set(ran.states.values()) == {"SUCCESS"}


@pytest.mark.usefixtures("continued_everywhere")
@settings(max_examples=max(EXAMPLES // 10, 5))
@given(tree=failing_shapes())
def test_every_failing_shape_fails(engine: Engine, tree: plan.Node) -> None:
    ran = run_tree(engine, tree)
    expected = evaluate(tree, call_task)
    assert isinstance(expected, Failure)
    assert set(ran.errors) == expected.paths


LARGE = chain(
    *[chord([call("tag", n) for n in range(30)], call("tag", "joined", immutable=True))] * 3,
    group(*(chain(*[call("tag", n, immutable=True)] * 40, call("tag")) for n in range(10))),
    call("tag", "last"),
)


def test_a_large_plan_has_its_value(engine: Engine) -> None:
    ready = planned(LARGE)
    assert ready.continuations > 3
    ran = run(engine, LARGE)
    assert ran.errors == {}
    assert ran.value == evaluate(ready.root, call_task)


def test_a_step_behind_a_continuation_that_fails_skips_what_follows(engine: Engine) -> None:
    tree = chain(LARGE, call("own_error"), *[call("tag", n) for n in range(60)])
    ran = run(engine, tree)
    assert ran.value is None
    assert set(ran.errors) == {"root.1"}
    skipped = {call.path for call in ran.ledger.skipped()}
    assert skipped == {f"root.{n}" for n in range(2, 62)}


def test_what_is_published_twice_is_the_same_twice(engine: Engine) -> None:
    ready, run_id = planned(LARGE), uuid4()
    ids = task_ids(ready, run_id)

    def lowered() -> list[str]:
        canvas = lower_to_canvas(
            ready.sequence,
            app=engine._app,  # type: ignore[attr-defined]
            task_ids=lambda call: ids[call.path],
        )
        return [json.dumps(canvas.start), *(json.dumps(part) for part in canvas.parts.values())]

    assert lowered() == lowered()


@pytest.mark.usefixtures("continued_everywhere")
@pytest.mark.parametrize("in_member", [False, True])
def test_a_continuation_that_is_delivered_again_publishes_nothing(
    engine: Engine, tmp_path: Path, in_member: bool
) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    steps = chain(call("tag"), call("waits_for", str(here), str(until)), call("tag"))
    ready, run_id = (
        planned(chord([steps, call("tag")], call("tag")) if in_member else steps),
        uuid4(),
    )
    first = next(call.path for call in ready.calls() if call.kind == "continuation")
    app = engine._app  # type: ignore[attr-defined]
    again = app.tasks[CONTINUE]
    published: list[str] = []

    def note(sender: str, **_: Any) -> None:
        published.append(sender)

    with ThreadPoolExecutor(1) as pool:
        ledger = ledger_of(ready)
        ran = pool.submit(engine.run, ready, run=run_id, ledger=ledger, timeout=HANG)
        await_file(here)
        while ledger.steps[first].state != "SUCCESS":
            sleep(0.005)
        again.push_request(
            id=task_ids(ready, run_id)[first],
            chord={"task": "tag"} if in_member else None,
            group="a group",
        )
        before_task_publish.connect(note)
        try:
            again.run(None)
            assert again.request.chord is None  # or Celery would count it as a member
        finally:
            before_task_publish.disconnect(note)
            again.pop_request()
            until.touch()
        ran.result(HANG)
    assert published == []
    assert not ledger.failed


def test_a_part_that_is_lost_fails_the_run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("publication", "follower", "embedded"):
        monkeypatch.setattr(f"flowrunner.engines.{module}.store_parts", lambda *_: None)
    ran = run(engine, LARGE)
    (error,) = ran.ledger.errors
    assert error.type == "PartLostError"
    assert "no longer in the result backend" in error.message
    assert error.call.kind == "continuation"


def test_nothing_of_a_plan_is_left_behind(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = engine._app.backend  # type: ignore[attr-defined]
    stored: list[Any] = []

    def noted(key: Any, value: Any) -> None:
        stored.append(key)
        type(backend).set(backend, key, value)

    monkeypatch.setattr(backend, "set", noted)
    run(engine, LARGE)
    parts = [key for key in stored if b"flowrunner-part" in key]
    assert len(parts) == planned(LARGE).continuations
    assert backend.mget(parts) == [None] * len(parts)


@pytest.fixture(scope="module")
def plain_cluster(worker: Worker) -> Iterator[CeleryEngine]:
    """A cluster whose workers seem to know nothing of continuations."""
    with cluster(worker.address) as running:
        running._cluster.can_continue = lambda plan: False  # type: ignore[method-assign]
        yield running


def test_plain_workers_run_a_large_plan_as_one_canvas(plain_cluster: CeleryEngine) -> None:
    ran = run(plain_cluster, LARGE)
    assert ran.errors == {}
    assert ran.value == evaluate(planned(LARGE).root, call_task)
    assert set(ran.states.values()) == {"SUCCESS"}


def test_plain_workers_run_a_large_section_of_a_dynamic_plan_as_one_canvas(
    plain_cluster: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_cluster._cluster, "can_run", lambda continuations: False)
    tried = replace(call("tag"), retry=Retry(1))
    ready = plan_of(with_paths(chain(tried, LARGE)))
    ledger = ledger_of(ready)
    ran = Ran(plain_cluster.run(ready, run=uuid4(), ledger=ledger, timeout=HANG), ledger)
    assert ran.errors == {}
    assert ran.value == evaluate(ready.root, call_task)
    assert not [path for path in ran.states if path.endswith(":continue")]


def test_a_plan_too_large_for_plain_workers_is_refused(
    plain_cluster: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(celery, "LARGEST_CANVAS", 1_000_000)
    with pytest.raises(
        BrokerError,
        match=r"would take \d+ MB; start workers with flowrunner, .*\n  flowrunner worker\n",
    ):
        plain_cluster.check(planned(LARGE))


KNOWS, PLAIN = frozenset({CONTINUE, "tag"}), frozenset({"tag"})


@pytest.mark.parametrize(
    ("workers", "can"),
    [
        ([("celery", KNOWS)], True),
        ([("celery", KNOWS), ("celery", KNOWS)], True),
        ([("celery", PLAIN)], False),
        ([("celery", KNOWS), ("celery", PLAIN)], False),
        ([("celery", KNOWS), ("other", PLAIN)], True),
        ([("other", KNOWS)], False),
        ([], False),
    ],
)
def test_whoever_may_get_a_continuation_has_to_know_it(
    worker: Worker,
    workers: list[tuple[str, frozenset[str]]],
    can: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {str(n): Known(frozenset({queue}), tasks) for n, (queue, tasks) in enumerate(workers)}
    with cluster(worker.address) as engine:
        monkeypatch.setattr(engine._cluster, "_workers", {})
        monkeypatch.setattr(engine._cluster._crew, "known", lambda queues=(): known)
        assert engine._cluster.can_continue(planned(LARGE)) == can
        assert engine._cluster.can_continue(planned(call("tag")))


def test_what_a_long_run_still_needs_is_stored_again(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    monkeypatch.setattr(follower, "RENEW_AFTER", 0.0)
    client = Redis.from_url(worker.address.backend)

    def parts() -> list[bytes]:
        return list(client.scan_iter("*flowrunner-part-*"))

    waiting = call("waits_for", str(here), str(until))
    with (
        cluster(worker.address) as engine,
        in_background(engine, chain(waiting, LARGE)) as result,
    ):
        await_file(here)
        client.delete(*parts())
        deadline = monotonic() + HANG
        while not parts():
            assert monotonic() < deadline, "the parts are not stored again"
        until.touch()
        assert result().errors == {}
    assert parts() == []
