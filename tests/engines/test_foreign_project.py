"""The three files of a project that has never heard of flowrunner, as README.md shows them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.plain import project_environment
from tests.engines.plans import HANG
from tests.engines.services import ClusterAddress, Redis, Service
from tests.test_readme import CLUSTER, TEXT

PROJECT = Path(__file__).with_name("foreign_project")
COMMANDS = dict(CLUSTER.findall(TEXT))


def environment(address: ClusterAddress, python: Path) -> dict[str, str]:
    """Return an environment where commands are those beside this Python."""
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    return {**project_environment(address), "PATH": path}


@pytest.fixture
def address(redis: Redis) -> ClusterAddress:
    return ClusterAddress(redis.url(14), redis.url(14))


@pytest.fixture
def their_worker(plain_python: Path, address: ClusterAddress) -> Iterator[None]:
    """Their worker, started by their command, in an environment without flowrunner."""
    command = ["sh", "-euc", f"exec {COMMANDS['app_worker']}"]
    own = environment(address, plain_python)
    with Service(command, " ready.", cwd=PROJECT, env=own) as worker:
        yield
        worker.process.terminate()
        worker.process.wait(HANG)


@pytest.mark.usefixtures("their_worker")
def test_a_nested_workflow_of_its_tasks_runs_on_its_workers(address: ClusterAddress) -> None:
    check, run = COMMANDS["app"].splitlines()
    for command in (f"{check} --output json", run):
        ended = subprocess.run(
            ["sh", "-euc", command],
            cwd=PROJECT,
            env=environment(address, Path(sys.executable)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr + ended.stdout
        if command == run:
            assert json.loads(ended.stdout) == shown_result()
        else:
            found = json.loads(ended.stdout)["findings"]
            assert {"queues", "tasks"} <= {
                each["check"] for each in found if each["severity"] == "ok"
            }


def test_the_project_is_three_files_and_knows_nothing_of_flowrunner() -> None:
    files = {file.name: file.read_text() for file in (PROJECT / "proj").glob("*.py")}
    assert files.pop("__init__.py") == ""
    assert len(files) == 3
    assert not any("flowrunner" in text for text in files.values())
    assert all(f"proj/{name}" in TEXT for name in files)


def shown_result() -> object:
    (shown,) = re.findall(r"```json\n(.*)\n```", TEXT)
    return json.loads(shown)
