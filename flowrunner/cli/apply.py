"""``flowrunner apply``."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowrunner.cli.exit_status import FAILED, INTERRUPTED, REFUSED, SUCCEEDED, UNREACHABLE
from flowrunner.cli.options import FILE, app_option, cluster_options, input_options, plugin_option

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.plan import Plan
    from flowrunner.runs.outcome import Outcome

__all__ = ["command"]


@click.command("apply")
@click.argument("file", type=FILE)
@input_options
@click.option("--dry-run", is_flag=True, help="Check it and print its graph; run nothing.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Run up to N tasks at a time on the embedded engine.  [default: 32]",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 1_000),
    metavar="N",
    help="Run task functions in N processes on the embedded engine, for CPU-bound work.",
)
@cluster_options
@click.option(
    "--timeout",
    type=click.FloatRange(0, 31_536_000, min_open=True),
    metavar="SECONDS",
    help="End the run as failed after this time.",
)
@app_option
@plugin_option
def command(
    file: Path,
    inputs: tuple[str, ...],
    inputs_file: Path | None,
    dry_run: bool,
    output: str,
    concurrency: int | None,
    processes: int | None,
    broker: str | None,
    backend: str | None,
    timeout: float | None,
    app: str | None,
    plugins: tuple[str, ...],
) -> int:
    """Check the workflow in FILE, run it and print its result.

    Without a broker it runs in this process, on Celery, with nothing to set up. The result goes
    to stdout, everything else to stderr. Exits with 0 when the run succeeded, 1 when it failed,
    2 when the file or the command line is wrong, 3 when the broker or the result backend cannot
    be reached, 130 when it was interrupted.
    """
    from flowrunner.app import Project
    from flowrunner.cli.output import print_json, refused_json
    from flowrunner.errors import BrokerError, FlowrunnerError
    from flowrunner.settings import load_settings

    try:
        settings = load_settings(
            plugins=plugins,
            app=app,
            broker=broker,
            backend=backend,
            concurrency=concurrency,
        )
        project = Project(settings)
        plan = project.plan(file, inputs=inputs, inputs_file=inputs_file)
        if dry_run:
            return _print_graph(plan, output)
        return _run(project, plan, processes=processes, timeout=timeout, output=output)
    except FlowrunnerError as error:
        if output != "json":
            raise
        print_json(refused_json(error))
        return UNREACHABLE if isinstance(error, BrokerError) else REFUSED


def _print_graph(plan: Plan, output: str) -> int:
    from flowrunner.render.graph import GRAPH_FORMATS

    graph_format = "json" if output == "json" else "tree"
    click.echo(GRAPH_FORMATS[graph_format](plan, False).rstrip("\n"))
    return SUCCEEDED


def _run(
    project: Project, plan: Plan, *, processes: int | None, timeout: float | None, output: str
) -> int:
    from flowrunner.app import InterruptedRunError, run_plan
    from flowrunner.cli.run_output import announcing_interrupts, following, print_outcome, warn
    from flowrunner.runs.run_ledger import RunLedger

    ledger = RunLedger(plan)
    interrupted = False
    with project.engine(processes=processes) as engine:
        engine.check(plan if timeout is None else replace(plan, timeout=timeout))
        warn(engine.warnings)
        gc.freeze()  # what has been made so far stays until the process ends
        gc.enable()
        with announcing_interrupts(plan), following(plan, ledger):
            try:
                outcome = run_plan(plan, engine, ledger=ledger, timeout=timeout)
            except InterruptedRunError as error:
                outcome, interrupted = error.outcome, True
    print_outcome(outcome, plan, ledger, output)
    return INTERRUPTED if interrupted else _status(outcome)


def _status(outcome: Outcome) -> int:
    return SUCCEEDED if outcome.state == "SUCCESS" else FAILED
