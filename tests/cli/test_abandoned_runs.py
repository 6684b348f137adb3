"""Embedded runs whose process is gone: shown as abandoned, with what continues them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from time import monotonic, sleep

import pytest

from flowrunner.process import this_process
from flowrunner.runs.store import StepRow
from tests.cli.commands import Folder
from tests.cli.recorded import RUN, Recorded
from tests.runs.records import at

GONE = replace(this_process(), birth="another process's")
ELSEWHERE = replace(this_process(), host="elsewhere", boot="another", machine="another")
STEPS = [
    StepRow("chord.header[0]", "SUCCESS", at(0), at(0.2), result=1, has_result=True),
    StepRow("chord.header[1]", "STARTED", at(0.1)),
]


def test_a_run_is_listed_as_abandoned(recorded: Recorded) -> None:
    recorded.add(rows=STEPS, process=GONE)
    _, line, *rest = recorded.run("runs").out.splitlines()
    assert line.startswith("0123abcd  test      abandoned  ")
    assert "  12.0 s  " in line  # until a step was heard of
    assert rest == [
        "",
        "1 run was abandoned: its process is gone; continue it with:",
        "  flowrunner resume 0123abcd",
    ]
    (told,) = json.loads(recorded.run("runs", "--output", "json").out)
    assert (told["state"], told["abandoned"], told["seconds"]) == ("STARTED", True, 12.0)


def test_a_run_is_shown_as_abandoned(recorded: Recorded) -> None:
    recorded.add(rows=STEPS, process=GONE)
    out = recorded.run("show", "last").out
    assert out.startswith("test was abandoned after 12.0 s · 4 tasks: 1 succeeded, 1 abandoned, ")
    assert f"  driven by  nobody: process {GONE.number} on this host is gone\n" in out
    assert f"  resume     flowrunner resume {RUN}\n" in out
    assert "call ×2   1/2 done, 1 abandoned" in out
    told = json.loads(recorded.run("show", "last", "--output", "json").out)
    assert (told["state"], told["abandoned"], told["driver"]) == ("STARTED", True, None)
    (attempt,) = told["attempts"]
    assert (attempt["host"], attempt["process"]) == (GONE.host, GONE.number)


def test_the_claim_of_a_process_that_is_gone_does_not_count(recorded: Recorded) -> None:
    recorded.add(rows=STEPS, process=GONE)
    recorded.store.claim(RUN, "apply", seconds=60)
    assert "abandoned" in recorded.run("show", "last").out.splitlines()[0]
    watched = recorded.run("watch", "last")
    assert watched.code != 0
    assert f"is gone; continue it:\n  flowrunner resume {RUN}" in watched.err


@pytest.mark.parametrize("process", [ELSEWHERE, this_process(), None])
def test_no_other_run_is_called_so(recorded: Recorded, process: object) -> None:
    recorded.add(rows=STEPS, process=process)
    assert "abandoned" not in recorded.run("runs").out
    assert "abandoned" not in recorded.run("show", "last").out
    assert json.loads(recorded.run("show", "last", "--output", "json").out)["abandoned"] is False


def test_a_run_of_another_host_is_left_to_who_watches(recorded: Recorded) -> None:
    recorded.add(rows=STEPS, process=ELSEWHERE)
    watched = recorded.run("watch", "last")
    assert "abandoned" not in watched.err
    assert f"process {ELSEWHERE.number} on elsewhere" in watched.err
    assert f"if that process is gone, continue the run:\n  flowrunner resume {RUN}" in watched.err


def test_an_ended_run_was_not_abandoned(recorded: Recorded) -> None:
    recorded.add("FAILURE", STEPS, process=GONE, reason="the run took longer than 30 s")
    assert "abandoned" not in recorded.run("runs").out
    out = recorded.run("show", "last").out
    assert out.startswith("test failed after 30.00 s: ")
    assert "1 abandoned" in out  # not "still running": what it ran in is gone


def test_an_abandoned_run_is_cancelled_at_once(recorded: Recorded) -> None:
    recorded.add(rows=STEPS, process=GONE)
    assert recorded.run("cancel", "last").code == 0
    told = json.loads(recorded.run("show", "last", "--output", "json").out)
    assert (told["state"], told["seconds"]) == ("REVOKED", 12.0)


PLUGIN = """
from pathlib import Path
from time import sleep
from flowrunner import hookimpl

def waits(folder):
    Path(folder, "here").touch()
    while not Path(folder, "go").exists():
        sleep(0.01)
    return "went"

@hookimpl
def flowrunner_register_tasks(registry):
    registry.add(waits)
"""


def test_a_killed_run_is_resumed_at_once_and_the_time_between_is_left_out(folder: Folder) -> None:
    folder.write("plugins/waits.py", PLUGIN)
    folder.write("waits.yaml", "chain: [{task: waits, args: [.]}]")
    runs = {"FLOWRUNNER_RUNS": str(folder.path / "runs.sqlite3")}
    applying = subprocess.Popen(
        [sys.executable, "-m", "flowrunner", "apply", "waits.yaml"],
        cwd=folder.path,
        env=folder.environment(**runs),
    )
    await_file(folder, "here")
    applying.kill()
    applying.wait()
    (folder.path / "go").touch()
    resumed = folder.run("resume", "last", **runs)
    assert (resumed.code, resumed.out) == (0, "went\n"), resumed.err
    assert "attempt 2: 0 results used again, 1 call to run" in resumed.err
    told = json.loads(folder.run("show", "last", "--output", "json", **runs).out)
    (listed,) = json.loads(folder.run("runs", "--output", "json", **runs).out)
    assert told["seconds"] == listed["seconds"]
    assert told["state"] == "SUCCESS"


def await_file(folder: Folder, name: str) -> None:
    until = monotonic() + 60
    while not (folder.path / name).exists():
        assert monotonic() < until
        sleep(0.01)
