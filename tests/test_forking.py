"""Commands as forks: each is a process of its own in all that tests look at."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.forking import run_command

PLUGIN = """
import os, sys, time
from flowrunner import hookimpl

STATE = []

def tells():
    STATE.append(1)
    sys.path.append("shared")
    return {
        "state": len(STATE), "path": sys.path.count("shared"), "cwd": os.getcwd(),
        "argv": sys.argv[1:], "pid": os.getpid(), "parent": os.getppid(),
        "environment": sorted(os.environ), "module": sys.modules["__main__"].__spec__.name,
        "tests": sorted(name for name in sys.modules if name.partition(".")[0] == "tests"),
    }

def dies():
    os.kill(os.getpid(), 9)

def sleeps():
    time.sleep(60)

@hookimpl
def flowrunner_register_tasks(registry):
    for task in (tells, dies, sleeps):
        registry.add(task)
"""
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/", "FLOWRUNNER_PLUGINS": "tells.py"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tells.py").write_text(PLUGIN)
    return tmp_path


def run(folder: Path, task: str, timeout: float = 60) -> subprocess.CompletedProcess[bytes]:
    runs = {"FLOWRUNNER_RUNS": str(folder / "runs.sqlite3")}
    workflow = f"task: {task}".encode()
    return run_command(
        *("apply", "-"), cwd=folder, env=ENVIRONMENT | runs, stdin=workflow, timeout=timeout
    )


def told(folder: Path) -> Any:
    ended = run(folder, "tells")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_fork_has_its_own_arguments_folder_and_environment(folder: Path) -> None:
    found = told(folder)
    assert found["argv"] == ["apply", "-"]
    assert found["cwd"] == str(folder)
    assert found["environment"] == sorted([*ENVIRONMENT, "FLOWRUNNER_RUNS"])
    assert found["module"] == "flowrunner.__main__"
    assert found["tests"] == []


def test_forks_share_no_state_also_side_by_side(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(told, [folder] * 8))
    assert {(each["state"], each["path"]) for each in found} == {(1, 1)}
    assert len({each["pid"] for each in found}) == 8
    assert len({each["parent"] for each in found}) == 1


def test_exit_codes_and_signals_are_told(folder: Path) -> None:
    assert run(folder, "none").returncode == 2
    assert run(folder, "dies").returncode == -9


def test_a_fork_that_takes_too_long_is_killed(folder: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(folder, "sleeps", timeout=0.5)
    assert told(folder)["state"] == 1


def test_what_only_an_interpreter_can_obey_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="a fork cannot obey PYTHONPATH"):
        run_command("--help", cwd=folder, env={"PYTHONPATH": "."})
