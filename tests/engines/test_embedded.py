"""What is the embedded engine's own: width, length, and leaving nothing behind."""

from __future__ import annotations

import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from celery._state import task_join_will_block

from flowrunner.engines.embedded import EmbeddedEngine
from flowrunner.engines.memory_transport import MemoryBroker
from flowrunner.engines.protocol import RunStalledError, RunTimeoutError
from flowrunner.errors import WorkflowError
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.tasks import TaskRegistry
from tests.engines.conftest import embedded
from tests.engines.plans import HANG, call, chain, chord, group, planned, run


def test_a_chord_may_be_a_thousand_wide() -> None:
    with embedded() as engine:
        ran = run(engine, chord([call("power", n) for n in range(1000)], call("amass")))
    assert ran.value == sum(n * n for n in range(1000))


def test_a_chain_may_be_two_hundred_long() -> None:
    with embedded() as engine:
        ran = run(engine, chain(call("power", 1), *[call("power", 1)] * 199))
    assert ran.value == 1
    assert sum(step.call.is_written for step in ran.ledger.steps.values()) == 200


def test_a_task_that_ignores_its_message_is_a_clear_failure() -> None:
    with embedded() as engine, pytest.raises(RunStalledError, match=r"root\.header\.0.*Ignore"):
        run(engine, chord([call("legacy.ignores"), call("tag", 1)], call("tag")))


def test_a_task_that_rejects_its_message_fails() -> None:
    with embedded() as engine:
        ran = run(engine, chord([call("legacy.rejects"), call("tag", 1)], call("tag")))
    assert ran.errors["root.header.0"].type == "Reject"
    assert ran.states["root.header.1"] == "SUCCESS"


def test_what_escapes_celerys_own_handling_fails_that_step() -> None:
    with embedded() as engine:
        ran = run(engine, chord([call("legacy.doomed"), call("tag", 1)], call("tag")))
    assert ran.errors["root.header.0"].type == "SystemExit"
    assert ran.states["root.header.1"] == "SUCCESS"


def test_a_later_app_does_not_get_an_earlier_apps_functions() -> None:
    for answer in ("first", "second"):
        registry = TaskRegistry()
        registry.for_plugin("tests").add(lambda answer=answer: answer, name="answer")
        with EmbeddedEngine(registry, configure=lambda app: None) as engine:
            assert run(engine, call("answer")).value == answer


def test_engines_run_side_by_side_each_with_its_own_tasks() -> None:
    def ran_on_an_engine_of_its_own(number: int) -> object:
        registry = TaskRegistry()
        registry.for_plugin("tests").add(lambda *_: number, name="number")
        with EmbeddedEngine(registry, configure=lambda app: None) as engine:
            return run(engine, chord([call("number")] * 5, call("number"))).value

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ran_on_an_engine_of_its_own, range(4))) == [0, 1, 2, 3]


def memory_brokers() -> list[MemoryBroker]:
    return [kept for kept in gc.get_objects() if type(kept) is MemoryBroker]


def test_an_engine_leaves_no_thread_that_holds_the_process_and_no_data() -> None:
    before = {thread for thread in threading.enumerate() if not thread.daemon}
    others = memory_brokers()  # those of fixtures, and of tests that ran before
    for _ in range(3):
        with embedded() as engine:
            run(engine, group(call("tag", 1), call("tag", 2)))
            assert isinstance(engine, EmbeddedEngine)
            assert engine._store.values == {}
    assert {thread for thread in threading.enumerate() if not thread.daemon} == before
    del engine
    gc.collect()
    own = [broker for broker in memory_brokers() if broker not in others]
    assert len(own) <= 1  # that of the last engine, whose threads may still be ending


def test_leaving_an_engine_does_not_wait_for_a_task_that_runs_on(tmp_path: Path) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    with embedded() as engine, pytest.raises(RunTimeoutError):
        run(engine, call("waits_for", str(here), str(until)), timeout=0.1)
    assert here.exists()  # still waiting for a file that only now comes
    until.touch()


@pytest.mark.parametrize("option", ["time_limit", "soft_time_limit"])
def test_what_threads_cannot_keep_is_refused_before_anything_runs(option: str) -> None:
    with embedded() as engine, pytest.raises(WorkflowError, match=option):
        engine.check(planned(call("tag", **{option: 5})))


def test_a_message_that_takes_long_to_read_is_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowrunner.engines.embedded.STALL_CHECK_INTERVAL", 0.001)
    with embedded() as engine:
        wide = chain(group(*[call("tag", "ü" * 500_000)] * 6), call("amass_lengths"))
        assert run(engine, wide).value == [1] * 6


def test_a_queue_or_a_priority_changes_nothing() -> None:
    with embedded() as engine:
        assert run(engine, call("power", 2, queue="elsewhere", priority=3)).value == 4


def test_plugins_configure_the_app() -> None:
    seen: list[Celery] = []
    registry = TaskRegistry()
    registry.for_plugin("tests").add(lambda: 1, name="one")
    with EmbeddedEngine(registry, configure=seen.append) as engine:
        assert run(engine, call("one")).value == 1
    assert [app.main for app in seen] == ["flowrunner"]


def test_what_a_task_prints_goes_to_this_processs_streams(
    capsys: pytest.CaptureFixture[str],
) -> None:
    registry = TaskRegistry()
    registry.for_plugin("tests").add(lambda: sys.stdout.write("hello"), name="hello")
    with EmbeddedEngine(registry, configure=lambda app: None) as engine:
        run(engine, call("hello"))
    assert capsys.readouterr() == ("hello", "")


def test_whoever_listens_gets_results_as_they_were() -> None:
    """Also when a task goes on to change the list that it has returned."""
    grown: list[int] = []

    def grow(*_: object) -> list[int]:
        grown.append(len(grown))
        return grown

    registry = TaskRegistry()
    registry.for_plugin("tests").add(grow)
    ready = planned(chain(call("grow"), call("grow"), call("grow")))
    results: dict[str, Any] = {}
    ledger = ledger_of(
        ready,
        on_step=lambda step, result: results.update({step.call.path: result}) if result else None,
    )
    with EmbeddedEngine(registry, configure=lambda app: None) as engine:
        engine.run(ready, run=uuid4(), ledger=ledger, timeout=HANG)
    assert [give() for give in results.values()] == [[0], [0, 1], [0, 1, 2]]


def test_an_engine_that_has_ended_leaves_celery_as_it_was() -> None:
    """A program may go on to wait for results of its own."""
    before = task_join_will_block()
    with embedded() as engine:
        run(engine, call("tag"))
    assert task_join_will_block() == before
