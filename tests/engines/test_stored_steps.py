"""What a result backend keeps of a run is read as the engine saw it; where runs are recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4, uuid5

import pytest
from celery import Celery

from flowrunner.app import Project
from flowrunner.engines.redis_records import redis_records, stored_steps
from flowrunner.engines.step_errors import stored_error
from flowrunner.errors import ConfigurationError
from flowrunner.plan import calls_of
from flowrunner.runs.record import RunRecord
from flowrunner.runs.recorded import recorded_ledger
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.store import RunStoreUnreachableError, StepRow
from flowrunner.settings import Settings
from tests.engines.conftest import cluster
from tests.engines.plans import HANG, call, chain, chord, planned
from tests.engines.services import Redis, Worker

READY = planned(
    chain(chord([call("tag", 1), call("fail"), call("tag", 2)], call("tag")), call("tag"))
)


def an_app(url: str, **conf: Any) -> Celery:
    app = Celery("records", set_as_current=False)
    app.conf.update(result_backend=url, result_extended=False, **conf)
    return app


def test_a_run_on_a_cluster_is_read_as_it_was_followed(worker: Worker) -> None:
    run, ledger = uuid4(), ledger_of(READY)
    with cluster(worker.address) as engine:
        engine.run(READY, run=run, ledger=ledger, timeout=HANG)
    _, read = redis_records(an_app(worker.address.backend))
    rows = read(run, list(READY.calls()))
    record = RunRecord.of(READY, run=run, created=datetime.now(UTC), engine="celery")
    found = recorded_ledger(replace(record, state="FAILURE"), rows)
    assert {path: step.state for path, step in found.steps.items()} == {
        path: step.state for path, step in ledger.steps.items()
    }
    assert found.errors == ledger.errors
    assert all(error.worker for error in found.errors)
    assert rows["root.0.header.0"].result == [1]
    ended = rows["root.0.header.0"].ended
    assert ended is not None
    assert abs((datetime.now(UTC) - ended).total_seconds()) < 3600


class Metas:
    """A result backend that has these metas, by task id, and counts what it is asked."""

    def __init__(self, metas: Mapping[str, Any]) -> None:
        self._metas = metas
        self.questions = 0

    def get_key_for_task(self, task_id: str) -> str:
        return task_id

    def mget(self, keys: list[str]) -> list[Any]:
        self.questions += 1
        return [json.dumps(self._metas[key]) if key in self._metas else None for key in keys]

    def decode(self, payload: str) -> Any:
        return json.loads(payload)


METAS: list[tuple[dict[str, Any], StepRow]] = [
    (
        {"status": "SUCCESS", "result": None, "date_done": "2030-01-01T12:00:00.5"},
        StepRow(
            "a",
            "SUCCESS",
            ended=datetime(2030, 1, 1, 12, 0, 0, 500_000, UTC),
            has_result=True,
        ),
    ),
    (
        {"status": "STARTED", "result": {"pid": 1, "hostname": "w@h"}, "date_done": None},
        StepRow("a", "STARTED", worker="w@h"),
    ),
    ({"status": "PROGRESS", "result": [1]}, StepRow("a", "PROGRESS")),
    (
        {"status": "RETRY", "result": {"exc_type": "E", "exc_message": ["x"]}, "retries": 2},
        StepRow("a", "RETRY", retries=3),  # with the one that is due
    ),
    (
        {
            "status": "FAILURE",
            "result": {"exc_type": "E", "exc_message": ["x"], "exc_module": "m"},
            "traceback": "trace",
            "worker": "w@h",
            "date_done": "nonsense",
        },
        StepRow(
            "a",
            "FAILURE",
            error_type="E",
            error_message="x",
            error_traceback="trace",
            worker="w@h",
        ),
    ),
    (
        {
            "status": "FAILURE",
            "result": {"exc_type": "OSError", "exc_message": [], "exc_module": "builtins"},
            "traceback": "trace",
            "flowrunner_failure": {"type": "HTTPError", "message": "busy", "notes": ["order 7"]},
        },
        StepRow(
            "a",
            "FAILURE",
            error_type="HTTPError",
            error_message="busy",
            error_traceback="trace",
            error_notes=("order 7",),
        ),
    ),
]

#: What plain workers keep of an exception: its name, its arguments, its traceback; and its type and
#: message.
PLAIN: dict[str, tuple[str, list[Any], str, str, str]] = {
    "inside a class": (
        *("Order.DoesNotExist", ["no order 7"], "m.Order.DoesNotExist: no order 7"),
        *("DoesNotExist", "no order 7"),
    ),
    "inside a function": (
        *("crash.<locals>.LocalError", ["no"], "m.crash.<locals>.LocalError: no"),
        *("LocalError", "no"),
    ),
    "with notes": (
        *("ValueError", ["no"], "ValueError: no\norder 7"),
        *("ValueError", "no"),
    ),
    "of several lines": (
        *("OwnError", [1], "m.OwnError: first\nsecond"),
        *("OwnError", "first\nsecond"),
    ),
    "a group": (
        "ExceptionGroup",
        ["both", "[ValueError('no')]"],
        "  + Exception Group Traceback (most recent call last):\n"
        "  | ExceptionGroup: both (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ExceptionGroup: inner (1 sub-exception)\n"
        "    +-+---------------- 1 ----------------\n"
        "      | ValueError: no\n"
        "      +------------------------------------\n",
        *("ExceptionGroup", "both (1 sub-exception)"),
    ),
}


@pytest.mark.parametrize("kept", PLAIN.values(), ids=PLAIN)
def test_what_a_plain_worker_keeps_of_an_exception_tells_its_type_and_message(
    kept: tuple[str, list[Any], str, str, str],
) -> None:
    name, arguments, trace, kind, message = kept
    meta = {
        "status": "FAILURE",
        "result": {"exc_type": name, "exc_message": arguments, "exc_module": "m"},
        "traceback": f"Traceback (most recent call last):\n{trace}",
    }
    error = stored_error(call("tag"), meta)
    assert error is not None
    assert (error.type, error.message) == (kind, message)


@pytest.mark.parametrize(("meta", "row"), METAS, ids=lambda each: getattr(each, "state", None))
def test_what_celery_keeps_of_a_task_is_told_as_a_row(meta: dict[str, Any], row: StepRow) -> None:
    run, named = uuid4(), replace(call("tag"), path="a")
    backend = Metas({str(uuid5(run, "a")): meta})
    found = stored_steps(backend)(run, [named, replace(named, path="b")])
    assert found == {"a": replace(row, of_one_task=True)}


def test_all_calls_are_asked_for_at_once() -> None:
    backend = Metas({})
    read = stored_steps(backend)
    assert read(uuid4(), list(calls_of(READY.sequence))) == {}
    assert read(uuid4(), []) == {}
    assert backend.questions == 1


def test_a_backend_that_is_away_is_told_without_its_password() -> None:
    class Away(Metas):
        def mget(self, keys: list[str]) -> list[Any]:
            raise OSError("secret")

    read = stored_steps(Away({}), masked=lambda text: text.replace("secret", "**"))
    with pytest.raises(RunStoreUnreachableError, match=r"cannot be read: \*\*"):
        read(uuid4(), [call("tag")])


@pytest.mark.parametrize(
    ("conf", "expires", "prefix"),
    [
        ({}, 86_400, ""),
        ({"result_expires": 60}, 60, ""),
        ({"result_expires": None}, -1, ""),
        ({"result_backend_transport_options": {"global_keyprefix": "mine"}}, 86_400, "mine_"),
    ],
)
def test_runs_are_recorded_under_an_apps_prefix_for_as_long_as_its_results(
    redis: Redis, conf: dict[str, Any], expires: int, prefix: str
) -> None:
    app = an_app(redis.url(13), **conf)
    store, _ = redis_records(app)
    record = RunRecord.of(READY, run=uuid4(), created=datetime.now(UTC), engine="celery")
    store.create(record)
    left = app.backend.client.ttl(f"{prefix}flowrunner:run:{record.run}")
    assert expires - 30 <= left <= expires


def test_a_url_wins_over_that_of_the_app_which_stays_as_it_is(redis: Redis) -> None:
    app = an_app("redis://127.0.0.1:1/0")
    backend = app.backend
    store, _ = redis_records(app, redis.url(13))
    assert store.open_runs() is not None
    assert app.backend is backend


def test_a_backend_that_is_not_redis_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="recorded in Redis only"):
        redis_records(an_app("cache+memory://"))


def test_a_project_with_a_cluster_records_there(redis: Redis) -> None:
    project = Project(Settings(broker=redis.url(12), backend=redis.url(13)))
    store = project.run_store()
    assert store is not None
    record = RunRecord.of(READY, run=uuid4(), created=datetime.now(UTC), engine="celery")
    store.create(record)
    assert store.find(str(record.run)) == record.run
    assert project.recorded_steps(record) == {}
    assert project.run_store() is store
