"""``flowrunner graph``."""

from __future__ import annotations

from pathlib import Path

import click

from flowrunner.cli.exit_status import SUCCEEDED
from flowrunner.cli.options import (
    FILE,
    Choice,
    app_option,
    input_options,
    no_plugins_option,
    plugin_option,
)

__all__ = ["command"]


@click.command("graph")
@click.argument("file", type=FILE)
@click.option(
    "--format",
    "graph_format",
    type=Choice(["tree", "mermaid", "dot", "json"]),
    default="tree",
    show_default=True,
)
@click.option("--expand", is_flag=True, help="Show every call of a fan-out.")
@input_options
@app_option
@plugin_option
@no_plugins_option
def command(
    file: Path,
    graph_format: str,
    expand: bool,
    inputs: tuple[str, ...],
    inputs_file: Path | None,
    app: str | None,
    plugins: tuple[str, ...],
    no_plugins: bool,
) -> int:
    """Check FILE and print its graph, without running it."""
    from flowrunner.app import Project
    from flowrunner.cli.graph_output import print_graph
    from flowrunner.settings import load_settings

    project = Project(load_settings(plugins=plugins, no_plugins=no_plugins, app=app))
    plan = project.plan(file, inputs=inputs, inputs_file=inputs_file)
    print_graph(project, plan, graph_format, expand=expand)
    return SUCCEEDED
