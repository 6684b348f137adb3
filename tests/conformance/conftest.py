"""The engines of the conformance kit, each with the services that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowrunner.app import Project
from flowrunner.plugins import PluginReference
from flowrunner.settings import Settings
from tests.conformance.counts import VARIABLE, RedisCounts, counts_of_this_process
from tests.conformance.scoreboard import Scoreboard
from tests.conformance.trial import Laboratory
from tests.engines.rabbitmq import RabbitMQ
from tests.engines.services import ClusterAddress, Redis, Worker
from tests.summary import counts_of, is_full

PLUGIN = PluginReference(str(Path(__file__).with_name("tasks_plugin.py")), "the conformance kit")

#: FLOWRUNNER_CONFORMANCE=full takes every shape, the ordinary run a sample.
FULL = is_full("conformance")

#: Runs at a time on one engine; with 32, two cores take longer for the same shapes.
SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class ClusterKind:
    """A cluster of the kit: its broker and how its worker works."""

    broker: str
    pool: str
    concurrency: int
    databases: tuple[int, int]


CLUSTERS = {
    "redis, threads": ClusterKind("redis", "threads", 8, (0, 1)),
    "redis, prefork": ClusterKind("redis", "prefork", 2, (2, 3)),
    "rabbitmq + redis": ClusterKind("rabbitmq", "threads", 8, (4, 5)),
}
#: The database of the own Redis where workers count executions.
COUNTS = 15


@pytest.fixture(scope="session")
def scoreboard(pytestconfig: pytest.Config) -> Scoreboard:
    return Scoreboard(counts_of(pytestconfig, "conformance"))


@pytest.fixture(scope="package")
def own_redis(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of the kit's own; asks for ``redis`` for what that says where there is none."""
    with Redis(tmp_path_factory.mktemp("conformance-redis")) as server:
        yield server


@contextmanager
def embedded(request: pytest.FixtureRequest) -> Iterator[tuple[Settings, object]]:
    yield Settings(plugins=(PLUGIN,)), counts_of_this_process()


@contextmanager
def cluster(request: pytest.FixtureRequest) -> Iterator[tuple[Settings, object]]:
    """Start the worker of a cluster, with plain Celery's defaults where they do not matter."""
    kind = CLUSTERS[request.param]
    redis: Redis = request.getfixturevalue("own_redis")
    broker, backend = (redis.url(database) for database in kind.databases)
    if kind.broker == "rabbitmq":
        rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
        broker = rabbitmq.url("conformance")
    folder = request.getfixturevalue("tmp_path_factory").mktemp("conformance-worker")
    with Worker(
        ClusterAddress(broker, backend),
        folder,
        *("--pool", kind.pool, "--concurrency", str(kind.concurrency)),
        environment={"FLOWRUNNER_PLUGINS": PLUGIN.name, VARIABLE: redis.url(COUNTS)},
    ):
        settings = Settings(plugins=(PLUGIN,), broker=broker, backend=backend)
        yield settings, RedisCounts(redis.url(COUNTS))


@pytest.fixture(scope="package", params=["embedded", *CLUSTERS])
def laboratory(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    """Each engine in turn, started once."""
    with ExitStack() as stack:
        start = embedded if request.param == "embedded" else cluster
        settings, counts = stack.enter_context(start(request))
        project = Project(settings)
        yield Laboratory(
            name=request.param,
            project=project,
            engine=stack.enter_context(project.engine()),
            counts=counts,
            folder=tmp_path_factory.mktemp("conformance"),
            side_by_side=SIDE_BY_SIDE,
        )
