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
    """Follow RUN to its end, from any machine, and print how it ended.

    RUN is the id of a run, the first characters of it, or 'last' for the newest one. Ctrl-C stops
    watching; the run goes on. Where nobody drives the run any more, watch goes on with it
    and queues what comes next. Exits as 'apply' does.
    """
    from flowrunner.cli.recorded import required_store
    from flowrunner.cli.watching import watched_to_the_end

    project.settings.require_plugins("watch may queue tasks")
    store = required_store(project)
    return watched_to_the_end(project, store, store.get(store.find(run)), output=output)
