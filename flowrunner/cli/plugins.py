"""``flowrunner plugins``."""

from __future__ import annotations

import click

from flowrunner.cli.exit_status import SUCCEEDED
from flowrunner.cli.options import output_option, plugin_option
from flowrunner.cli.output import print_json, say

__all__ = ["command"]


@click.command("plugins")
@plugin_option
@output_option
def command(plugins: tuple[str, ...], output: str) -> int:
    """List the loaded plugins, where each is named and which tasks each provides."""
    from flowrunner.app import Project
    from flowrunner.settings import load_settings

    settings = load_settings(plugins=plugins)
    settings.require_plugins("plugins lists what is loaded")
    project = Project(settings)
    rows = [
        {
            "plugin": plugin.name,
            "version": plugin.version,
            "origin": plugin.origin,
            "tasks": [task.name for task in project.registry if task.plugin == plugin.name],
        }
        for plugin in project.plugins.loaded
    ]
    if output == "json":
        print_json(rows)
        return SUCCEEDED
    if not rows:
        say(
            "no plugin is loaded; name one with --plugin PATH, FLOWRUNNER_PLUGINS or\n"
            'plugins = ["plugins"] under [tool.flowrunner] in pyproject.toml',
            err=True,
        )
    for row in rows:
        version = f" {row['version']}" if row["version"] else ""
        say(f"{row['plugin']}{version}  ({row['origin']})", indent=4)
        say(f"tasks: {', '.join(row['tasks']) or 'none'}", before="  ", indent=9)
    return SUCCEEDED
