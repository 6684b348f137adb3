"""The graph of a plan on stdout, with what was not checked."""

from __future__ import annotations

import sys

import click

from flowrunner.app import Project
from flowrunner.cli.output import say, terminal_width, unchecked_text
from flowrunner.plan import Plan
from flowrunner.printable import json_text
from flowrunner.render.graph import GRAPH_FORMATS
from flowrunner.render.plan_json import plan_document
from flowrunner.render.tree import render_tree

__all__ = ["print_graph"]


def print_graph(project: Project, plan: Plan, graph_format: str, *, expand: bool = False) -> None:
    """Print a plan's graph; without plugins, also how many tasks were not checked.

    Mermaid and DOT are read by programs, so that goes to stderr beside them.
    """
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
