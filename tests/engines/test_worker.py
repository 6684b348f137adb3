"""``flowrunner worker``: what it does when processes are killed, asked to end, or die."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import Celery
from celery.concurrency.prefork import TaskPool
from redis import Redis as RedisClient

from flowrunner import plan
from flowrunner.engines import result_backend
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.protocol import task_ids
from flowrunner.engines.worker_app import Worker, WorkerSetup
from flowrunner.engines.worker_process import _pause
from flowrunner.engines.worker_settings import NEEDED, REDIS_TRANSPORT, SETTINGS, apply_settings
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.unfolding import Unfolding
from tests.engines.conftest import cluster
from tests.engines.plans import (
    HANG,
    PLUGIN,
    await_file,
    call,
    chord,
    in_background,
    planned,
    run,
)
from tests.engines.services import ROOT, ClusterAddress, OwnWorker, Redis


@pytest.fixture(scope="module")
def address(redis: Redis) -> ClusterAddress:
    return ClusterAddress(redis.url(12), redis.url(13))


@pytest.fixture
def own(address: ClusterAddress, tmp_path: Path) -> Iterator[OwnWorker]:
    for url in (address.broker, address.backend):
        RedisClient.from_url(url).flushdb()
    with OwnWorker(address, tmp_path) as worker:
        yield worker


def unacknowledged(address: ClusterAddress) -> int:
    return int(RedisClient.from_url(address.broker).hlen("unacked"))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    return tmp_path / "here", tmp_path / "until", tmp_path / "log"


Files = tuple[Path, Path, Path]


def waiting_chord(files: Files) -> Any:
    here, until, log = files
    waits = call("waits_for", str(here), str(until))
    return chord([waits, call("tag", 1)], call("appends", str(log)))


def test_a_task_whose_process_is_killed_runs_again(own: OwnWorker, files: Files) -> None:
    here, until, log = files
    with cluster(own.address) as engine, in_background(engine, waiting_chord(files)) as result:
        await_file(here)
        here.unlink()
        for child in own.children():
            os.kill(child, signal.SIGKILL)
        await_file(here)
        until.touch()
        assert result().errors == {}
    assert len(log.read_text().splitlines()) == 1
    assert own.stop() == 0
    assert unacknowledged(own.address) == 0


def test_a_task_whose_worker_is_killed_runs_on_the_next_one(
    own: OwnWorker, files: Files, tmp_path: Path
) -> None:
    here, until, log = files
    with cluster(own.address) as engine, in_background(engine, waiting_chord(files)) as result:
        await_file(here)
        here.unlink()
        own.process.kill()
        own.process.wait()
        with OwnWorker(own.address, tmp_path) as following:
            await_file(here)  # not after an hour, as Redis would have it
            until.touch()
            assert result().errors == {}
            assert following.stop() == 0
    assert len(log.read_text().splitlines()) == 1
    assert unacknowledged(own.address) == 0


@contextmanager
def watched_run(
    engine: CeleryEngine, ready: plan.Plan, run_id: UUID
) -> Iterator[Callable[[], Unfolding]]:
    """Start a run in a thread; what this yields waits for it and returns its ledger."""
    ledger = ledger_of(ready)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(engine.run, ready, run=run_id, ledger=ledger, timeout=HANG)

        def result() -> Unfolding:
            future.result(HANG)
            return ledger

        yield result


def test_a_task_that_is_terminated_ends_as_revoked_and_frees_its_place(
    own: OwnWorker, files: Files
) -> None:
    here, _, log = files
    ready, run_id = planned(waiting_chord(files)), uuid4()
    with cluster(own.address) as engine, watched_run(engine, ready, run_id) as result:
        await_file(here)
        here.unlink()
        engine.cancel(ready, run=run_id, terminate=True)
        ledger = result()
        assert ledger.steps["root.header.0"].state == "REVOKED"
        backend = engine._app.backend
        task_id = task_ids(ready, run_id)["root.header.0"]
        assert backend.get_state(task_id) == "REVOKED"
        assert [run(engine, call("tag", n)).value for n in range(3)] == [[0], [1], [2]]
        assert not backend.client.keys(f"*lease-{task_id}")
    assert own.stop() == 0
    assert not here.exists()
    assert not log.exists()
    assert unacknowledged(own.address) == 0


def test_a_restart_of_redis_ends_neither_worker_nor_task(tmp_path: Path, files: Files) -> None:
    here, until, log = files
    with Redis(tmp_path, appendonly=True) as server:
        address = ClusterAddress(server.url(0), server.url(1))
        own = OwnWorker(address, tmp_path)
        with (
            own,
            cluster(address) as engine,
            in_background(engine, waiting_chord(files)) as result,
        ):
            await_file(here)
            server.process.terminate()
            server.process.wait()
            with Redis(tmp_path, port=server.port, appendonly=True):
                until.touch()
                assert result().errors == {}
                assert run(engine, call("tag", 1)).value == [1]
                assert own.stop() == 0
                assert unacknowledged(address) == 0
    assert len(log.read_text().splitlines()) == 1
    assert "Unrecoverable error" not in "".join(own.output)


DIES = """
from pathlib import Path
from celery import bootsteps
from flowrunner import hookimpl

class Dies(bootsteps.StartStopStep):
    requires = {"celery.worker.consumer.tasks:Tasks"}

    def register_with_event_loop(self, c, hub):
        def look():
            if Path("die").exists():
                Path("die").unlink()
                hub.call_soon(die)

        def die():
            raise RuntimeError("as planned")

        hub.call_repeatedly(0.05, look)

@hookimpl
def flowrunner_configure_app(app):
    app.conf.worker_soft_shutdown_timeout = 0.2
    app.steps["consumer"].add(Dies)
"""


def test_a_worker_that_dies_starts_again_in_the_same_process(
    address: ClusterAddress, tmp_path: Path, files: Files
) -> None:
    here, until, log = files
    (tmp_path / "dies.py").write_text(DIES)
    plugins = {"FLOWRUNNER_PLUGINS": os.pathsep.join(["dies.py", PLUGIN.name])}
    own = OwnWorker(address, tmp_path, environment=plugins)
    with own, cluster(address) as engine:
        with in_background(engine, waiting_chord(files)) as result:
            await_file(here)
            here.unlink()
            (tmp_path / "die").touch()
            own.wait_for("The worker has died: RuntimeError('as planned')")
            await_file(here)  # what ran does so again: it has not ended in time
            until.touch()
            assert result().errors == {}
        assert run(engine, call("tag", 1)).value == [1]
        assert own.stop() == 0
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("before", "ran", "pause"),
    [(None, 5, 1), ("1", 5, 2), ("2", 5, 4), ("16", 5, 30), ("30", 5, 30), ("30", 61, 1)],
)
def test_the_pause_grows_until_the_worker_has_run_well(
    before: str | None, ran: float, pause: float
) -> None:
    environment = {} if before is None else {"FLOWRUNNER_WORKER_PAUSE": before}
    assert _pause(environment, ran=ran) == pause


def app_with(**settings: Any) -> Celery:
    app = Celery("shop", broker="redis://", backend="redis://", set_as_current=False)
    app.conf.update(settings)
    return app


def test_what_an_app_says_itself_holds() -> None:
    app = app_with(
        task_acks_late=False,
        worker_prefetch_multiplier=8,
        broker_transport_options={"visibility_timeout": 60, "socket_timeout": 3},
    )
    assert apply_settings(app, broker=None) == []
    assert app.conf.task_acks_late is False
    assert app.conf.worker_prefetch_multiplier == 8
    assert app.conf.task_reject_on_worker_lost is True
    expected = {name: setting.value for name, setting in REDIS_TRANSPORT.items()}
    expected |= {"visibility_timeout": 60, "socket_timeout": 3}
    assert app.conf.broker_transport_options == expected


def test_what_runs_need_holds_and_is_told() -> None:
    app = app_with(worker_enable_remote_control=False, accept_content=["pickle"])
    remarks = apply_settings(app, broker=None)
    assert app.conf.worker_enable_remote_control is True
    assert app.conf.accept_content == ["pickle", "json"]
    assert [remark.partition(" ")[0] for remark in remarks] == [
        "worker_enable_remote_control",
        "accept_content",
    ]


def test_other_brokers_have_no_options_of_redis() -> None:
    app = app_with(broker_url="amqp://")
    apply_settings(app, broker=None)
    assert app.conf.broker_transport_options == {}


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        ([[3, b"0", b"3", 0], [3, b"0", b"3", 0], [3, b"0", b"3", 1]], 2),
        ([[3, b"0", b"3", 0], [-1, None, None, 0]], 1),
        ([[2, b"0", b"3", 0]], 0),
        ([[3, b"0", b"3", 1]], 0),
    ],
    ids=["its claim has lapsed", "it has gone on", "a member is missing", "nobody has claimed it"],
)
def test_the_last_member_of_a_chord_outlasts_the_claim_of_a_dead_worker(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], last: int
) -> None:
    monkeypatch.setattr(result_backend, "LOOK_EVERY", 0)
    left = iter(answers)
    returned = result_backend.outlasting_claims(lambda: lambda **_: next(left))
    assert returned(keys=[]) == answers[last]


def test_what_a_task_queues_next_outlasts_a_restart_of_the_broker() -> None:
    policy = SETTINGS["task_publish_retry_policy"].value
    step, longest = policy["interval_step"], policy["interval_max"]
    waits = (min(count * step, longest) for count in range(policy["max_retries"]))
    assert sum(waits) > 10


def test_every_setting_is_in_the_documentation_with_its_reason() -> None:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for name, setting in {**SETTINGS, **NEEDED, **REDIS_TRANSPORT}.items():
        told = [row for row in rows if f"`{name}`" in row]
        assert any(row.endswith(f" | {setting.reason} |") for row in told), name


def test_the_banner_says_what_the_worker_is_without_passwords() -> None:
    app = app_with(
        broker_url="redis://me:secret@broker/0", result_backend="redis://:secret@store/1"
    )
    app.finalize()
    for name in set(app.tasks) - {"flowrunner.continue", "celery.map"}:
        del app.tasks[name]  # other tests share tasks of theirs with every app
    worker = SimpleNamespace(
        app=app,
        hostname="flowrunner-1@host",
        setup=WorkerSetup(plugins=["plugins/arithmetic.py"]),
        pool_cls=TaskPool,
        concurrency=4,
    )
    first, *lines = Worker.banner(worker).splitlines()  # type: ignore[arg-type]
    assert first.endswith("worker flowrunner-1@host")
    assert lines == [
        "  broker   redis://me:**@broker/0",
        "  backend  redis://:**@store/1",
        "  queues   celery",
        "  pool     prefork, 4 at a time",
        "  plugins  plugins/arithmetic.py",
        "  tasks    1: flowrunner.continue",
    ]
