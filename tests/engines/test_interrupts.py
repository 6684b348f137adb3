"""Ctrl-C: what is queued is cancelled, what runs may end; a second one leaves at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import pytest

from flowrunner.errors import SecondInterrupt
from flowrunner.plan import Plan
from flowrunner.run import InterruptedRunError, run_plan
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.unfolding import Unfolding
from tests.engines.conftest import embedded
from tests.engines.plans import HANG, call, planned
from tests.engines.services import ROOT, ClusterAddress, Worker


class Files:
    """The files by which a task and a test know of each other; the last two are of ``finally``."""

    def __init__(self, folder: Path) -> None:
        names = ("here", "until", "after", "last", "end")
        self.here, self.until, self.after, self.last, self.end = (folder / name for name in names)
        self.error = folder / "after-error"


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path)
    yield files
    files.until.touch()
    files.end.touch()


@contextmanager
def running(
    kind: str, files: Files, address: ClusterAddress | None = None, *, handlers: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A run whose first task has started; ``handlers`` gives it ``on_error`` and ``finally``."""
    environment = os.environ if address is None else address.environment()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.engines.interruptible", kind),
            *(str(files.here), str(files.until), str(files.after)),
            *((str(files.last), str(files.end)) if handlers else ()),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        process_group=0,
    )
    try:
        wait_for(files.here, process)
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    while not file.exists():
        assert process.poll() is None, process.communicate()
        sleep(0.005)  # until the task says that it is here


def interrupt(process: subprocess.Popen[str]) -> None:
    """Do what a terminal does: send Ctrl-C to the whole process group."""
    os.killpg(process.pid, signal.SIGINT)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("kind", ["embedded", "processes"])
def test_ctrl_c_waits_for_what_runs_and_starts_nothing_more(kind: str, files: Files) -> None:
    with running(kind, files) as process:
        interrupt(process)
        assert line(process) == "waiting\n"
        files.until.touch()
        out, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert out.splitlines()[-1] == "REVOKED interrupted SUCCESS REVOKED"
    assert err == ""
    assert not files.after.exists()


@pytest.mark.parametrize("kind", ["embedded", "processes"])
def test_a_second_ctrl_c_leaves_at_once(kind: str, files: Files) -> None:
    with running(kind, files) as process:
        interrupt(process)
        assert line(process) == "waiting\n"
        interrupt(process)
        out, _ = process.communicate(timeout=HANG)
        assert not files.until.exists()
    assert process.returncode == 130
    assert out.splitlines()[-1] == "REVOKED interrupted STARTED PENDING"


def replaced_on_its_way() -> KeyboardInterrupt:
    """The exception of a Ctrl-C that came while the one before it still propagated."""
    try:
        try:
            raise KeyboardInterrupt
        finally:
            raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        return error


class TwiceInterruptedLedger(Unfolding):
    """Raises an exception when a task runs, and waits for nothing after it."""

    def __init__(self, plan: Plan, error: KeyboardInterrupt, here: Path) -> None:
        super().__init__(plan.root, plan.sequence)
        self.error, self.here, self.raised = error, here, False

    def wait(self, timeout: float) -> bool:
        assert not self.raised, "the engine waited after the second Ctrl-C"
        if self.here.exists():
            self.raised = True
            raise self.error
        return super().wait(0.01)


@pytest.mark.parametrize("error", [replaced_on_its_way(), SecondInterrupt()])
def test_a_second_ctrl_c_that_replaces_the_first_still_leaves_at_once(
    error: KeyboardInterrupt, files: Files
) -> None:
    plan = planned(
        call("waits_for", str(files.here), str(files.until)),
        finally_=call("touches", str(files.last)),
    )
    ledger = RunLedger(plan, main=TwiceInterruptedLedger(plan, error, files.here))
    with embedded() as engine, pytest.raises(InterruptedRunError) as caught:
        run_plan(plan, engine, ledger=ledger)
    assert caught.value.outcome.reason == "interrupted; 'finally' did not run"
    assert not files.last.exists()


def test_ctrl_c_leaves_a_cluster_run_at_once_and_the_workers_drop_what_is_queued(
    worker: Worker, files: Files
) -> None:
    with running("celery", files, worker.address) as process:
        interrupt(process)
        out, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert out.startswith("REVOKED interrupted")
    assert err == ""
    worker.wait_for("Tasks flagged as revoked")
    files.until.touch()
    worker.wait_for("Discarding revoked task: touches")
    assert not files.after.exists()


@pytest.mark.parametrize("kind", ["embedded", "processes", "celery"])
def test_finally_runs_after_ctrl_c_when_what_ran_has_ended(
    kind: str, files: Files, worker: Worker
) -> None:
    with running(kind, files, worker.address, handlers=True) as process:
        interrupt(process)
        assert line(process) == "waiting\n"
        assert not files.last.exists()
        files.until.touch()
        wait_for(files.last, process)
        files.end.touch()
        out, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith("REVOKED interrupted SUCCESS ")
    assert out.splitlines()[-1].endswith(" UNNEEDED SUCCESS")
    assert err == ""
    assert not files.after.exists()
    assert not files.error.exists()


@pytest.mark.parametrize("kind", ["embedded", "processes", "celery"])
def test_a_second_ctrl_c_leaves_without_finally(kind: str, files: Files, worker: Worker) -> None:
    with running(kind, files, worker.address, handlers=True) as process:
        interrupt(process)
        assert line(process) == "waiting\n"
        interrupt(process)
        out, _ = process.communicate(timeout=HANG)
        assert not files.last.exists()
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith("REVOKED interrupted; 'finally' did not run STARTED ")
    assert out.splitlines()[-1].endswith(" UNNEEDED PENDING")


@pytest.mark.parametrize("kind", ["embedded", "processes", "celery"])
def test_a_second_ctrl_c_leaves_a_finally_that_runs(
    kind: str, files: Files, worker: Worker
) -> None:
    with running(kind, files, worker.address, handlers=True) as process:
        interrupt(process)
        assert line(process) == "waiting\n"
        files.until.touch()
        wait_for(files.last, process)
        interrupt(process)
        out, _ = process.communicate(timeout=HANG)
        assert not files.end.exists()
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith("REVOKED interrupted; 'finally' was interrupted ")
    # A cluster may not have told yet that it has started.
    assert out.splitlines()[-1].endswith((" UNNEEDED STARTED", " UNNEEDED PENDING"))


@pytest.mark.parametrize("kind", ["embedded", "processes"])
def test_ctrl_c_while_finally_runs_waits_for_it_and_the_run_is_cancelled(
    kind: str, files: Files
) -> None:
    files.until.touch()
    with running(kind, files, handlers=True) as process:
        wait_for(files.last, process)
        interrupt(process)
        files.end.touch()
        out, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    states = "SUCCESS SUCCESS UNNEEDED SUCCESS"
    assert out.splitlines()[-1] == f"REVOKED 'finally' was interrupted {states}"
    assert err == ""


def test_children_do_not_outlive_a_process_that_is_killed(files: Files) -> None:
    with running("processes", files) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            pytest.skip("needs /proc")
        # Tasks run in threads, each of which may be a child's parent.
        tasks = Path(f"/proc/{process.pid}/task")
        child = next(pid for each in tasks.glob("*/children") for pid in each.read_text().split())
        process.kill()
        process.wait()
        while (
            Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes()
        ):
            sleep(0.005)
