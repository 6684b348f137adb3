"""The command line on a real Redis, with a worker in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.services import ClusterAddress, Redis, Service
from tests.forking import run_command_text
from tests.test_readme import CLUSTER, TEXT

ROOT = Path(__file__).parents[2]
COMMANDS = dict(CLUSTER.findall(TEXT))


def script(commands: str, address: ClusterAddress) -> str:
    """Return commands of the README with this cluster's addresses in place of localhost's."""
    assert "redis://localhost/0" in commands
    return commands.replace("redis://localhost/0", address.broker).replace(
        "redis://localhost/1", address.backend
    )


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOWRUNNER_")}
    return {**kept, "PATH": path}


@pytest.fixture(scope="module")
def address(redis: Redis) -> ClusterAddress:
    """Databases of its own, so that no other worker takes what is queued here."""
    return ClusterAddress(redis.url(8), redis.url(9))


@pytest.fixture(scope="module")
def readme_worker(address: ClusterAddress) -> Iterator[Service]:
    """The worker of the README, started by its commands."""
    commands = script(COMMANDS["worker"], address).replace("\nflowrunner", "\nexec flowrunner")
    with Service(["sh", "-euc", commands], " ready.", cwd=ROOT, env=environment()) as worker:
        yield worker


@pytest.mark.usefixtures("readme_worker")
def test_the_commands_of_the_readme_print_285(address: ClusterAddress) -> None:
    ended = subprocess.run(
        ["sh", "-euc", script(COMMANDS["producer"], address)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "285\n"), ended.stderr


def apply(name: str, *, broker: str, backend: str) -> subprocess.CompletedProcess[str]:
    """Run one of the shipped workflows on a cluster that options name."""
    arguments = ["apply", f"workflows/{name}.yaml", "--broker", broker, "--backend", backend]
    return run_command_text(*arguments, cwd=ROOT, env=environment())


@pytest.mark.usefixtures("readme_worker")
@pytest.mark.parametrize(
    ("name", "printed"), [("powersum-negated", "-285"), ("nested", "2640"), ("powersum", "285")]
)
def test_options_name_the_cluster_and_every_workflow_runs_there(
    address: ClusterAddress, name: str, printed: str
) -> None:
    ended = apply(name, broker=address.broker, backend=address.backend)
    assert (ended.returncode, ended.stdout) == (0, f"{printed}\n"), ended.stderr


@pytest.mark.parametrize(
    ("broker", "backend", "words"),
    [
        ("redis://:secret@127.0.0.1:1/0", "redis://127.0.0.1:1/0", "cannot be reached"),
        ("nonsense://x", "redis://127.0.0.1:1/0", "cannot be reached"),
    ],
)
def test_a_cluster_that_is_not_there_exits_with_3_and_hides_the_password(
    broker: str, backend: str, words: str
) -> None:
    ended = apply("powersum", broker=broker, backend=backend)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert words in ended.stderr
    assert "secret" not in ended.stderr
    assert "Traceback" not in ended.stderr
