"""The cost of a plan is what a Redis broker receives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis as RedisClient

from flowrunner import plan
from flowrunner.app import Project, run_plan
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.protocol import task_ids
from flowrunner.plugins import PluginReference
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.settings import Settings
from tests.engines.conftest import cluster
from tests.engines.monitor import pushed_messages
from tests.engines.plans import HANG, call, chain, chord, group, planned
from tests.engines.services import ROOT, ClusterAddress, Redis, Worker
from tests.shapes import mapped, shapes
from tests.test_workflows import PRINTED

#: How far the bytes may be from those that were received. The promise is 10 %; what remains is
#: for the results, which count as ``null``.
TOLERANCE = 0.06
PROMISE = 0.1
#: Random plans that are run side by side.
SIDE_BY_SIDE = 8


@pytest.fixture(scope="module")
def engine(worker: Worker) -> Iterator[CeleryEngine]:
    with cluster(worker.address) as running:
        yield running


def nothing(*args: Any, **options: Any) -> plan.Call:
    return call("nothing", *args, **options)


def fans(count: int, width: int) -> plan.Node:
    return chain(*[chord([nothing(n) for n in range(width)], nothing())] * count)


TREES = {
    "one call": nothing(1),
    "a chord of 10": fans(1, 10),
    "a chord of 500": fans(1, 500),
    "20 steps": chain(*(nothing(n) for n in range(20))),
    "100 steps": chain(*(nothing(n) for n in range(100))),
    "3 chords of 5": fans(3, 5),
    "8 chords of 50": fans(8, 50),
    "long members": chord([chain(*[nothing(n)] * 30) for n in range(10)], nothing()),
    "chords in chords": chord(
        [chain(nothing(n), chord([nothing(m) for m in range(3)], nothing())) for n in range(5)],
        group(nothing("a text with an é"), chain(nothing(), nothing({"a": [1, 2.5, None]}))),
    ),
    "options": chain(
        nothing(1, priority=3, headers={"tenant": "acme"}), nothing(2, queue="celery", countdown=0)
    ),
    "items": plan.Call("", "nothing", nothing().location, args=tuple(range(50)), kind="map"),
}


def compare(engine: CeleryEngine, worker: Worker, trees: Sequence[plan.Node]) -> None:
    """Run trees side by side and compare what Redis received with the costs of their plans."""
    plans = {uuid4(): planned(tree) for tree in trees}

    def run(run: Any) -> None:
        ledger = ledger_of(plans[run])
        engine.run(plans[run], run=run, ledger=ledger, timeout=HANG)
        assert not ledger.errors

    with (
        pushed_messages(RedisClient.from_url(worker.address.broker)) as messages,
        ThreadPoolExecutor(len(plans)) as pool,
    ):
        list(pool.map(run, plans))
        received = dict(messages())
    for run_id, ready in plans.items():
        sizes = [received.pop(task) for task in task_ids(ready, run_id).values()]
        assert ready.cost.messages == len(sizes)
        assert ready.cost.bytes == pytest.approx(sum(sizes), rel=TOLERANCE)
        assert ready.cost.largest == pytest.approx(max(sizes), rel=TOLERANCE)
    assert not received


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())
def test_messages_and_bytes_are_those_that_redis_received(
    engine: CeleryEngine, worker: Worker, tree: plan.Node
) -> None:
    compare(engine, worker, [tree])


@pytest.mark.parametrize(
    "batches", [5, pytest.param(25, marks=pytest.mark.slow)], ids=["40 shapes", "200 shapes"]
)
def test_random_shapes_cost_what_redis_received(
    engine: CeleryEngine, worker: Worker, batches: int
) -> None:
    def empty(call: plan.Call) -> plan.Call:
        return replace(call, task="nothing", kwargs={})

    @settings(max_examples=batches)
    @given(trees=st.lists(shapes(), min_size=SIDE_BY_SIDE, max_size=SIDE_BY_SIDE))
    def check(trees: list[plan.Node]) -> None:
        compare(engine, worker, [mapped(tree, empty) for tree in trees])

    check()


@pytest.fixture(scope="module")
def shipped(redis: Redis) -> Iterator[Project]:
    """The repository's workflows and plugins, on a cluster of their own."""
    address = ClusterAddress(redis.url(12), redis.url(13))
    with Worker(address, ROOT, environment={"FLOWRUNNER_PLUGINS": "plugins"}):
        plugin = PluginReference("plugins", "test", ROOT)
        yield Project(Settings(plugins=(plugin,), broker=address.broker, backend=address.backend))


def test_every_workflow_costs_what_redis_received(
    shipped: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("REPORT_KEY", "the key of the tests")
    client = RedisClient.from_url(shipped.settings.broker or "")
    with shipped.engine() as engine:
        for name, (inputs, _) in PRINTED.items():
            given_inputs = [text.format(folder=tmp_path) for text in inputs]
            ready = shipped.plan(Path("workflows") / name, inputs=given_inputs)
            with pushed_messages(client) as messages:
                assert run_plan(ready, engine, timeout=HANG).state == "SUCCESS"
                sizes = [size for _, size in messages()]
            handlers = [each.cost for each in ready.handlers if each.name != "on_error"]
            costs = [ready.cost, *handlers]
            expected = sum(cost.messages for cost in costs), sum(cost.bytes for cost in costs)
            if ready.unfolds:  # the cost is a minimum
                assert expected[0] <= len(sizes), name
                assert expected[1] < sum(sizes) * (1 + PROMISE), name
            else:
                assert expected[0] == len(sizes), name
                assert expected[1] == pytest.approx(sum(sizes), rel=PROMISE), name
