"""``flowrunner show``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from flowrunner.cli.exit_status import SUCCEEDED
from flowrunner.cli.options import output_option, project_options
from flowrunner.cli.output import (
    print_json,
    say,
    terminal_width,
    wants_colour,
    wants_unicode,
)

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.render.run_record import ShownRun

__all__ = ["command"]


@click.command("show")
@click.argument("run", metavar="RUN")
@click.option("--full", is_flag=True, help="List every call, not only the tree.")
@output_option
@project_options
def command(
    run: str,
    full: bool,
    output: str,
    project: Project,
) -> int:
    """Show the tree, errors and result of RUN, while it runs or after.

    RUN is the id of a run, the start of an id, or 'last' for the newest run. The command exits with
    0 however the run has ended.
    """
    from flowrunner.render.run_record import run_to_json

    shown = _shown(project, run)
    if output == "json":
        print_json(run_to_json(shown))
    else:
        _print(shown, full=full)
    return SUCCEEDED


def _shown(project: Project, name: str) -> ShownRun:
    from flowrunner.cli.recorded import read_again, required_store
    from flowrunner.render.run_record import ShownRun
    from flowrunner.runs.recorded import recorded_ledger, recorded_outcome

    store = required_store(project)
    record, abandoned = read_again(store, store.get(store.find(name)))
    steps = project.recorded_steps(record)
    ledger = recorded_ledger(record, steps)
    outcome = recorded_outcome(record, ledger)
    return ShownRun(record, steps, ledger, outcome, store.driver(record.run), abandoned)


def _print(run: ShownRun, *, full: bool) -> None:
    from flowrunner.render.diagnostics import format_diagnostics
    from flowrunner.render.outcome import result_text
    from flowrunner.render.run_record import call_lines, failures_so_far, run_lines

    width = terminal_width(sys.stdout)
    for line in run_lines(run, width=width):
        click.echo(line)
    if full:
        click.echo()
        for line in call_lines(run, width=width):
            click.echo(line)
    found = failures_so_far(run)
    if found:
        text = format_diagnostics(
            found,
            colour=wants_colour(sys.stdout),
            unicode=wants_unicode(sys.stdout),
            width=width,
        )
        click.echo()
        sys.stdout.write(f"{text.rstrip()}\n")
    if run.outcome is not None and run.outcome.has_result:
        click.echo()
        text = result_text(run.outcome.result, terminal=sys.stdout.isatty())
        sys.stdout.write(f"{text}\n")  # click.echo would drop escapes
    elif run.outcome is not None and run.outcome.state == "SUCCESS":
        click.echo()
        say("its result is not stored: it has expired, or was too large")
