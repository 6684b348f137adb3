"""Runs on a cluster that outlive the command that started them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.engines.plans import HANG, await_file
from tests.engines.services import ClusterAddress, Redis, Service
from tests.forking import run_command_text

#: Members of the wide workflow: of the issue's size with FLOWRUNNER_CHAOS=full.
WIDE = 1_000 if os.environ.get("FLOWRUNNER_CHAOS") == "full" else 200

WAITING = """
chord:
  header:
  - {{task: tag, times: 3}}
  - {{task: waits_for, args: ["{here}", "{until}"]}}
  body: tag
finally: {{task: appends, args: ["{journal}"]}}
"""


@dataclass(frozen=True)
class Commands:
    """``flowrunner`` as processes, on a cluster with a worker of flowrunner's own."""

    address: ClusterAddress
    folder: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "flowrunner", *arguments],
            env=self.address.environment(),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        environment = self.address.environment()
        ended = run_command_text(*arguments, cwd=self.folder, env=environment, timeout=HANG)
        assert ended.returncode == code, ended.stderr
        return ended.stdout

    def shown(self, run: str) -> Any:
        return json.loads(self.run("show", run, "--output", "json"))

    def await_end(self, run: str) -> Any:
        """Wait until somebody has noted that a run has ended; nobody watches it."""
        deadline = monotonic() + HANG
        while (shown := self.shown(run))["state"] in ("PENDING", "STARTED"):
            assert monotonic() < deadline, f"{run} has not ended"
            sleep(0.5)
        return shown


class OwnWorker(Service):
    """A worker as ``flowrunner worker`` starts it."""

    def __init__(self, address: ClusterAddress, folder: Path) -> None:
        super().__init__(
            [
                *(sys.executable, "-m", "flowrunner", "worker"),
                *("--pool", "threads", "--concurrency", "8"),
            ],
            " ready.",
            cwd=folder,
            env=address.environment(),
        )


@pytest.fixture(scope="module")
def commands(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    address = ClusterAddress(redis.url(8), redis.url(9))
    folder = tmp_path_factory.mktemp("runs")
    with OwnWorker(address, folder):
        yield Commands(address, folder)


def waiting(tmp_path: Path) -> tuple[str, Path, Path, Path]:
    here, until, journal = (tmp_path / name for name in ("here", "until", "journal"))
    file = tmp_path / "waiting.yaml"
    file.write_text(WAITING.format(here=here, until=until, journal=journal))
    return str(file), here, until, journal


def test_a_detached_run_ends_with_its_handlers_though_nobody_looks(
    commands: Commands, tmp_path: Path
) -> None:
    file, here, until, journal = waiting(tmp_path)
    run = commands.run("apply", file, "--detach").strip()
    await_file(here)
    assert commands.shown(run)["state"] == "STARTED"
    until.touch()
    ended = commands.await_end(run)
    assert ended["state"] == "SUCCESS"
    assert ended["result"][0][:3] == [[0], [1], [2]]
    assert len(journal.read_text().splitlines()) == 1


def test_a_run_whose_apply_was_killed_is_watched_to_its_end(
    commands: Commands, tmp_path: Path
) -> None:
    file, here, until, journal = waiting(tmp_path)
    applying = commands.start("apply", file)
    await_file(here)
    applying.send_signal(signal.SIGKILL)
    applying.communicate()
    run = json.loads(commands.run("runs", "--output", "json", "--limit", "1"))[0]["run"]
    watching = commands.start("watch", run, "--output", "json")
    until.touch()
    out, err = watching.communicate(timeout=HANG)
    assert watching.returncode == 0, err
    assert json.loads(out)["state"] == "SUCCESS"
    assert len(journal.read_text().splitlines()) == 1


def test_a_watch_that_is_interrupted_leaves_the_run_alone(
    commands: Commands, tmp_path: Path
) -> None:
    file, here, until, journal = waiting(tmp_path)
    run = commands.run("apply", file, "--detach").strip()
    await_file(here)
    watching = commands.start("watch", run)
    deadline = monotonic() + HANG
    while commands.shown(run)["state"] != "STARTED":
        assert monotonic() < deadline
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=HANG)
    assert watching.returncode in (130, -signal.SIGINT)
    until.touch()
    assert commands.await_end(run)["state"] == "SUCCESS"
    assert len(journal.read_text().splitlines()) == 1


def test_a_wide_nested_run_is_cancelled_and_resumed(commands: Commands, tmp_path: Path) -> None:
    log = tmp_path / "log"
    here, until = tmp_path / "here", tmp_path / "until"
    part = WIDE // 4
    file = tmp_path / "wide.yaml"
    file.write_text(
        f"""
chain:
- chord:
    header:
    - {{task: appends, times: {2 * part}, args: ["${{i}}", "{log}"]}}
    - chord:
        header:
        - {{task: waits_for, args: ["{here}", "{until}"]}}
        - {{task: appends, times: {part}, args: ["${{i}}", "{log}"]}}
        body: {{chord: {{header: [tag, tag], body: tag}}}}
    - chord:
        header: {{task: appends, times: {part}, args: ["${{i}}", "{log}"]}}
        body: tag
    body: tag
- {{task: appends, args: ["{log}"]}}
"""
    )
    run = commands.run("apply", str(file), "--detach").strip()
    await_file(here)
    cancelling = commands.start("cancel", run)
    deadline = monotonic() + HANG
    while not commands.shown(run)["cancelled"]:
        assert monotonic() < deadline
    until.touch()
    out, err = cancelling.communicate(timeout=HANG)
    assert cancelling.returncode == 0, err
    assert "was cancelled" in out
    cancelled = commands.shown(run)
    assert cancelled["state"] == "REVOKED"
    before = len(log.read_text().splitlines()) if log.exists() else 0

    told = json.loads(commands.run("resume", run, "--dry-run", "--output", "json"))
    reused = sum(step["action"] == "reuse" for step in told["steps"])
    assert reused >= before  # what ran is used again
    resumed = commands.run("resume", run)
    ((members,),) = json.loads(resumed)
    assert members[: 2 * part] == [[number] for number in range(2 * part)]
    assert commands.shown(run)["state"] == "SUCCESS"
    assert len(log.read_text().splitlines()) == 4 * part + 1  # each ran once, over both attempts


UNFOLDING = """
chain:
- {{task: echo, args: [[0, 1, 2, 3, 4, 5, 6, 7]], id: numbers}}
- each: ${{prev}}
  do: {{task: appends, args: ["{log}"], retry: 2}}
  max_parallel: 3
- {{task: waits_for, args: ["{here}", "{until}"]}}
- each: ${{numbers}}
  do: {{task: appends, args: ["{log}"], when: item > 3}}
- {{task: tag, args: ["${{len(numbers)}}"]}}
"""
UNFOLDED = [[0, 1, 2, 3, *([number] for number in range(4, 8))], 8]


def unfolding(tmp_path: Path) -> tuple[str, Path, Path, Path]:
    here, until, log = (tmp_path / name for name in ("here", "until", "log"))
    file = tmp_path / "unfolding.yaml"
    file.write_text(UNFOLDING.format(here=here, until=until, log=log))
    return str(file), here, until, log


def test_a_run_that_unfolds_is_driven_by_a_worker(commands: Commands, tmp_path: Path) -> None:
    file, here, until, log = unfolding(tmp_path)
    run = commands.run("apply", file, "--detach").strip()
    await_file(here)
    until.touch()
    ended = commands.await_end(run)
    assert (ended["state"], ended["result"]) == ("SUCCESS", UNFOLDED)
    assert len(log.read_text().splitlines()) == 12


def test_a_run_that_unfolds_is_watched_to_its_end(commands: Commands, tmp_path: Path) -> None:
    file, here, until, log = unfolding(tmp_path)
    applying = commands.start("apply", file)
    await_file(here)
    applying.send_signal(signal.SIGKILL)
    applying.communicate()
    watching = commands.start("watch", "last", "--output", "json")
    until.touch()
    out, err = watching.communicate(timeout=HANG)
    assert watching.returncode == 0, err
    assert json.loads(out)["result"] == UNFOLDED
    assert len(log.read_text().splitlines()) == 12  # each ran once, whoever drove it


def test_a_run_that_unfolds_is_cancelled_and_resumed(commands: Commands, tmp_path: Path) -> None:
    file, here, until, log = unfolding(tmp_path)
    run = commands.run("apply", file, "--detach").strip()
    await_file(here)
    cancelling = commands.start("cancel", run)
    deadline = monotonic() + HANG
    while not commands.shown(run)["cancelled"]:
        assert monotonic() < deadline
    until.touch()
    out, err = cancelling.communicate(timeout=HANG)
    assert (cancelling.returncode, commands.shown(run)["state"]) == (0, "REVOKED"), out + err
    assert len(log.read_text().splitlines()) == 8

    told = json.loads(commands.run("resume", run, "--dry-run", "--output", "json"))
    actions = [step["action"] for step in told["steps"] if step["task"] == "appends"]
    assert actions.count("reuse") == 8
    assert json.loads(commands.run("resume", run)) == UNFOLDED
    assert commands.shown(run)["state"] == "SUCCESS"
    assert len(log.read_text().splitlines()) == 12


RETRIED = """
chain:
- {{task: appends_and_fails, args: ["{log}"], retry: {{max: 2, delay: 0.5, backoff: 4}}}}
- {{task: legacy.third_time, immutable: true}}
on_error: {{task: legacy.third_time, immutable: true}}
"""


def test_a_run_that_is_taken_over_has_the_retries_that_are_left(
    commands: Commands, tmp_path: Path
) -> None:
    log, file = tmp_path / "log", tmp_path / "retried.yaml"
    file.write_text(RETRIED.format(log=log))
    applying = commands.start("apply", str(file))
    await_lines(log, 2)
    applying.send_signal(signal.SIGKILL)
    applying.communicate()
    ended = json.loads(commands.run("watch", "last", "--output", "json", code=1))
    assert len(log.read_text().splitlines()) == 3  # the call and its two retries, by two drivers
    assert [(each["path"], each["retries"]) for each in ended["errors"]] == [("chain[0]", 2)]
    assert retries(commands.shown("last")) == {"chain[0]": 2, "chain[1]": 0, "on_error": 2}
    assert "failed, 2 retries" in commands.run("show", "last")

    commands.run("resume", "last", code=1)  # its retries start anew
    assert len(log.read_text().splitlines()) == 6
    assert retries(commands.shown("last")) == {"chain[0]": 2, "chain[1]": 0, "on_error": 2}


def await_lines(log: Path, count: int) -> None:
    deadline = monotonic() + HANG
    while not log.exists() or len(log.read_text().splitlines()) < count:
        assert monotonic() < deadline
        sleep(0.01)


def retries(shown: Any) -> dict[str, int]:
    return {step["path"]: step["retries"] for step in shown["steps"]}
