"""Runs on RabbitMQ's quorum queues: what the broker drops, and what it holds for a countdown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from flowrunner.engines import lost_calls
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.needs import needs_of_registry
from flowrunner.engines.protocol import RunStalledError
from flowrunner.plugins import PluginReference, load_plugins
from tests.engines.plans import HANG, call, chain, chord, in_background, run
from tests.engines.quorum_plugin import DELIVERY_LIMIT
from tests.engines.rabbitmq import RabbitMQ
from tests.engines.services import ClusterAddress, OwnWorker, Redis

PLUGIN = PluginReference(str(Path(__file__).with_name("quorum_plugin.py")), "the tests")


@pytest.fixture(scope="module")
def worker(
    rabbitmq: RabbitMQ, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnWorker]:
    address = ClusterAddress(rabbitmq.url(), redis.url(14))
    with OwnWorker(
        address,
        tmp_path_factory.mktemp("quorum-worker"),
        environment={"FLOWRUNNER_PLUGINS": PLUGIN.name},
    ) as running:
        yield running


@pytest.fixture
def engine(worker: OwnWorker) -> Iterator[CeleryEngine]:
    plugins = load_plugins([PLUGIN])
    with CeleryEngine(
        plugins.tasks(),
        configure=plugins.configure_app,
        broker=worker.address.broker,
        backend=worker.address.backend,
    ) as running:
        yield running


def await_lines(log: Path, count: int) -> None:
    deadline = monotonic() + HANG
    while not log.exists() or len(log.read_text().splitlines()) < count:
        assert monotonic() < deadline
        sleep(0.01)


def test_a_run_whose_message_the_broker_drops_fails_as_stalled(
    engine: CeleryEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_calls, "LOST_AFTER", 0.2)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.2)
    log = tmp_path / "log"
    root = chord([call("add", 1), call("kill_worker", str(log))], call("add"))
    with in_background(engine, root) as result:
        await_lines(log, DELIVERY_LIMIT + 1)
        monkeypatch.setattr(lost_calls, "COMES_AGAIN_WITHIN", 0.5)
        with pytest.raises(RunStalledError, match=r"no result has come from root\.header\.1"):
            result()
    assert len(log.read_text().splitlines()) == DELIVERY_LIMIT + 1


@pytest.mark.parametrize("queue", ["quorum", "delayed"])
def test_a_countdown_and_a_retry_on_a_quorum_queue_are_waited_for(
    engine: CeleryEngine, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where RabbitMQ holds the message, and neither a queue nor a worker tells of it."""
    for constant in ("LOST_AFTER", "COMES_AGAIN_WITHIN"):
        monkeypatch.setattr(lost_calls, constant, 0.2)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.2)
    root = chain(
        call("add", 1, queue=queue),
        call("add", 2, queue=queue, countdown=5),
        call("retry_later", immutable=True, queue=queue),
    )
    ran = run(engine, root)
    assert (ran.value, ran.errors) == (1, {})


def test_a_limit_of_redeliveries_is_reported(engine: CeleryEngine) -> None:
    found = engine.findings(needs_of_registry(engine._app, load_plugins([PLUGIN]).tasks()))
    (finding,) = (each for each in found if each.check == "redeliveries")
    assert finding.severity == "warning"
    assert f"drops a message after {DELIVERY_LIMIT} redeliveries" in finding.what
