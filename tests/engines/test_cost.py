"""What a plan is said to cost is what a Redis broker receives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from celery.utils.nodenames import anon_nodename
from hypothesis import given, settings
from redis import Redis as RedisClient

from flowrunner import plan
from flowrunner.engines.celery import CeleryEngine
from flowrunner.planner import message_size
from tests.conftest import EXAMPLES
from tests.engines.conftest import cluster
from tests.engines.monitor import pushed_messages
from tests.engines.plans import call, chain, chord, group, planned, run
from tests.engines.services import Worker
from tests.shapes import mapped, shapes

#: How far this may be from what was received; who says who sends is as long as it is here. The
#: promise is 5 %.
TOLERANCE = 0.01


@pytest.fixture(scope="module", autouse=True)
def origin() -> Iterator[None]:
    """Let what is promised name its sender as the processes here do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(message_size, "ORIGIN", anon_nodename())
        message_size._envelope_size.cache_clear()
        yield
    message_size._envelope_size.cache_clear()


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


def compare(engine: CeleryEngine, worker: Worker, tree: plan.Node, *, tolerance: float) -> None:
    """Run a tree and compare what Redis received with what its plan promised."""
    with pushed_messages(RedisClient.from_url(worker.address.broker)) as sizes:
        assert run(engine, tree).errors == {}
        actual = sizes()
    promised = planned(tree).cost
    assert promised.messages == len(actual)
    assert promised.bytes == pytest.approx(sum(actual), rel=tolerance)
    assert promised.largest == pytest.approx(max(actual), rel=tolerance)


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())
def test_messages_and_bytes_are_those_that_redis_received(
    engine: CeleryEngine, worker: Worker, tree: plan.Node
) -> None:
    compare(engine, worker, tree, tolerance=TOLERANCE)


@settings(max_examples=max(EXAMPLES // 10, 5))
@given(tree=shapes())
def test_random_shapes_cost_what_they_are_said_to(
    engine: CeleryEngine, worker: Worker, tree: plan.Node
) -> None:
    def empty(call: plan.Call) -> plan.Call:
        return replace(call, task="nothing", kwargs={})

    # What joins give of the results they are given is not all known: 5 % is the promise.
    compare(engine, worker, mapped(tree, empty), tolerance=0.05)
