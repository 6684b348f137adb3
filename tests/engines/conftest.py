"""The engines, and the services that they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowrunner.engines import turn
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.embedded import DEFAULT_CONCURRENCY, EmbeddedEngine
from flowrunner.engines.processes import ProcessPoolEngine
from flowrunner.engines.protocol import Engine
from flowrunner.engines.run_flags import known_key
from tests.engines.plain import PlainWorker, install_celery
from tests.engines.plans import PLUGIN, tasks
from tests.engines.rabbitmq import RabbitMQ
from tests.engines.services import ClusterAddress, Redis, Worker
from tests.engines.workplace import ROOT, Workplace, workplace_on


@pytest.fixture(scope="session")
def address(redis: Redis) -> ClusterAddress:
    """A cluster where nobody works yet."""
    return ClusterAddress(redis.url(0), redis.url(1))


@pytest.fixture(scope="session")
def worker(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker that has the tasks of these tests, on a cluster of its own."""
    address = ClusterAddress(redis.url(2), redis.url(3))
    with Worker(address, tmp_path_factory.mktemp("worker")) as running:
        yield running


@pytest.fixture(scope="session")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has Celery and no flowrunner."""
    return install_celery(tmp_path_factory.mktemp("plain") / "venv")


@pytest.fixture(scope="session")
def plain_worker(plain_python: Path, redis: Redis) -> Iterator[PlainWorker]:
    """A worker of a project's own app, on a cluster of its own."""
    with PlainWorker(plain_python, ClusterAddress(redis.url(10), redis.url(11))) as running:
        yield running


@pytest.fixture(scope="session")
def rabbitmq_worker(
    rabbitmq: RabbitMQ, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worker]:
    """The same on RabbitMQ, with its results in Redis."""
    address = ClusterAddress(rabbitmq.url(), redis.url(15))
    with Worker(address, tmp_path_factory.mktemp("rabbitmq-worker")) as running:
        yield running


@contextmanager
def embedded(concurrency: int = DEFAULT_CONCURRENCY) -> Iterator[Engine]:
    with EmbeddedEngine(tasks(), configure=lambda app: None, concurrency=concurrency) as engine:
        yield engine


@contextmanager
def processes(count: int = 2) -> Iterator[Engine]:
    with ProcessPoolEngine(
        tasks(), configure=lambda app: None, references=[PLUGIN], processes=count
    ) as engine:
        yield engine


@contextmanager
def cluster(address: ClusterAddress) -> Iterator[CeleryEngine]:
    with CeleryEngine(
        tasks(), configure=lambda app: None, broker=address.broker, backend=address.backend
    ) as engine:
        yield engine


#: The worker that each cluster has.
WORKERS = {"celery": "worker", "rabbitmq": "rabbitmq_worker"}


@pytest.fixture(scope="package", params=["embedded", "processes", *WORKERS])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each engine in turn, started once."""
    if request.param in WORKERS:
        with cluster(request.getfixturevalue(WORKERS[request.param]).address) as running:
            yield running
    else:
        with {"embedded": embedded, "processes": processes}[request.param]() as running:
            yield running


@pytest.fixture(scope="module")
def redis_workplace(redis: Redis) -> Workplace:
    return workplace_on(redis.url(4), redis.url(5))


@pytest.fixture
def place(redis_workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A workplace on Redis where a run is known."""
    monkeypatch.setattr(turn, "POLL", 0.01)
    backend = redis_workplace.backend
    backend.client.flushdb()
    redis_workplace.queued()
    redis_workplace.ran.clear()
    backend.set(known_key(backend, ROOT), b"1")
    return redis_workplace
