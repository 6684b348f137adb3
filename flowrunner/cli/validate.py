"""``flowrunner validate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowrunner.cli.exit_status import REFUSED, SUCCEEDED
from flowrunner.cli.options import (
    FILE,
    app_option,
    input_options,
    no_plugins_option,
    output_option,
    plugin_option,
)
from flowrunner.cli.output import print_diagnostics, print_json, refused_json, say, unchecked_text

if TYPE_CHECKING:
    from flowrunner.errors import Diagnostic

__all__ = ["command"]


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE|FOLDER…")
@input_options
@app_option
@plugin_option
@no_plugins_option
@output_option
def command(
    files: tuple[Path, ...],
    inputs: tuple[str, ...],
    inputs_file: Path | None,
    app: str | None,
    plugins: tuple[str, ...],
    no_plugins: bool,
    output: str,
) -> int:
    """Check workflows and report every error in every file.

    For a folder, the command checks every .yaml and .yml file below it, but follows no links and
    enters no hidden folders. Required inputs may be missing; values that depend on them are then
    not checked. Environment variables need not be set. The command exits with 2 if a file has an
    error.
    """
    from flowrunner.app import Project
    from flowrunner.cli.exception_names import exception_warnings
    from flowrunner.errors import WorkflowError
    from flowrunner.loader import WorkflowFiles
    from flowrunner.settings import load_settings

    project = Project(load_settings(plugins=plugins, no_plugins=no_plugins, app=app))
    read = WorkflowFiles()
    found = project.validate(files, inputs=inputs, inputs_file=inputs_file, read=read)
    warnings = exception_warnings(project, read, pickled=lambda: project.settings.app is not None)
    # What is wrong in a file that others use is said once.
    problems = list(dict.fromkeys(each for diagnostics in found.values() for each in diagnostics))
    unchecked = project.unchecked_tasks
    if output == "json":
        from flowrunner.render.diagnostics import diagnostic_to_json

        document: dict[str, Any] = (
            refused_json(WorkflowError(problems))
            if problems
            else {"state": "VALID", "diagnostics": []}
        )
        if unchecked is not None:
            document["tasks_not_checked"] = unchecked
        if warnings:
            document["warnings"] = [diagnostic_to_json(each) for each in warnings]
        print_json(document)
        return REFUSED if problems else SUCCEEDED
    print_diagnostics(problems)
    if problems and warnings:
        click.echo(err=True)
    print_diagnostics(warnings, "warning")
    told = f", {_counted(len(warnings), 'warning')}" if warnings else ""
    if problems:
        wrong = len({_file_of(each, file) for file, those in found.items() for each in those})
        click.echo(
            f"\n{_counted(len(problems), 'problem')} in {_counted(wrong, 'file')}{told}", err=True
        )
    else:
        click.echo(f"{_counted(len(found), 'file')} checked, no problem{told}")
    if unchecked:
        say(unchecked_text(unchecked), err=bool(problems))
    return REFUSED if problems else SUCCEEDED


def _file_of(problem: Diagnostic, named: Path) -> str:
    """Return the file that a problem is in, which may be one that the named file uses."""
    place = problem.location
    return str(named) if place is None or place.source.path is None else place.source.name


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
