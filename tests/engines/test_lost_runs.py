"""A run that its result backend has lost fails, with one clear error, whoever looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid5

import pytest
from redis import Redis as RedisClient

from flowrunner import driver, watching
from flowrunner.cli.main import main
from flowrunner.driver import Drive, new_record
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.redis_records import redis_records
from flowrunner.errors import BrokerError, EngineError, PublishingError, UnfinishedRunError
from flowrunner.plan import Plan, Retry
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.record import RunRecord
from flowrunner.runs.recorded import recorded_ledger, recorded_outcome, recorded_steps
from flowrunner.watching import Watch
from tests.engines.conftest import cluster
from tests.engines.plans import HANG, await_file, call, chain, group, planned
from tests.engines.services import ClusterAddress, Redis, Worker
from tests.shapes import plan_of, with_paths

#: Whatever a thread of ours raises fails its test.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(scope="module")
def address(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterAddress]:
    address = ClusterAddress(redis.url(8), redis.url(9))
    with Worker(address, tmp_path_factory.mktemp("worker")):
        yield address


@pytest.fixture
def engine(address: ClusterAddress) -> Iterator[CeleryEngine]:
    with cluster(address) as running:
        yield running


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.02)


@contextmanager
def emptied(
    address: ClusterAddress, engine: CeleryEngine, plan: Plan, tmp_path: Path
) -> Iterator[tuple[RunRecord, Any]]:
    """Start a run, empty its result backend while it waits; yield its record and its outcome."""
    store, _ = redis_records(engine.app)
    record = new_record(plan, cluster=True, timeout=None)
    store.create(record)
    with (
        ThreadPoolExecutor(1) as pool,
        Drive(record, engine, store, name="the test", warn=pytest.fail) as drive,
    ):
        ended = pool.submit(drive.to_the_end)
        await_file(tmp_path / "here")
        while drive.ledger.main.steps["root.0"].state != "SUCCESS":
            pass
        RedisClient.from_url(address.backend).flushdb()
        yield record, lambda: ended.result(HANG)
        (tmp_path / "until").touch()


def waiting(tmp_path: Path, **handlers: Any) -> Plan:
    waits = call("waits_for", str(tmp_path / "here"), str(tmp_path / "until"), immutable=True)
    return planned(chain(call("tag"), group(waits, call("tag")), call("tag")), **handlers)


def dynamic(tmp_path: Path) -> Plan:
    waits = call("waits_for", str(tmp_path / "here"), str(tmp_path / "until"), immutable=True)
    return plan_of(with_paths(chain(call("tag"), replace(waits, retry=Retry(2)), call("tag"))))


@pytest.mark.parametrize("make", [waiting, dynamic])
def test_it_fails_and_is_recorded_again(
    make: Any, address: ClusterAddress, engine: CeleryEngine, tmp_path: Path
) -> None:
    with emptied(address, engine, make(tmp_path), tmp_path) as (record, result):
        outcome: Outcome = result()
    assert (outcome.state, outcome.errors[0].type) == ("FAILURE", "RunLostError")
    assert outcome.ran is not None
    assert "root.0" in outcome.ran
    assert str(record.run) in outcome.reason
    assert "has lost what it stored of this run" in outcome.reason

    store, read = redis_records(engine.app)
    again = store.get(record.run)
    steps = recorded_steps(again, read)
    told = recorded_outcome(again, recorded_ledger(again, steps))
    assert told is not None
    data = outcome_to_json(outcome)
    assert outcome_to_json(told) == {**data, "ended": told.ended.isoformat()}


def test_its_handlers_run(address: ClusterAddress, engine: CeleryEngine, tmp_path: Path) -> None:
    handled = call("appends", str(tmp_path / "handled"))
    plan = waiting(tmp_path, on_error=handled, finally_=call("tag"))
    with emptied(address, engine, plan, tmp_path) as (_, result):
        outcome = result()
    assert [error.type for error in outcome.errors] == ["RunLostError"]
    (line,) = (tmp_path / "handled").read_text().splitlines()
    (given,) = json.loads(line)
    assert (given["state"], given["errors"][0]["type"]) == ("FAILURE", "RunLostError")


def test_what_is_queued_of_it_does_not_run(
    address: ClusterAddress, engine: CeleryEngine, tmp_path: Path
) -> None:
    after = call("appends", str(tmp_path / "after"), immutable=True)
    waits = call("waits_for", str(tmp_path / "here"), str(tmp_path / "until"), immutable=True)
    plan = planned(chain(call("tag"), waits, after, call("tag")))
    with emptied(address, engine, plan, tmp_path) as (record, result):
        result()
        (tmp_path / "until").touch()
        after_id = str(uuid5(record.run, "root.2"))
        deadline = monotonic() + HANG
        while engine.app.backend.get_state(after_id) != "REVOKED":
            assert monotonic() < deadline, "it is still queued"
            sleep(0.01)
    assert not (tmp_path / "after").exists()


class Absent:
    """A project whose runs leave nothing in the result backend."""

    def recorded_steps(self, record: RunRecord) -> dict[str, Any]:
        return {}


def test_a_watch_tells_it_if_no_driver_does(engine: CeleryEngine, tmp_path: Path) -> None:
    store, _ = redis_records(engine.app)
    record = new_record(waiting(tmp_path), cluster=True, timeout=None)
    store.create(record)
    store.claim(record.run, "somebody", seconds=60)
    watch = Watch(Absent(), store, store.get(record.run))  # type: ignore[arg-type]
    store.delete(record.run)
    assert watch.until_ended_or_abandoned()
    found = store.get(record.run)
    assert found.outcome is not None
    assert (found.state, found.outcome["errors"][0]["type"]) == ("FAILURE", "RunLostError")


@pytest.mark.parametrize(
    ("error", "queued", "state"),
    [
        (BrokerError("gone"), True, "STARTED"),
        (PublishingError("gone"), False, "FAILURE"),
        (BrokerError("gone"), False, None),
    ],
)
def test_a_run_of_which_something_was_queued_is_not_refused(
    error: EngineError, queued: bool, state: str | None, engine: CeleryEngine, tmp_path: Path
) -> None:
    class Away:
        def run(self, plan: Plan, *, on_queued: Any, **_: Any) -> None:
            if queued:
                on_queued()
            raise error

    store, _ = redis_records(engine.app)
    record = new_record(waiting(tmp_path), cluster=True, timeout=None)
    store.create(record)
    drive = Drive(record, Away(), store, name="the test", warn=pytest.fail)  # type: ignore[arg-type]
    with drive, pytest.raises(BrokerError, match="gone") as caught:
        drive.to_the_end()
    if state is None:
        assert not isinstance(caught.value, UnfinishedRunError)
    else:
        assert isinstance(caught.value, UnfinishedRunError)
        assert (caught.value.state, caught.value.run) == (state, str(record.run))


def test_the_command_prints_the_run_that_a_server_left_unfinished(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def left(*_: Any, **__: Any) -> int:
        raise UnfinishedRunError("gone", run="1234", workflow="w", state="STARTED")

    monkeypatch.setattr("flowrunner.cli.apply._run", left)
    file = tmp_path / "w.yaml"
    file.write_text("task: celery.accumulate\n")
    monkeypatch.setattr("flowrunner.app.Project.plan", lambda *_, **__: None)
    assert main(["apply", str(file), "--output", "json"]) == 3
    printed = json.loads(capsys.readouterr().out)
    assert (printed["run"], printed["state"]) == ("1234", "STARTED")
