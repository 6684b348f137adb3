"""The comparison is honest: what Celery runs rightly, the literal compiler gets right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from tests.conformance.classics import chain, chord, group, task
from tests.conformance.compare import flattened, run_literally
from tests.conformance.conftest import COUNTS
from tests.conformance.counts import VARIABLE
from tests.conformance.literal import literal_app
from tests.conformance.meaning import meaning
from tests.conformance.shape import Items, Repeat, Shape, Task
from tests.engines.services import ClusterAddress, Redis, Worker


@pytest.fixture(scope="module")
def app(own_redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Celery]:
    address = ClusterAddress(own_redis.url(6), own_redis.url(7))
    folder: Path = tmp_path_factory.mktemp("literal")
    environment = {VARIABLE: own_redis.url(COUNTS)}
    with Worker(address, folder, app="tests.conformance.literal", environment=environment):
        yield literal_app(address.broker, address.backend)


RIGHT: dict[str, Shape] = {
    "a task": task("a", 1),
    "a chain": chain(task("a"), task("b"), task("c", immutable=True)),
    "a group": group(task("a"), task("b")),
    "a chord": chord([task("a"), task("b")], task("c")),
    "a chord with a fan-out": chord([Repeat(3, "r")], task("c")),
    "a group between tasks": chain(task("a"), group(task("b"), task("c")), task("d")),
    "map": chain(task("a"), Items("map", 2, label="m")),
    "starmap": Items("starmap", 2, label="s"),
    "chunks": Items("chunks", 3, 2, label="c"),
    "a task that retries": chain(Task("a", "retry_once"), task("b")),
}


@pytest.mark.parametrize("shape", RIGHT.values(), ids=RIGHT.keys())
def test_what_celery_runs_rightly_is_right(app: Celery, shape: Shape) -> None:
    ended = run_literally(shape, app)
    assert ended.end == "right", ended.reason


def test_a_failing_task_ends_a_chord_as_failed(app: Celery) -> None:
    assert run_literally(chord([Task("a", "fail"), task("b")], task("c")), app).end == "failed"


def test_a_group_in_a_group_is_flattened(app: Celery) -> None:
    shape = group(group(task("a"), task("b")), task("c"))
    assert meaning(flattened(shape)).value == [["a"], ["b"], ["c"]]
    ended = run_literally(shape, app)
    assert ended.end == "flattened", ended.reason
