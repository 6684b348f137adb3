"""A value of the environment is in the messages of a run and nowhere else."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from typing import Any
from uuid import uuid4, uuid5

import pytest
from celery import Celery
from redis import Redis as RedisClient

from flowrunner import plan
from flowrunner.cli.main import main
from flowrunner.engines.canvas import lower_to_canvas
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.protocol import Engine
from flowrunner.engines.secret_arguments import SECRETS
from flowrunner.errors import BrokerError, WorkflowError
from flowrunner.plan import Secret
from flowrunner.planner.continuations import WORTH_CONTINUING, sequence_of
from flowrunner.runs.run_ledger import ledger_of
from tests.engines.conftest import cluster, embedded
from tests.engines.plans import HANG, PLUGIN, Ran, call, chain, group, planned, tasks
from tests.engines.services import ClusterAddress, Redis, Worker
from tests.engines.workplace import ROOT, workplace_on
from tests.shapes import HERE

PLANTED = "hunter2-planted-in-the-environment"
SECRET = Secret("${env.FLOWRUNNER_TEST_TOKEN}", HERE)
BEARER = {"authorization": Secret("Bearer ${env.FLOWRUNNER_TEST_TOKEN}", HERE)}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWRUNNER_TEST_TOKEN", PLANTED)


def ready(root: plan.Node) -> plan.Plan:
    return replace(planned(root), env=("FLOWRUNNER_TEST_TOKEN",))


def run(engine: Engine, root: plan.Node) -> Ran:
    plan = ready(root)
    ledger = ledger_of(plan)
    return Ran(engine.run(plan, run=uuid4(), ledger=ledger, timeout=HANG), ledger)


#: Its value, and that of what comes after it.
STEPS = chain(
    group(call("measures", SECRET), call("measures", [BEARER], immutable=True)),
    call("measures", SECRET),
)
VALUE = len(f"[{len(PLANTED)}, {len(str([{'authorization': f'Bearer {PLANTED}'}]))}]") + len(
    PLANTED
)


def test_the_embedded_engine_puts_it_in_and_tells_it_nowhere(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with embedded() as engine:
        assert run(engine, STEPS).value == VALUE
        failed = run(engine, chain(call("tells", SECRET, BEARER)))
    (error,) = failed.errors.values()
    assert error.message == (
        "refused: ('${env.FLOWRUNNER_TEST_TOKEN}', "
        "{'authorization': 'Bearer ${env.FLOWRUNNER_TEST_TOKEN}'})"
    )
    assert PLANTED not in error.traceback
    assert PLANTED not in caplog.text
    assert PLANTED not in "".join(capfd.readouterr())


WORKFLOW = """
env: [FLOWRUNNER_TEST_TOKEN]
chain:
- {task: measures, args: ["${env.FLOWRUNNER_TEST_TOKEN}"]}
- use: used.yaml
  with: {key: "Bearer ${env.FLOWRUNNER_TEST_TOKEN}", given: 3}
- graph:
    one: {task: measures, immutable: true, args: [{k: "${env.FLOWRUNNER_TEST_TOKEN}"}]}
    two: {task: tells, kwargs: {}, args: ["${env.FLOWRUNNER_TEST_TOKEN}"], needs: [one]}
on_error: {task: tag}
finally: {task: measures, args: ["${env.FLOWRUNNER_TEST_TOKEN}"]}
"""
USED = """
inputs: {key: {type: string}, given: 0}
task: measures
args: ["${inputs.key}", "${inputs.given}"]
"""


@pytest.mark.parametrize("where", ["embedded", "celery"])
def test_the_command_line_neither_prints_nor_records_it(
    where: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWRUNNER_PLUGINS", PLUGIN.name)
    monkeypatch.setenv("FLOWRUNNER_RUNS", str(tmp_path / "runs.sqlite3"))
    kept: list[bytes] = []
    if where == "celery":
        address = request.getfixturevalue("worker").address
        monkeypatch.setenv("FLOWRUNNER_BROKER", address.broker)
        monkeypatch.setenv("FLOWRUNNER_BACKEND", address.backend)
    Path("main.yaml").write_text(WORKFLOW)
    Path("used.yaml").write_text(USED)
    said: list[str] = []
    for code, *arguments in (
        (0, "graph", "main.yaml", "--expand"),
        (0, "graph", "main.yaml", "--format", "json"),
        (0, "graph", "main.yaml", "--format", "mermaid"),
        (0, "apply", "main.yaml", "--dry-run"),
        (1, "apply", "main.yaml", "--output", "json"),
        (0, "show", "last"),
        (0, "show", "last", "--output", "json"),
        (0, "resume", "last", "--dry-run"),
        (1, "resume", "last"),
    ):
        assert main(arguments) == code, arguments
        said += capfd.readouterr()
    assert any("refused: " in text for text in said)
    assert any("${env.FLOWRUNNER_TEST_TOKEN}" in text for text in said)
    if where == "celery":
        kept += [*kept_in(address.broker), *kept_in(address.backend)]
    else:
        with closing(connect("runs.sqlite3")) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                for row in database.execute(f"SELECT * FROM {table}"):
                    kept += (
                        each if isinstance(each, bytes) else str(each).encode() for each in row
                    )
    told = "".join(said).encode() + b"".join(map(whole, kept))
    assert b"FLOWRUNNER_TEST_TOKEN" in b"".join(map(whole, kept))
    assert PLANTED.encode() not in told


def whole(stored: bytes) -> bytes:
    """Return what is stored, and what it is when it is no longer packed."""
    try:
        return stored + zlib.decompress(stored)
    except zlib.error:
        return stored


def kept_in(url: str) -> Iterator[bytes]:
    """Yield all that a Redis database holds."""
    client = RedisClient.from_url(url)
    for key in client.keys("*"):
        yield key
        kind = client.type(key).decode()
        read: Any = {
            "none": lambda _: [],  # it has expired
            "string": lambda key: [client.get(key)],
            "list": lambda key: client.lrange(key, 0, -1),
            "set": client.smembers,
            "hash": lambda key: [*client.hgetall(key), *client.hgetall(key).values()],
            "zset": lambda key: client.zrange(key, 0, -1),
        }[kind]
        yield from read(key)


def test_on_a_cluster_neither_the_backend_nor_the_workers_log_has_it(worker: Worker) -> None:
    with cluster(worker.address) as engine:
        assert run(engine, STEPS).value == VALUE
        failed = run(engine, chain(call("tells", SECRET, BEARER)))
        again = run(engine, chain(call("legacy.never_with", SECRET)))
    for ran in (failed, again):
        (error,) = ran.errors.values()
        assert "refused" in error.message
        assert PLANTED not in error.message + error.traceback
    kept = [*kept_in(worker.address.broker), *kept_in(worker.address.backend)]
    assert any(b"refused" in each for each in kept)
    assert not [each for each in kept if PLANTED.encode() in each]
    assert any("refused" in line for line in worker.output)
    assert PLANTED not in "".join(worker.output)


def test_celery_shows_names_in_place_of_values() -> None:
    app = Celery(set_as_current=False)
    written = replace(
        call("work", SECRET, 2, queue="slow", headers={"mine": 1}),
        path="task",
        kwargs={"k": BEARER},
    )
    canvas = lower_to_canvas((written,), app=app, task_ids=lambda each: each.path)
    signature = canvas.start
    assert signature.args == (PLANTED, 2)
    assert signature.kwargs == {"k": {"authorization": f"Bearer {PLANTED}"}}
    assert signature.options == {
        "task_id": "task",
        "queue": "slow",
        "argsrepr": "('${env.FLOWRUNNER_TEST_TOKEN}', 2)",
        "kwargsrepr": "{'k': {'authorization': 'Bearer ${env.FLOWRUNNER_TEST_TOKEN}'}}",
        "headers": {
            "mine": 1,
            "flowrunner_secrets": [
                ["Bearer ${env.FLOWRUNNER_TEST_TOKEN}", "k", "authorization"],
                ["${env.FLOWRUNNER_TEST_TOKEN}", -2],
            ],
            "flowrunner_secret_parts": [
                ["${env.FLOWRUNNER_TEST_TOKEN}", 7, 7 + len(PLANTED), "k", "authorization"],
            ],
        },
    }


def test_a_task_that_is_queued_again_shows_no_more(redis: Redis) -> None:
    place = workplace_on(redis.url(4), redis.url(5))
    place.queued()
    task = place.app.tasks["work"]
    hidden = {SECRETS: [["${env.X}", -1]], "argsrepr": "('${env.X}',)", "kwargsrepr": "{}"}
    task.push_request(id=str(uuid5(ROOT, "again")), args=(PLANTED,), kwargs={}, **hidden)
    try:
        task.signature_from_request(countdown=1).apply_async()
    finally:
        task.pop_request()
    client = RedisClient.from_url(place.app.conf.broker_url)
    (message,) = client.lrange("celery", 0, -1)
    headers = json.loads(message)["headers"]
    assert (headers["argsrepr"], headers["kwargsrepr"]) == ("('${env.X}',)", "{}")
    place.queued()


def test_a_run_with_secrets_is_watched_where_they_are_not_known(
    worker: Worker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWRUNNER_PLUGINS", PLUGIN.name)
    monkeypatch.setenv("FLOWRUNNER_BROKER", worker.address.broker)
    monkeypatch.setenv("FLOWRUNNER_BACKEND", worker.address.backend)
    text = "{env: [FLOWRUNNER_TEST_TOKEN], task: measures, args: ['${env.FLOWRUNNER_TEST_TOKEN}']"
    Path("main.yaml").write_text(f"{text}, finally: tag}}")
    assert main(["apply", "main.yaml", "--detach"]) == 2
    assert "may need FLOWRUNNER_TEST_TOKEN from the environment" in capfd.readouterr().err
    Path("main.yaml").write_text(f"{text}}}")
    assert main(["apply", "main.yaml", "--detach"]) == 0
    monkeypatch.delenv("FLOWRUNNER_TEST_TOKEN")
    capfd.readouterr()
    assert main(["watch", "last"]) == 0
    assert capfd.readouterr().out == f"{len(PLANTED)}\n"
    assert main(["apply", "main.yaml"]) == 2
    assert "'FLOWRUNNER_TEST_TOKEN' is not set" in capfd.readouterr().err


def test_items_of_a_map_are_arguments_too() -> None:
    app = Celery(set_as_current=False)
    written = plan.Call("map", "work", HERE, args=(SECRET, 2), immutable=True, kind="map")
    signature = lower_to_canvas((written,), app=app, task_ids=lambda each: each.path).start
    assert signature.kwargs["it"] == [PLANTED, 2]
    assert signature.options["kwargsrepr"] == (
        "{'task': 'work', 'it': ['${env.FLOWRUNNER_TEST_TOKEN}', 2]}"
    )
    places = signature.options["headers"]["flowrunner_secrets"]
    assert places == [["${env.FLOWRUNNER_TEST_TOKEN}", "it", 0]]


def test_a_plan_with_secrets_has_no_continuations_as_these_are_stored() -> None:
    def of(value: Any) -> plan.Node:
        return chain(
            *(group(*(call("tag", "x" * 100) for _ in range(20))) for _ in range(9)),
            call("tag", value),
        )

    assert sequence_of(of(1)).one_canvas.bytes > WORTH_CONTINUING
    assert any(each.kind == "continuation" for each in plan.calls_of(sequence_of(of(1)).sequence))
    hidden = sequence_of(of(SECRET)).sequence
    assert not any(each.kind == "continuation" for each in plan.calls_of(hidden))


def test_a_variable_that_is_not_set_is_told_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWRUNNER_TEST_TOKEN")
    with embedded() as engine, pytest.raises(WorkflowError, match="'FLOWRUNNER_TEST_TOKEN' is not"):
        engine.check(ready(call("tag", SECRET)))


def test_an_app_that_keeps_arguments_with_results_is_refused() -> None:
    address = ClusterAddress("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/1")

    def configure(app: Celery) -> None:
        app.conf.result_extended = True

    engine = CeleryEngine(
        tasks(), configure=configure, broker=address.broker, backend=address.backend
    )
    with pytest.raises(BrokerError, match="'result_extended'"):
        engine.check(ready(call("tag", SECRET)))
