"""``flowrunner watch``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowrunner.cli.options import output_option, project_options

if TYPE_CHECKING:
    from flowrunner.app import Project

__all__ = ["command"]


@click.command("watch")
@click.argument("run", metavar="RUN")
@output_option
@project_options
def command(
    run: str,
    output: str,
    project: Project,
) -> int:
    """Follow RUN to its end, from any machine, and print its result.

    RUN is the id of a run, the start of an id, or 'last' for the newest run. Ctrl-C stops watching;
    the run continues. If the run has no driver any more, the command becomes its driver and queues
    its next steps. It exits with the same codes as 'apply'.
    """
    from flowrunner.cli.recorded import required_store
    from flowrunner.cli.watching import watched_to_the_end

    project.settings.require_plugins("watch may queue tasks")
    store = required_store(project)
    return watched_to_the_end(project, store, store.get(store.find(run)), output=output)
