"""Every worker is asked before a run, and nobody waits longer than the last one that is there."""

from __future__ import annotations

import signal
from collections.abc import Collection
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from kombu import Connection

from flowrunner.engines.workers import RollCall, Workers
from tests.engines.conftest import WORKERS, cluster
from tests.engines.plans import call, planned
from tests.engines.services import ClusterAddress, Redis, Worker


@pytest.fixture(params=WORKERS.values(), ids=WORKERS.keys())
def running(request: pytest.FixtureRequest) -> Worker:
    found: Worker = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def judgements(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether all had answered, after each answer."""
    judged: list[bool] = []
    is_complete = RollCall.is_complete

    def noted(self: RollCall, answers: Collection[tuple[str, Any]]) -> bool:
        judged.append(is_complete(self, answers))
        return judged[-1]

    monkeypatch.setattr(RollCall, "is_complete", noted)
    return judged


def test_a_question_ends_when_the_only_worker_has_answered(
    running: Worker, judgements: list[bool]
) -> None:
    with cluster(running.address) as engine:
        assert len(Workers(engine.app).known({"celery"})) == 1
    assert judgements == [True]


def test_a_worker_that_lacks_a_task_is_named_before_the_run(
    running: Worker, judgements: list[bool], tmp_path: Path
) -> None:
    (tmp_path / "poor.py").write_text(
        "import flowrunner\n\n"
        "@flowrunner.hookimpl\n"
        "def flowrunner_register_tasks(registry):\n"
        "    registry.add(lambda: None, name='nothing')\n",
        encoding="utf-8",
    )
    environment = {"FLOWRUNNER_PLUGINS": "poor.py"}
    options = ("-n", "poor@%h")
    with Worker(running.address, tmp_path, *options, environment=environment):
        with cluster(running.address) as engine:
            engine.check(planned(call("tag")))
        (only,) = (each for each in engine.warnings if each.check == "tasks")
    assert judgements == [False, True]
    assert only.severity == "warning"
    assert only.what.startswith("poor@")
    assert only.what.endswith("may get but not know the task 'tag'")


class _Connection:
    """A connection to a broker that tells nothing of its consumers."""

    transport = type("Transport", (), {"driver_type": "other"})
    channel_errors = ()


def test_where_the_broker_tells_nothing_no_answer_is_the_last() -> None:
    assert not RollCall(_Connection()).is_complete([("one@here", [{"name": "celery"}])])


def test_nobody_is_waited_for_where_no_worker_is(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drain(*_: Any, **__: Any) -> None:
        raise AssertionError("an answer is waited for")

    monkeypatch.setattr(Connection, "drain_events", drain)
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0)
    with cluster(ClusterAddress(redis.url(4), redis.url(5))) as engine:
        assert Workers(engine.app).known({"celery"}) == {}


def test_a_question_that_a_worker_does_not_answer_ends_with_its_timeout(
    address: ClusterAddress, tmp_path: Path
) -> None:
    """kombu would wait another second for a reply on Redis."""
    with Worker(address, tmp_path) as stopped, cluster(address) as engine:
        workers = Workers(engine.app)
        assert workers.ask("stats")
        stopped.process.send_signal(signal.SIGSTOP)
        began = monotonic()
        assert workers.ask("stats", timeout=0.1) == []
        assert monotonic() - began < 0.9
