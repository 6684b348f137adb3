"""``flowrunner runs``."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from flowrunner.cli.exit_status import SUCCEEDED
from flowrunner.cli.options import Choice, Integer, output_option, project_options
from flowrunner.cli.output import print_json, wants_colour

if TYPE_CHECKING:
    from uuid import UUID

    from flowrunner.app import Project
    from flowrunner.runs.record import RunSummary
    from flowrunner.runs.store import RunStore

__all__ = ["command"]

STATES: Final = ("PENDING", "STARTED", "SUCCESS", "FAILURE", "REVOKED")
COLOURS: Final = {
    "PENDING": "white",
    "STARTED": "cyan",
    "SUCCESS": "green",
    "FAILURE": "red",
    "REVOKED": "yellow",
    "abandoned": "yellow",
}


@click.command("runs")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=Choice(STATES, case_sensitive=False),
    help="List only runs in this state. Can be repeated.",
)
@click.option(
    "--limit",
    type=Integer(1, 1_000_000),
    default=20,
    show_default=True,
    metavar="N",
    help="List the newest N runs.",
)
@output_option
@project_options
def command(
    states: tuple[str, ...],
    limit: int,
    output: str,
    project: Project,
) -> int:
    """List the recorded runs, the newest first.

    Embedded runs are recorded on this machine. Runs on a cluster are recorded in its result
    backend, where every machine finds them.
    """
    from flowrunner.cli.recorded import required_store
    from flowrunner.render.run_list import abandoned_lines, run_table, summary_to_json
    from flowrunner.runs.record import RECORD_STATES

    store = required_store(project)
    found = store.list(limit=limit, states=[each for each in RECORD_STATES if each in states])
    abandoned = _abandoned(store, found)
    if output == "json":
        print_json([summary_to_json(run, abandoned=run.run in abandoned) for run in found])
        return SUCCEEDED
    if not found:
        wanted = f" in state {' or '.join(states)}" if states else ""
        click.echo(f"no run{wanted} is recorded", err=True)
        return SUCCEEDED
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    colour = wants_colour(sys.stdout)
    for line in run_table(
        found,
        width=width,
        abandoned=abandoned,
        styled=lambda text, state: click.style(text, fg=COLOURS[state]) if colour else text,
    ):
        click.echo(line)
    for line in abandoned_lines([run for run in found if run.run in abandoned]):
        click.echo(line)
    return SUCCEEDED


def _abandoned(store: RunStore, runs: list[RunSummary]) -> set[UUID]:
    """Return the runs whose process is gone, and that have not ended in the meantime."""
    from flowrunner.runs.driven import has_lost_its_process
    from flowrunner.runs.store import RunNotFoundError

    found: set[UUID] = set()
    now = datetime.now(UTC)
    for run in runs:
        if has_lost_its_process(run, now=now):
            with suppress(RunNotFoundError):
                if not store.get(run.run).has_ended:
                    found.add(run.run)
    return found
