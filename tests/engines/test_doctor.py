"""What ``doctor`` finds where something is really wrong: that, with its cure, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, time
from typing import Any

import pytest
from redis import Redis as RedisClient

from flowrunner import plan
from flowrunner.engines import server, workers
from flowrunner.engines.celery import CeleryEngine
from flowrunner.errors import Finding, UnfitClusterError
from tests.conftest import without
from tests.engines.plans import call, chain, group, planned, tasks
from tests.engines.services import ClusterAddress, Redis, Worker, free_port, redis_executable

#: (severity, check) → words of what is found, and of its cure.
Wrong = dict[tuple[str, str], tuple[str, str]]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker on a cluster where nothing is wrong."""
    if redis_executable() is None:
        without("redis-server")
    folder = tmp_path_factory.mktemp("sound")
    with Redis(folder, None, "--appendonly", "yes") as redis:
        address = ClusterAddress(redis.url(0), redis.url(1))
        with Worker(address, folder, "--prefetch-multiplier", "1", "-n", "one@here") as worker:
            yield worker


@pytest.fixture(autouse=True)
def _one_answer_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for others: there is one worker, or none, which is waited for briefly."""
    ask = workers.Workers.ask

    def ask_one(self: workers.Workers, question: str, **options: Any) -> Any:
        return ask(self, question, **{**options, "limit": 1})

    monkeypatch.setattr(workers.Workers, "ask", ask_one)


def engine_of(address: ClusterAddress, **conf: Any) -> CeleryEngine:
    return CeleryEngine(
        tasks(),
        configure=lambda app: app.conf.update(conf),
        broker=address.broker,
        backend=address.backend,
    )


def wrong(
    address: ClusterAddress,
    root: plan.Node | None = None,
    timeout: float | None = None,
    **conf: Any,
) -> list[Finding]:
    """Return the errors and warnings of a plan on a cluster."""
    engine = engine_of(address, **conf)
    needed = planned(root or call("tag"))
    object.__setattr__(needed, "timeout", timeout)
    found = engine.findings(engine.needs(needed))
    return [each for each in found if each.severity != "ok"]


def assert_found(findings: list[Finding], expected: Wrong) -> None:
    assert {(each.severity, each.check) for each in findings} == set(expected), findings
    for each in findings:
        what, cure = expected[each.severity, each.check]
        assert what in each.what
        assert cure in each.cure
        assert each.why


def test_nothing_is_wrong_where_nothing_is(sound: Worker) -> None:
    engine = engine_of(sound.address)
    found = engine.findings(engine.needs(planned(call("tag"))))
    assert {each.severity for each in found} == {"ok"}
    assert {each.check for each in found} >= {"workers", "queues", "tasks", "clocks", "versions"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
            {
                ("error", "memory policy"): (
                    "evicts keys when its memory is full: maxmemory-policy is allkeys-lru",
                    "CONFIG SET maxmemory-policy noeviction",
                )
            },
        ),
        (
            ["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"],
            {
                ("warning", "memory policy"): (
                    "maxmemory-policy is volatile-ttl",
                    "CONFIG SET maxmemory-policy noeviction",
                )
            },
        ),
        (
            [],
            {
                ("warning", "persistence"): (
                    "the Redis of the result backend stores nothing on disk",
                    "CONFIG SET appendonly yes",
                )
            },
        ),
        (
            ["--appendonly", "yes", "--replicaof", "127.0.0.1", "1"],
            {("error", "writes"): ("is a replica of 127.0.0.1", "name the primary")},
        ),
        (
            ["--appendonly", "yes", "--min-replicas-to-write", "1"],
            {("error", "writes"): ("takes no writes: NOREPLICAS", "start the replicas")},
        ),
        (
            ["--appendonly", "yes", "--rename-command", "CONFIG", ""],
            {},
        ),
        (
            ["--rename-command", "CONFIG", ""],
            {("warning", "persistence"): ("does not answer: unknown command", "look it up")},
        ),
    ],
    ids=[
        *("evicts everything", "evicts results", "keeps nothing", "replica", "no replicas"),
        *("tells little", "tells too little"),
    ],
)
def test_a_redis_that_is_configured_wrong(
    sound: Worker, tmp_path: Path, options: list[str], expected: Wrong
) -> None:
    with Redis(tmp_path, None, *options) as redis:
        assert_found(wrong(ClusterAddress(sound.address.broker, redis.url(0))), expected)


def test_a_broker_is_looked_at_as_well_as_a_backend(
    sound: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowrunner.engines.worker_report.WORKER_ANSWER", 0.1)
    # A volatile-* policy takes no messages, which do not expire.
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru")
    with Redis(tmp_path, None, "--appendonly", "yes", *options) as redis:
        found = wrong(ClusterAddress(redis.url(0), sound.address.backend))
        assert {each.check for each in found} == {"workers"}
        RedisClient(port=redis.port).config_set("maxmemory-policy", "allkeys-random")
        found = wrong(ClusterAddress(redis.url(0), sound.address.backend))
    assert {each.check for each in found} == {"workers", "memory policy"}


@pytest.mark.parametrize("database", [0, 1])  # a cluster has no database but 0, and says so
def test_a_redis_cluster(sound: Worker, tmp_path: Path, database: int) -> None:
    port = next(port for port in iter(free_port, None) if port < 55_535)  # it takes another one
    with Redis(tmp_path, port, "--cluster-enabled", "yes") as redis:
        found = wrong(ClusterAddress(redis.url(database), sound.address.backend))
    expected = {("error", "redis cluster"): ("is a node of a Redis Cluster", "a single Redis")}
    assert_found(found, expected)


@contextmanager
def silent_port() -> Iterator[int]:
    """Listen, accept, say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@contextmanager
def dead_port() -> Iterator[int]:
    yield free_port()


@pytest.mark.parametrize(
    ("port", "words"), [(dead_port, "Connection refused"), (silent_port, "it does not answer")]
)
@pytest.mark.parametrize("role", ["broker", "result backend"])
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_server_that_is_dead_or_hangs(
    sound: Worker,
    monkeypatch: pytest.MonkeyPatch,
    port: Callable[[], Any],
    words: str,
    role: str,
    scheme: str,
) -> None:
    if scheme == "amqp" and role != "broker":
        return
    if port is silent_port:
        monkeypatch.setattr(server, "PATIENCE", 0.3)
    with port() as number:
        url = f"{scheme}://me:secret@127.0.0.1:{number}/0"
        broker, backend = sound.address.broker, sound.address.backend
        address = ClusterAddress(url, backend) if role == "broker" else ClusterAddress(broker, url)
        started = monotonic()
        found = wrong(address)
    assert monotonic() - started < 5
    shown = url.replace("secret", "**")
    assert_found(found, {("error", role): (f"the {role} {shown} cannot be reached", "start it")})
    assert words in found[0].what


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("rpc://", "cannot run chords"),
        ("cache+memory://", "is each process's own memory"),
        ("file:///tmp", "cannot run chords, which workflows are made of, on its own"),
    ],
)
def test_a_backend_that_runs_no_chords(sound: Worker, backend: str, words: str) -> None:
    found = wrong(ClusterAddress(sound.address.broker, backend))
    assert_found(found, {("error", "chords"): (words, "--backend redis://")})


@pytest.mark.parametrize(
    ("timeout", "severity", "what"),
    [
        (7_200.0, "error", "result_expires is 20 min, and the run may take 2 h"),
        (None, "warning", "result_expires is 20 min"),
    ],
)
def test_results_that_expire_too_soon(
    sound: Worker, timeout: float | None, severity: str, what: str
) -> None:
    found = wrong(sound.address, timeout=timeout, result_expires=1_200)
    assert_found(found, {(severity, "result expiry"): (what, "set result_expires of app and")})


def test_a_queue_that_no_worker_consumes(sound: Worker) -> None:
    found = wrong(sound.address, group(call("tag"), call("tag", queue="gpu")))
    what = "no worker consumes the queue 'gpu', where task 'tag' goes (asked: one@here)"
    broker, backend = sound.address.broker, sound.address.backend
    line = f"flowrunner worker --broker {broker} --backend {backend} -Q gpu"
    assert_found(found, {("error", "queues"): (what, line)})


def test_tasks_that_no_worker_knows(sound: Worker) -> None:
    names = ["a", "b", "c", "d", "e"]
    found = wrong(sound.address, chain(*map(call, names)))
    what = "no worker knows the tasks 'a', 'b', 'c' and 2 more (asked: one@here)"
    assert_found(found, {("error", "tasks"): (what, "start workers with the plugins")})


def test_a_countdown_longer_than_the_visibility_timeout(sound: Worker) -> None:
    found = wrong(sound.address, chain(call("tag"), call("tag", countdown=7_200)))
    what = "task 'tag' waits (countdown) for 2 h, and the broker redelivers"
    assert_found(found, {("error", "redelivery"): (what, "visibility_timeout in the broker_tr")})
    assert "within 1 h (visibility_timeout)" in found[0].what


def test_a_visibility_timeout_that_differs_here(sound: Worker) -> None:
    options = {"visibility_timeout": 60}
    found = wrong(sound.address, broker_transport_options=options)
    what = "it is 1 min here and 1 h on one@here"
    assert_found(found, {("warning", "visibility timeout"): (what, "set one visibility_timeout")})


def test_a_clock_that_is_wrong(sound: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "time", lambda: time() - 100)
    found = wrong(sound.address)
    what = "the clock of the Redis of broker and result backend is 100 s ahead of this machine's"
    assert_found(found, {("warning", "clocks"): (what, "NTP")})


def test_a_cluster_without_a_worker(
    sound: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowrunner.engines.worker_report.WORKER_ANSWER", 0.2)
    with Redis(tmp_path, None, "--appendonly", "yes") as redis:
        address = ClusterAddress(redis.url(0), redis.url(1))
        line = f"flowrunner worker --broker {address.broker} --backend {address.backend}"
        found = wrong(address)
        assert_found(found, {("error", "workers"): (f"no worker answers on {redis.url(0)}", line)})
        # Somebody waits for messages there and does not answer.
        waiting = RedisClient(port=redis.port)
        waiting.connection_pool.get_connection().send_command("BRPOP", "celery", "0")
        (only,) = wrong(address)
    assert "though 1 wait for messages there" in only.what
    assert "switch worker_enable_remote_control on" in only.cure


def test_a_run_is_refused_for_an_error_and_warned_of_the_rest(
    sound: Worker, tmp_path: Path
) -> None:
    options = ("--maxmemory", "100mb", "--maxmemory-policy")
    with Redis(tmp_path / "..", None, *options, "allkeys-lru") as redis:
        engine = engine_of(ClusterAddress(sound.address.broker, redis.url(0)))
        with pytest.raises(UnfitClusterError, match="maxmemory-policy is allkeys-lru"):
            engine.__enter__()
        assert engine.warnings == ()
        RedisClient(port=redis.port).config_set("maxmemory-policy", "noeviction")
        with engine:
            for _ in range(2):
                engine.check(planned(call("tag")))
            assert [each.check for each in engine.warnings] == ["persistence"]
