"""``flowrunner graph``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.plan import Plan

__all__ = ["command", "print_graph"]


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
    from flowrunner.settings import load_settings

    project = Project(load_settings(plugins=plugins, no_plugins=no_plugins, app=app))
    plan = project.plan(file, inputs=inputs, inputs_file=inputs_file)
    print_graph(project, plan, graph_format, expand=expand)
    return SUCCEEDED


def print_graph(project: Project, plan: Plan, graph_format: str, *, expand: bool = False) -> None:
    """Print a plan's graph; without plugins, also how many tasks were not checked.

    Mermaid and DOT are read by programs, so that goes to stderr beside them.
    """
    from flowrunner.cli.output import say, terminal_width, unchecked_text
    from flowrunner.printable import json_text
    from flowrunner.render.graph import GRAPH_FORMATS
    from flowrunner.render.plan_json import plan_document
    from flowrunner.render.tree import render_tree

    unchecked = project.unchecked_tasks
    if graph_format == "json" and unchecked is not None:
        document = {**plan_document(plan, expand=expand), "tasks_not_checked": unchecked}
        click.echo(json_text(document, indent=2))
        return
    if graph_format == "tree":
        click.echo(render_tree(plan, expand, terminal_width(sys.stdout)))
    else:
        click.echo(GRAPH_FORMATS[graph_format](plan, expand).rstrip("\n"))
    if unchecked:
        say(unchecked_text(unchecked), err=graph_format != "tree")
