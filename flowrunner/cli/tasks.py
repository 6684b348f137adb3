"""``flowrunner tasks``."""

from __future__ import annotations

import click

from flowrunner.cli.exit_status import SUCCEEDED
from flowrunner.cli.options import app_option, output_option, plugin_option
from flowrunner.cli.output import print_json, say

__all__ = ["command"]


@click.command("tasks")
@app_option
@plugin_option
@output_option
def command(app: str | None, plugins: tuple[str, ...], output: str) -> int:
    """List the tasks that workflows can call, with their signatures and docs."""
    from flowrunner.app import Project
    from flowrunner.settings import load_settings

    settings = load_settings(plugins=plugins, app=app)
    settings.require_plugins("tasks lists the tasks of plugins")
    registry = Project(settings).registry
    rows = [
        {
            "task": task.name,
            "signature": str(task.signature),
            "description": task.description,
            "plugin": task.plugin,
            "options": {name: repr(value) for name, value in task.options.items()},
        }
        for task in registry
    ]
    if output == "json":
        print_json(rows)
        return SUCCEEDED
    if not rows:
        click.echo("no plugin registers a task (flowrunner plugins)", err=True)
    for row in rows:
        say(f"{row['task']}{row['signature']}", indent=8)
        first_line = str(row["description"]).partition("\n")[0]
        say(f"{first_line or 'no description'}  [{row['plugin']}]", before="    ")
    return SUCCEEDED
