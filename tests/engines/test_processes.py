"""``--processes``: task functions in processes of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock

import pytest

from flowrunner.engines.process_pool import ProcessDiedError, ProcessPool, _Child
from flowrunner.engines.process_worker import Failure, Order, Success
from flowrunner.engines.protocol import Engine
from flowrunner.errors import WorkflowError
from tests.engines.conftest import processes
from tests.engines.plans import HANG, PLUGIN, await_file, call, chord, group, planned, run


@pytest.fixture
def engine() -> Iterator[Engine]:
    with processes(2) as running:
        yield running


def test_tasks_run_at_the_same_time_in_different_processes(engine: Engine, tmp_path: Path) -> None:
    # Each waits for what the other does first: one process, or one after the other, would hang.
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    ran = run(engine, group(call("waits_for", first, second), call("waits_for", second, first)))
    assert ran.errors == {}
    assert len({*ran.value, os.getpid()}) == 3


def test_never_more_processes_than_asked_for(engine: Engine) -> None:
    ran = run(engine, group(*[call("process_id")] * 20))
    assert 1 <= len(set(ran.value)) <= 2


@pytest.mark.parametrize(
    ("task", "how"),
    [("kills_itself", "was killed by SIGKILL"), ("leaves", "ended with exit status 3")],
)
def test_a_process_that_dies_fails_its_step_and_no_other(
    engine: Engine, task: str, how: str
) -> None:
    ran = run(engine, chord([call("tag", 1), call(task), *[call("tag", 2)] * 4], call("tag")))
    assert set(ran.errors) == {"root.header.1"}
    error = ran.errors["root.header.1"]
    assert error.type == "ProcessDiedError"
    assert f"the process that ran task '{task}' {how}" in error.message
    assert "Traceback" in error.traceback
    assert run(engine, call("power", 3)).value == 9  # in a process that has taken its place


def test_what_a_task_prints_appears_on_this_processs_streams(
    engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(engine, call("prints")).errors == {}
    out, err = capfd.readouterr()
    assert out == "printed: €\n"
    assert "complained\n" in err
    # What no Python stream sees must not get between the result on stdout.
    assert "written\n" in err
    assert "echoed\n" in err


def test_a_plugin_that_a_child_cannot_load_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('not here')")
    pool = ProcessPool(1, [replace(PLUGIN, name=str(broken))])
    try:
        for _ in range(2):
            reply = pool.call(Order("tag", (), {}))
            assert isinstance(reply, Failure)
            assert reply.told.type == "PluginError"
            assert "broken.py" in reply.told.message
            assert "not here" in reply.told.message
    finally:
        pool.close()


def test_a_childs_modules_are_not_hidden_by_files_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('the wrong json')")
    monkeypatch.setattr(sys, "path", [entry or str(Path.cwd()) for entry in sys.path])
    monkeypatch.chdir(tmp_path)
    pool = ProcessPool(1, [PLUGIN])
    try:
        assert pool.call(Order("power", (3,), {})) == Success("9")
    finally:
        pool.close()


def test_a_message_that_a_child_cannot_read_ends_the_child_and_not_the_run() -> None:
    pool = ProcessPool(1, [PLUGIN])
    try:
        pool.call(Order("power", (2,), {}))
        (child,) = pool._children
        child._connection.send_bytes(b"not a pickle")
        with pytest.raises(ProcessDiedError, match="ended with exit status 1"):
            pool.call(Order("power", (2,), {}))
        assert pool.call(Order("power", (2,), {})) == Success("4")
    finally:
        pool.close()


def test_a_call_that_cannot_be_sent_costs_no_place_in_the_pool() -> None:
    pool = ProcessPool(1, [PLUGIN])
    try:
        with pytest.raises(TypeError, match="pickle"):
            pool.call(Order("power", (Lock(),), {}))
        assert pool.call(Order("power", (2,), {})) == Success("4")
        assert len(pool._children) == 1
    finally:
        pool.close()


def test_a_child_that_answers_as_it_is_killed_takes_no_other_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    pool = ProcessPool(1, [PLUGIN])
    with ThreadPoolExecutor(1) as thread:
        order = Order("waits_for", (str(here), str(until)), {})
        waiting = thread.submit(pool.call, order, task_id="abandoned")
        await_file(here)
        with monkeypatch.context() as patched:
            patched.setattr(_Child, "kill", lambda child: None)  # it comes a little late
            pool.abandon(["abandoned"])
        until.touch()
        answered = waiting.result(HANG)
    try:
        assert isinstance(answered, Success)
        assert pool.call(Order("process_id", (), {})) != answered
    finally:
        pool.close()


def test_a_closed_pool_has_no_children_and_takes_no_calls() -> None:
    pool = ProcessPool(1, [PLUGIN])
    reply = pool.call(Order("process_id", (), {}))
    assert isinstance(reply, Success)
    pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(reply.json), 0)
    with pytest.raises(ProcessDiedError, match="has stopped"):
        pool.call(Order("process_id", (), {}))


def test_a_task_that_takes_too_long_is_killed(engine: Engine, tmp_path: Path) -> None:
    waits = call("waits_for", str(tmp_path / "here"), str(tmp_path / "never"), time_limit=0.3)
    error = run(engine, waits).errors["root"]
    assert (error.type, error.message) == ("TimeLimitExceeded", "TimeLimitExceeded(0.3,)")
    assert run(engine, call("power", 3, time_limit=HANG)).value == 9


def test_a_task_is_told_that_it_takes_long(engine: Engine, tmp_path: Path) -> None:
    here, never = str(tmp_path / "here"), str(tmp_path / "never")
    error = run(engine, call("waits_for", here, never, soft_time_limit=0.3)).errors["root"]
    assert error.type == "SoftTimeLimitExceeded"
    assert "waits_for" in error.traceback


def test_a_celery_task_keeps_no_limit(engine: Engine) -> None:
    with pytest.raises(WorkflowError, match="time_limit"):
        engine.check(planned(call("legacy.bound", time_limit=5)))
