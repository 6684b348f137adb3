"""``flowrunner resume``."""

from __future__ import annotations

import click

from flowrunner.cli.options import (
    app_option,
    cluster_options,
    engine_options,
    output_option,
    plugin_option,
)

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
@cluster_options
@app_option
@plugin_option
def command(
    run: str,
    dry_run: bool,
    changed: str | None,
    output: str,
    concurrency: int | None,
    processes: int | None,
    broker: str | None,
    backend: str | None,
    app: str | None,
    plugins: tuple[str, ...],
) -> int:
    """Run again what did not succeed in RUN, and what comes after it.

    Results that exist are used again. RUN is the id of a run that has ended, or that was left by
    the process that ran it; the first characters of the id, or 'last'. A workflow whose file has
    changed since is refused unless one of the options says what holds. Exits as 'apply' does.
    """
    from flowrunner.app import Project
    from flowrunner.cli.recorded import required_store
    from flowrunner.cli.resuming import resumed
    from flowrunner.settings import load_settings

    settings = load_settings(
        plugins=plugins, app=app, broker=broker, backend=backend, concurrency=concurrency
    )
    project = Project(settings)
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
