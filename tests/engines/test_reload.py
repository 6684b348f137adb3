"""``flowrunner worker --reload``: new code without a lost task."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from flowrunner.app import Project, run_plan
from flowrunner.engines.workers import Workers
from flowrunner.plugins import PluginReference
from flowrunner.settings import Settings
from tests.engines.plans import HANG, await_file
from tests.engines.services import ClusterAddress, OwnWorker, Redis

PLUGIN = """
import time
from pathlib import Path
import flowrunner

HERE = Path(__file__).parent

def version(n):
    with (HERE / "ran").open("a") as ran:
        ran.write("ran\\n")
    if n == 0:
        (HERE / "begun").touch()
        while not (HERE / "until").exists():
            time.sleep(0.01)
    return [VERSION, n]

@flowrunner.hookimpl
def flowrunner_register_tasks(registry):
    registry.add(version)
"""
WORKFLOW = "group: [{task: version, args: [0]}, {task: version, args: [1]}]\n"


@contextmanager
def reloading(
    redis: Redis, folder: Path, namespace: str, *options: str
) -> Iterator[tuple[OwnWorker, Project]]:
    """Run a worker with ``--reload`` and one place for tasks, in a namespace of its own."""
    address = ClusterAddress(redis.url(14), redis.url(14))
    write_plugin(folder, version=1)
    (folder / "workflow.yaml").write_text(WORKFLOW, encoding="utf-8")
    plugin = str(folder / "theirs.py")
    project = Project(
        Settings(
            plugins=(PluginReference(plugin, "the test"),),
            broker=address.broker,
            backend=address.backend,
            namespace=namespace,
        )
    )
    environment = {"FLOWRUNNER_PLUGINS": plugin, "FLOWRUNNER_NAMESPACE": namespace}
    given = ("--reload", "--concurrency", "1", *options)
    with OwnWorker(address, folder, *given, environment=environment) as worker:
        yield worker, project


def write_plugin(folder: Path, *, version: int) -> None:
    (folder / "theirs.py").write_text(f"VERSION = {version}\n{PLUGIN}", encoding="utf-8")


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_worker_takes_new_code_when_what_runs_has_ended(
    redis: Redis, tmp_path: Path, pool: str
) -> None:
    with (
        reloading(redis, tmp_path, pool, "--pool", pool) as (worker, project),
        project.celery_engine() as engine,
        ThreadPoolExecutor(1) as thread,
    ):
        plan = project.plan(tmp_path / "workflow.yaml")
        outcome = thread.submit(run_plan, plan, engine)
        await_file(tmp_path / "begun")
        write_plugin(tmp_path, version=2)
        worker.wait_for("theirs.py has changed: the worker restarts")
        (tmp_path / "until").touch()
        assert outcome.result().result == [[1, 0], [2, 1]]
        assert len((tmp_path / "ran").read_text().splitlines()) == 2
        crew = Workers(engine.app)
        ((told,),) = (each.plugins for each in crew.with_plugins(crew.known()).values())
        (here,) = project.plugin_digests()
        assert (told.tasks, told.digest) == ({"version"}, here.digest)
        assert worker.stop() == 0


def test_a_worker_that_is_asked_to_end_does_not_start_again(redis: Redis, tmp_path: Path) -> None:
    with (
        reloading(redis, tmp_path, "ends", "--pool", "threads") as (worker, project),
        project.celery_engine() as engine,
    ):
        plan = project.plan(tmp_path / "workflow.yaml")
        engine.start(plan, run=uuid4())
        await_file(tmp_path / "begun")
        write_plugin(tmp_path, version=2)
        worker.wait_for("theirs.py has changed: the worker restarts")
        worker.process.terminate()
        (tmp_path / "until").touch()
        assert worker.process.wait(HANG) == 0
        assert sum(" ready." in line for line in worker.output) == 1
