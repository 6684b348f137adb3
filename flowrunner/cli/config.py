"""``flowrunner config``."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from flowrunner.cli.exit_status import REFUSED, SUCCEEDED
from flowrunner.cli.options import (
    Integer,
    app_option,
    cluster_options,
    output_option,
    plugin_option,
)
from flowrunner.cli.output import print_json, say
from flowrunner.printable import printable

__all__ = ["command"]


@click.command("config")
@click.option(
    "--concurrency",
    type=Integer(1, 10_000),
    metavar="N",
    help="Number of tasks that the embedded engine runs at a time.",
)
@cluster_options
@app_option
@plugin_option
@output_option
def command(
    concurrency: int | None,
    broker: str | None,
    backend: str | None,
    app: str | None,
    plugins: tuple[str, ...],
    output: str,
) -> int:
    """Print the settings that apply in this directory, with the origin of each.

    Passwords are printed as **. An error names the file and the key of a wrong setting, and its
    fix.
    """
    from flowrunner.cli.output import refused_json
    from flowrunner.errors import FlowrunnerError
    from flowrunner.settings import load_settings, misspelt_variables, shown_settings

    try:
        settings = load_settings(
            plugins=plugins, app=app, broker=broker, backend=backend, concurrency=concurrency
        )
    except FlowrunnerError as error:
        if output != "json":
            raise
        print_json(refused_json(error))
        return REFUSED
    rows = shown_settings(settings)
    if output == "json":
        print_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
    else:
        _print_table([(name, _text(value), origin) for name, value, origin in rows])
    for name, right in misspelt_variables(os.environ).items():
        say(f"unknown setting {name}; did you mean {right}?", err=True)
    return SUCCEEDED


def _text(value: Any) -> str:
    if value is None or value in ([], {}):
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _print_table(rows: list[tuple[str, str, str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, value, origin in rows:
        line = f"{name:<{widths[0]}}  {value:<{min(widths[1], 40)}}  {origin}"
        click.echo(printable(line))
