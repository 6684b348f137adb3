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
    "--dry-run", is_flag=True, help="Print which results are used again and what runs; run nothing."
)
@click.option(
    "--as-recorded",
    "changed",
    flag_value="recorded",
    help="The file has changed: go on with the workflow as it was.",
)
@click.option(
    "--as-changed",
    "changed",
    flag_value="changed",
    help="The file has changed: go on with it as it is; what has changed runs again, and what "
    "comes after that.",
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
    """Run again what did not succeed in RUN, and what comes after it.

    Results that exist are used again, and so is what was decided with them. RUN is the id of a run
    that has ended, or that was left by the process that ran it; the first characters of the id, or
    'last'. A workflow whose file, or a file that it uses, has changed since is refused unless one
    of the options says what holds. Exits as 'apply' does.
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
