"""``flowrunner resume``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from flowrunner.cli.options import engine_options, output_option, project_options

if TYPE_CHECKING:
    from flowrunner.app import Project

__all__ = ["command"]


@click.command("resume")
@click.argument("run", metavar="RUN")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print which results are reused and which steps would run; run nothing.",
)
@click.option(
    "--as-recorded",
    "changed",
    flag_value="recorded",
    help="If the file has changed: ignore the changes.",
)
@click.option(
    "--as-changed",
    "changed",
    flag_value="changed",
    help="If the file has changed: run the changed steps and the steps that follow them.",
)
@output_option
@engine_options
@project_options
def command(
    run: str,
    dry_run: bool,
    changed: str | None,
    output: str,
    processes: int | None,
    project: Project,
) -> int:
    """Run the steps of RUN that did not succeed, and the steps that follow them.

    Existing results are reused; decisions based on them stay the same. RUN is the id of a run, the
    start of an id, or 'last' for the newest run. The run must have ended, or the process that ran
    it must be gone. If the workflow's file or a file that it uses has changed, the command refuses
    unless you choose --as-recorded or --as-changed. It exits with the same codes as 'apply'.
    """
    from flowrunner.cli.recorded import required_store
    from flowrunner.cli.resuming import resumed

    project.settings.require_plugins("resume runs tasks")
    store = required_store(project)
    record = store.get(store.find(run))
    return resumed(
        project,
        store,
        record,
        dry_run=dry_run,
        changed=changed,
        processes=processes,
        output=output,
    )
