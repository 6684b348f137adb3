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
    help="Stop the running tasks as well, by SIGTERM, on workers of processes.",
)
@click.option("--no-wait", is_flag=True, help="Do not wait for the running tasks.")
@output_option
@project_options
def command(
    run: str,
    terminate: bool,
    no_wait: bool,
    output: str,
    project: Project,
) -> int:
    """Cancel RUN and wait until its running tasks have ended.

    Queued tasks are cancelled without running. After the running tasks, the run ends as cancelled
    and its 'finally' runs. RUN is the id of a run, the start of an id, or 'last' for the newest
    run. The command exits with 0 if the run is cancelled, 1 if it had already ended.
    """
    from flowrunner.cli.cancelling import cancelled
    from flowrunner.cli.recorded import required_store

    store = required_store(project)
    record = store.get(store.find(run))
    return cancelled(project, store, record, terminate=terminate, wait=not no_wait, output=output)
