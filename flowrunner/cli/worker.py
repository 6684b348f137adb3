"""``flowrunner worker``."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from threading import Event
from time import time_ns
from typing import TYPE_CHECKING

import click

from flowrunner.cli.exit_status import report_error
from flowrunner.cli.options import (
    Integer,
    app_option,
    cluster_options,
    plugin_option,
    refused_no_plugins_option,
)
from flowrunner.errors import ConfigurationError, FlowrunnerError, PluginError

if TYPE_CHECKING:
    from celery import Celery

    from flowrunner.app import Project

__all__ = ["command"]


@click.command("worker")
@click.option(
    "-c",
    "--concurrency",
    type=Integer(1, 100_000),
    metavar="N",
    help="Run up to N tasks at a time.  [default: one for each processor]",
)
@click.option(
    "-P",
    "--pool",
    metavar="POOL",
    default="prefork",
    show_default=True,
    help="How tasks run in parallel: prefork (processes), threads, solo, gevent, eventlet.",
)
@click.option("-Q", "--queues", metavar="NAMES", help="Take tasks from these queues, a,b,c.")
@click.option(
    "-n",
    "--hostname",
    metavar="NAME",
    help="The worker's name, different from all others; %h is the host's name.  "
    "[default: flowrunner-PID@%h]",
)
@click.option(
    "-l", "--loglevel", metavar="LEVEL", default="INFO", show_default=True, help="Log level."
)
@click.option(
    "--max-tasks-per-child",
    type=Integer(1),
    metavar="N",
    help="Replace a process of the pool after N tasks.",
)
@click.option(
    "--reload",
    is_flag=True,
    help="For development: restart when a plugin file changes; running tasks end first.",
)
@cluster_options
@app_option
@plugin_option
@refused_no_plugins_option
@click.argument("celery_options", nargs=-1, metavar="[-- OPTIONS OF CELERY WORKER…]")
def command(
    concurrency: int | None,
    pool: str,
    queues: str | None,
    hostname: str | None,
    loglevel: str,
    max_tasks_per_child: int | None,
    reload: bool,
    broker: str | None,
    backend: str | None,
    app: str | None,
    plugins: tuple[str, ...],
    no_plugins: bool,
    celery_options: tuple[str, ...],
) -> int:
    """Run a Celery worker that has the plugins' tasks.

    The worker has safe settings. It does not repeat a task that has ended or still runs, starts no
    task of a cancelled run, and restarts itself if it dies. SIGTERM or Ctrl-C stops the worker
    after its running tasks have ended; a second Ctrl-C stops it within 20 seconds. Arguments after
    -- go to celery worker unchanged.
    """
    from flowrunner.app import Project
    from flowrunner.engines.worker_process import run_worker
    from flowrunner.settings import load_settings

    settings = load_settings(
        plugins=plugins, no_plugins=no_plugins, app=app, broker=broker, backend=backend
    )
    settings.require_plugins("a worker runs tasks")
    options = {
        "--concurrency": concurrency,
        "--pool": pool,
        "--queues": queues,
        "--hostname": hostname or f"flowrunner-{os.getpid()}@%h",
        "--loglevel": loglevel,
        "--max-tasks-per-child": max_tasks_per_child,
    }
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    celery_app = _worker_app(Project(settings), celery_options, reload=reload)
    gc.enable()
    # Neighbours are asked for what was revoked, for a second: runs have flags for that.
    quiet = ["--without-mingle", "--without-gossip"]
    return run_worker(celery_app, [*given, *quiet, *celery_options])


def _worker_app(project: Project, celery_options: tuple[str, ...], *, reload: bool) -> Celery:
    if reload:
        _require_foreground(celery_options)
        return _reloading_worker_app(project)
    from flowrunner.supervisor import supervised_worker_app

    return supervised_worker_app(project)


def _require_foreground(celery_options: Sequence[str]) -> None:
    """Refuse Celery's own way into the background: it starts another command."""
    if {"-D", "--detach"} & set(celery_options):
        raise ConfigurationError(
            "--reload cannot be used with Celery's --detach, which starts another command: "
            "remove one of the two"
        )


def _reloading_worker_app(project: Project) -> Celery:
    """Return the app of a worker that starts again when its code changes.

    If the code cannot be loaded, says why, waits for a change and starts this command again.
    """
    from flowrunner.code_watch import CodeWatch, code_of_references, watched_code
    from flowrunner.engines.worker_app import reloading
    from flowrunner.engines.worker_process import start_again
    from flowrunner.supervisor import supervised_worker_app

    began = time_ns()
    try:
        app = supervised_worker_app(project)
    except FlowrunnerError as error:
        if not _is_of_code(error):
            raise
        report_error(error)
        click.echo("the worker restarts when a file changes", err=True)
        CodeWatch(code_of_references(project.settings.plugins), since=began).wait(Event())
        start_again(dict(os.environ))
    watch = CodeWatch(watched_code(project.plugins.loaded), since=began)
    if watch.is_empty:
        raise ConfigurationError(
            "--reload finds no file to watch: only installed packages are loaded; name a "
            "plugin file with --plugin, or install the package with 'pip install --editable'"
        )
    app.Worker.setup.companions.append(reloading(watch))
    return app


def _is_of_code(error: FlowrunnerError) -> bool:
    """Tell whether code of the user's has failed, which a change can mend."""
    return isinstance(error, PluginError) or error.__cause__ is not None
