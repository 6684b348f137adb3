"""``flowrunner cancel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowrunner.cli.options import output_option, project_options

if TYPE_CHECKING:
    from flowrunner.app import Project

__all__ = ["command"]


@click.command("cancel")
@click.argument("run", metavar="RUN")
@click.option(
    "--terminate",
    is_flag=True,
    help="End what runs as well, by SIGTERM, on workers of processes.",
)
@click.option("--no-wait", is_flag=True, help="Do not wait until what runs has ended.")
@output_option
@project_options
def command(
    run: str,
    terminate: bool,
    no_wait: bool,
    output: str,
    project: Project,
) -> int:
    """Let nothing more of RUN start, and wait until what runs has ended.

    What is queued ends as REVOKED without running, and so does the run; its 'finally' runs. RUN is
    the id of a run, the first characters of it, or 'last' for the newest one. Exits with 0 when
    the run is cancelled, 1 when it had ended before.
    """
    from flowrunner.cli.cancelling import cancelled
    from flowrunner.cli.recorded import required_store

    store = required_store(project)
    record = store.get(store.find(run))
    return cancelled(project, store, record, terminate=terminate, wait=not no_wait, output=output)
