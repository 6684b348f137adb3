"""The celery engine: a real broker, a real backend, a real worker; and what may be missing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from celery import states
from celery.backends.redis import RedisBackend
from hypothesis import given, settings
from redis import Redis as RedisClient

from flowrunner import plan
from flowrunner.engines import follower, lost_calls
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.protocol import RunLostError, RunStalledError, RunTimeoutError
from flowrunner.engines.publication import Publication
from flowrunner.engines.whereabouts import Whereabouts, whereabouts
from flowrunner.errors import BrokerError
from flowrunner.password import without_password
from flowrunner.semantics import Failure, evaluate
from tests.conftest import EXAMPLES
from tests.engines.conftest import cluster
from tests.engines.plans import (
    HANG,
    await_file,
    call,
    chain,
    chord,
    group,
    in_background,
    planned,
    run,
)
from tests.engines.services import ClusterAddress, Redis, Worker
from tests.shapes import call_task, shapes


@pytest.fixture(scope="module")
def engine(worker: Worker) -> Iterator[CeleryEngine]:
    with cluster(worker.address) as running:
        yield running


@pytest.fixture
def own_redis(redis: Redis, tmp_path: Path) -> Iterator[Redis]:
    """A server that a test may restart."""
    with Redis(tmp_path) as server:
        yield server


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@settings(max_examples=max(EXAMPLES // 20, 5))
@given(tree=shapes())
def test_random_shapes_have_their_value(engine: CeleryEngine, tree: plan.Node) -> None:
    expected = evaluate(tree, call_task)
    assert not isinstance(expected, Failure)
    assert run(engine, tree).value == expected


def test_a_broker_that_is_not_there_is_named_without_its_password(redis: Redis) -> None:
    url = f"redis://user:secret@127.0.0.1:{refused_port()}/0"
    started = monotonic()
    with pytest.raises(BrokerError) as caught, cluster(ClusterAddress(url, redis.url(1))):
        pass
    assert monotonic() - started < 10
    assert str(caught.value).startswith(f"the broker {url.replace('secret', '**')} cannot be")
    assert "secret" not in str(caught.value)


def test_a_backend_that_is_not_there_is_named_without_its_password(redis: Redis) -> None:
    url = f"redis://user:secret@127.0.0.1:{refused_port()}/0"
    started = monotonic()
    with pytest.raises(BrokerError) as caught, cluster(ClusterAddress(redis.url(0), url)):
        pass
    assert monotonic() - started < 10
    assert str(caught.value).startswith(f"the result backend {url.replace('secret', '**')} cannot")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("broker", "backend", "words"),
    [
        ("nonsense://host", None, r"the broker nonsense://host cannot be reached"),
        ("redis://:pass@no-such-host.invalid/0", None, r"the broker redis://:\*\*@no-such-host"),
        (None, "nonsense://host", r"the result backend nonsense://host cannot be reached"),
        (None, "rpc://", r"the result backend rpc:// cannot run chords.*redis://"),
        (None, "cache+memory://", r"the result backend cache\+memory:// is each process's own"),
        (None, "disabled://", r"the result backend disabled:// cannot run chords"),
        (None, "redis://127.0.0.1:{port}/99", r"the result backend .*/99 cannot be reached"),
    ],
)
def test_what_cannot_be_used_is_named(
    redis: Redis, broker: str | None, backend: str | None, words: str
) -> None:
    address = ClusterAddress(
        broker or redis.url(0), (backend or redis.url(1)).format(port=redis.port)
    )
    with pytest.raises(BrokerError, match=words), cluster(address):
        pass


@pytest.mark.parametrize(
    ("shown", "url"),
    [
        ("redis://:**@host/0", "redis://:secret@host/0"),
        ("amqp://me:**@host//", "amqp://me:se:c@ret@host//"),
        ("sentinel://:**@a:1;sentinel://:**@b:2", "sentinel://:secret@a:1;sentinel://:secret@b:2"),
        ("redis+socket:///tmp/s?password=**&x=1", "redis+socket:///tmp/s?password=secret&x=1"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("nothing: like@a URL", "nothing: like@a URL"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_a_cluster_without_a_worker_is_said_so(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowrunner.engines.workers.WORKER_ANSWER", 1.0)
    address = ClusterAddress(redis.url(4), redis.url(5))
    with cluster(address) as engine, pytest.raises(BrokerError) as caught:
        engine.check(planned(call("tag")))
    assert "no worker answers on redis://" in str(caught.value)
    assert f"flowrunner worker --broker {address.broker} --backend {address.backend}" in str(
        caught.value
    )


def test_a_task_that_no_worker_knows_is_refused_before_anything_is_queued(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowrunner.engines.workers.WORKER_ANSWER", 1.0)
    with pytest.raises(BrokerError, match="no worker knows the task 'unheard-of'"):
        engine.check(planned(chain(call("tag"), call("unheard-of"))))


def test_a_queue_that_no_worker_consumes_is_refused_before_anything_is_queued(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowrunner.engines.workers.WORKER_ANSWER", 1.0)
    with pytest.raises(BrokerError, match=r"no worker consumes the queue 'gpu'.* -Q gpu"):
        engine.check(planned(group(call("tag"), call("tag", queue="gpu"))))


def test_a_task_that_a_worker_turns_out_not_to_know_fails(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "check", lambda plan: None)
    ran = run(engine, chord([call("unheard-of"), call("tag", 1)], call("tag")))
    assert ran.errors["root.header.0"].type == "NotRegistered"
    assert "unheard-of" in ran.errors["root.header.0"].message
    assert str(ran.errors["root.header.0"].worker).startswith("celery@")
    assert ran.states["root.header.1"] == "SUCCESS"


@pytest.mark.parametrize("task", ["legacy.ignores", "legacy.rejects"])
def test_a_task_that_leaves_no_result_fails(
    engine: CeleryEngine, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_calls, "LOST_AFTER", 0.1)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.2)
    ran = run(engine, chord([call(task), call("tag", 1)], call("tag")))
    assert set(ran.errors) == {"root.header.0"}
    assert ran.errors["root.header.0"].type in ("TaskLostError", "Reject")
    assert ran.states["root.header.1"] == "SUCCESS"


def test_a_task_that_takes_its_time_is_not_taken_for_lost(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lost_calls, "LOST_AFTER", 0.01)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.1)
    answers: list[Whereabouts] = []

    def observed(*asked: Any) -> Whereabouts:
        answers.append(whereabouts(*asked))
        if len(answers) == 3:
            (tmp_path / "until").touch()
        return answers[-1]

    monkeypatch.setattr(lost_calls, "whereabouts", observed)
    ran = run(engine, call("waits_for", str(tmp_path / "here"), str(tmp_path / "until")))
    assert ran.errors == {}
    assert all(len(answer.at_workers) == 1 for answer in answers[:3])


def test_a_task_whose_worker_was_killed_and_started_again_is_lost(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_calls, "LOST_AFTER", 0.1)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.2)
    address = ClusterAddress(redis.url(6), redis.url(7))
    here = tmp_path / "here"
    root = call("waits_once", str(here), str(tmp_path / "never"))
    with (
        Worker(address, tmp_path) as first,
        cluster(address) as engine,
        in_background(engine, root) as result,
    ):
        await_file(here)
        first.die()
        with Worker(address, tmp_path):
            ran = result()
    assert ran.errors["root"].type == "TaskLostError"
    assert "celery@" in ran.errors["root"].message
    assert str(ran.errors["root"].worker).startswith("celery@")


def test_a_time_limit_names_the_worker_that_kept_it(redis: Redis, tmp_path: Path) -> None:
    address = ClusterAddress(redis.url(6), redis.url(7))
    waits = call("waits_for", str(tmp_path / "here"), str(tmp_path / "never"), time_limit=1)
    dies = call("kills_itself")
    with (
        Worker(address, tmp_path, "--pool", "prefork", "--hostname", "forks@here") as worker,
        cluster(address) as engine,
    ):
        ran = run(engine, group(waits, dies, call("tag", 1)))
        worker.process.terminate()  # killed, it would leave its processes behind
        worker.process.wait(HANG)
    found = {path: (error.type, error.worker) for path, error in ran.errors.items()}
    assert found == {
        "root.0": ("TimeLimitExceeded", "forks@here"),
        "root.1": ("TaskLostError", "forks@here"),  # it is run again, and kills its worker again
    }


def test_a_tasks_own_queue_is_asked_for(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowrunner.engines.workers.WORKER_ANSWER", 1.0)
    with pytest.raises(BrokerError, match=r"no worker consumes the queue 'printer', where task"):
        engine.check(planned(group(call("tag"), call("legacy.prints"))))


def test_a_run_goes_on_when_its_connections_drop(
    engine: CeleryEngine, redis: Redis, tmp_path: Path
) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    with in_background(
        engine, chain(call("waits_for", str(here), str(until)), call("tag", 1))
    ) as result:
        await_file(here)
        RedisClient(port=redis.port).client_kill_filter(_type="normal", skipme=True)
        until.touch()
        assert result().errors == {}


def test_a_run_goes_on_when_redis_is_restarted_and_keeps_its_data(
    own_redis: Redis, tmp_path: Path
) -> None:
    address = ClusterAddress(own_redis.url(0), own_redis.url(1))
    here, until = tmp_path / "here", tmp_path / "until"
    with (
        Worker(address, tmp_path),
        cluster(address) as engine,
        in_background(engine, call("waits_for", str(here), str(until))) as result,
    ):
        await_file(here)
        RedisClient(port=own_redis.port).shutdown(save=True)
        own_redis.process.wait()
        with Redis(tmp_path, own_redis.port):
            until.touch()
            assert result().errors == {}


def test_a_run_fails_when_redis_comes_back_without_its_data(
    own_redis: Redis, tmp_path: Path
) -> None:
    address = ClusterAddress(own_redis.url(0), own_redis.url(1))
    here, until = tmp_path / "here", tmp_path / "until"
    with Worker(address, tmp_path), cluster(address) as engine:
        with in_background(engine, call("waits_for", str(here), str(until))) as result:
            await_file(here)
            RedisClient(port=own_redis.port).flushall()
            with pytest.raises(RunLostError, match="has lost what it stored of this run"):
                result()
        until.touch()


def test_a_backend_that_stays_away_ends_the_run(
    own_redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "RECONNECT_FOR", 0.1)
    address = ClusterAddress(own_redis.url(0), own_redis.url(1))
    here, until = tmp_path / "here", tmp_path / "until"
    with Worker(address, tmp_path), cluster(address) as engine:
        with in_background(engine, call("waits_for", str(here), str(until))) as result:
            await_file(here)
            own_redis.process.kill()
            with pytest.raises(BrokerError, match=r"has been away for 0\.1 s"):
                result()
        until.touch()


def test_no_result_is_subscribed_to(engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribed: list[Any] = []
    monkeypatch.setattr(
        RedisBackend.ResultConsumer,
        "consume_from",
        lambda self, task_id: subscribed.append(task_id),
    )
    assert run(engine, chord([call("tag", n) for n in range(3)], call("tag"))).errors == {}
    assert subscribed == []


@pytest.mark.parametrize("ended", [states.SUCCESS, states.FAILURE, states.REVOKED])
def test_a_retry_that_is_stored_late_does_not_hide_how_its_task_has_ended(
    engine: CeleryEngine, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, task_id = engine._app.backend, str(uuid4())
    backend.store_result(task_id, ValueError("why") if ended != states.SUCCESS else 1, ended)
    # What Celery saw when it looked whether it may store: the next try had not ended yet.
    monkeypatch.setattr(backend, "_get_task_meta_for", lambda _: {"status": states.PENDING})
    backend.store_result(task_id, ValueError("not yet"), states.RETRY)
    monkeypatch.undo()
    assert backend.get_state(task_id) == ended


def test_a_retry_is_stored_while_its_task_goes_on(engine: CeleryEngine) -> None:
    backend, task_id = engine._app.backend, str(uuid4())
    for state in (states.STARTED, states.RETRY, states.STARTED, states.RETRY):
        backend.store_result(task_id, ValueError("no") if state == states.RETRY else {}, state)
        assert backend.get_state(task_id) == state


def test_a_run_of_which_nothing_is_anywhere_has_stalled(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant in ("LOST_AFTER", "COMES_AGAIN_WITHIN"):
        monkeypatch.setattr(lost_calls, constant, 0.1)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.2)
    monkeypatch.setattr(Publication, "publish", lambda self, sections: None)
    with pytest.raises(RunStalledError, match=r"stalled: .* come from root\.0, root\.1$"):
        run(engine, group(call("tag"), call("tag")))


def test_a_run_that_waits_in_a_queue_has_not_stalled(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant in ("LOST_AFTER", "COMES_AGAIN_WITHIN"):
        monkeypatch.setattr(lost_calls, constant, 0.05)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.1)
    with cluster(worker.address) as engine:
        monkeypatch.setattr(engine, "check", lambda plan: None)
        with pytest.raises(RunTimeoutError):
            run(engine, call("tag", queue="nobody-consumes-this"), timeout=1.5)
