"""``flowrunner apply``."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowrunner.cli.exit_status import REFUSED, SUCCEEDED, UNREACHABLE
from flowrunner.cli.options import (
    FILE,
    Duration,
    app_option,
    cluster_options,
    engine_options,
    input_options,
    no_plugins_option,
    output_option,
    plugin_option,
)

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.engines.protocol import Engine
    from flowrunner.loader import WorkflowFiles
    from flowrunner.plan import Plan

__all__ = ["command"]


@click.command("apply")
@click.argument("file", type=FILE)
@input_options
@click.option(
    "--dry-run", is_flag=True, help="Check the workflow and print its graph; run nothing."
)
@click.option(
    "--detach",
    is_flag=True,
    help="Queue the run on the cluster, print its id and return; a 'flowrunner worker' then "
    "drives the run.",
)
@output_option
@engine_options
@cluster_options
@click.option(
    "--timeout",
    type=Duration(),
    metavar="DURATION",
    help="Let the run fail after this time.",
)
@app_option
@plugin_option
@no_plugins_option
def command(
    file: Path,
    inputs: tuple[str, ...],
    inputs_file: Path | None,
    dry_run: bool,
    detach: bool,
    output: str,
    concurrency: int | None,
    processes: int | None,
    broker: str | None,
    backend: str | None,
    timeout: float | None,
    app: str | None,
    plugins: tuple[str, ...],
    no_plugins: bool,
) -> int:
    """Check the workflow in FILE, run it and print its result.

    Without a broker, the workflow runs in this process, on Celery, and needs no set-up. The result
    goes to stdout, everything else to stderr. The command exits with 0 if the run succeeded, 1 if
    it failed, 2 if the file or the command line is wrong, 3 if the broker or the result backend
    cannot be reached, 130 if the run was interrupted.
    """
    from flowrunner.app import Project
    from flowrunner.cli.output import print_json, refused_json, unfinished_json
    from flowrunner.errors import BrokerError, FlowrunnerError, UnfinishedRunError
    from flowrunner.loader import WorkflowFiles
    from flowrunner.settings import load_settings

    try:
        settings = load_settings(
            plugins=plugins,
            no_plugins=no_plugins,
            app=app,
            broker=broker,
            backend=backend,
            concurrency=concurrency,
        )
        if not dry_run:
            settings.require_plugins("apply without --dry-run runs tasks")
        project = Project(settings)
        # Only a run needs the secrets that the workflow names.
        environment = None if dry_run else os.environ
        files = WorkflowFiles()
        plan = project.plan(
            file, inputs=inputs, inputs_file=inputs_file, environment=environment, files=files
        )
        if dry_run:
            from flowrunner.cli.graph import print_graph

            print_graph(project, plan, "json" if output == "json" else "tree")
            return SUCCEEDED
        return _run(
            project,
            plan,
            files,
            processes=processes,
            timeout=timeout,
            detach=detach,
            output=output,
        )
    except FlowrunnerError as error:
        if output != "json":
            raise
        if isinstance(error, UnfinishedRunError):
            print_json(unfinished_json(error))
        else:
            print_json(refused_json(error))
        return UNREACHABLE if isinstance(error, BrokerError) else REFUSED


def _run(
    project: Project,
    plan: Plan,
    files: WorkflowFiles,
    *,
    processes: int | None,
    timeout: float | None,
    detach: bool,
    output: str,
) -> int:
    from flowrunner.cli.exception_names import exception_warnings
    from flowrunner.cli.output import print_diagnostics
    from flowrunner.cli.run_output import run_here, warn, warn_of
    from flowrunner.driver import new_record
    from flowrunner.environment import hardly_hidden

    with project.engine(processes=processes) as engine:
        engine.check(plan if timeout is None else replace(plan, timeout=timeout))
        warn_of([*engine.warnings, *hardly_hidden(plan.env)])
        print_diagnostics(
            exception_warnings(project, files, pickled=lambda: bool(engine.plain_workers(plan))),
            "warning",
        )
        gc.freeze()  # what has been made so far stays until the process ends
        gc.enable()
        if detach:
            return _detach(project, plan, timeout=timeout, output=output, engine=engine)
        record = new_record(plan, cluster=project.has_cluster, timeout=timeout)
        store = project.recording(record, warn=warn)
        return run_here(record, engine, store, output=output)


def _detach(
    project: Project, plan: Plan, *, timeout: float | None, output: str, engine: Engine
) -> int:
    """Queue a run and print its id: whoever follows it, and ends it, is somewhere else."""
    from flowrunner.cli.output import print_json, say
    from flowrunner.driver import detach, new_record

    record = new_record(plan, cluster=project.has_cluster, timeout=timeout)
    detach(record, engine, project.run_store())
    if output == "json":
        print_json({"run": str(record.run), "workflow": plan.name, "state": "STARTED"})
        return SUCCEEDED
    click.echo(record.run)
    if sys.stderr.isatty():
        say(f"queued; follow the run with\n  flowrunner watch {record.run}", err=True)
    return SUCCEEDED
