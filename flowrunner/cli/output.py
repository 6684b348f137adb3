"""What goes where: results to stdout, everything else to stderr; colour on a terminal only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO

from flowrunner.errors import (
    Diagnostic,
    FlowrunnerError,
    Severity,
    UnfinishedRunError,
    UnfitClusterError,
    WorkflowError,
)
from flowrunner.password import without_password
from flowrunner.printable import json_text

#: The columns of a terminal that does not tell.
UNKNOWN_WIDTH: Final = 80

__all__ = [
    "print_diagnostics",
    "print_json",
    "refused_json",
    "say",
    "terminal_width",
    "unchecked_text",
    "unfinished_json",
    "wants_colour",
    "wants_unicode",
    "write_to_stderr",
]


def wants_colour(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that shows colour; https://no-color.org is kept."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def wants_unicode(stream: TextIO) -> bool:
    """Tell whether a stream can carry more than ASCII."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def terminal_width(stream: TextIO) -> int | None:
    """Return the columns of the terminal that a stream is, or ``None`` if it is no terminal."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or UNKNOWN_WIDTH
    except OSError:
        return UNKNOWN_WIDTH


def say(text: str, *, err: bool = False, before: str = "", indent: int | None = None) -> None:
    """Print a text for people, broken between words where it meets the end of the terminal.

    ``before`` stands before the first line, and ``indent`` blanks before the others, as many if
    it is not given.
    """
    import click

    from flowrunner.render.layout import hanging

    width, first = terminal_width(sys.stderr if err else sys.stdout), len(before)
    indent = first if indent is None else indent
    click.echo(before + hanging(text, width, indent, first=first), err=err)


def print_diagnostics(diagnostics: Iterable[Diagnostic], severity: Severity = "error") -> None:
    """Print diagnostics on stderr, if there are any."""
    diagnostics = list(diagnostics)
    if not diagnostics:
        return
    from flowrunner.render.diagnostics import format_diagnostics

    text = format_diagnostics(
        diagnostics,
        colour=wants_colour(sys.stderr),
        unicode=wants_unicode(sys.stderr),
        severity=severity,
        width=terminal_width(sys.stderr),
    )
    write_to_stderr(text.rstrip("\n") + "\n")


def write_to_stderr(text: str) -> None:
    """Write to stderr, without secrets; one that is full or gone does not change the exit code."""
    masking = sys.modules.get("flowrunner.masking")  # not there: no secret was met
    if masking is not None:
        text = masking.masked_text(text)
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout."""
    sys.stdout.write(json_text(value, indent=2, ascii_only=not wants_unicode(sys.stdout)) + "\n")


def unfinished_json(error: UnfinishedRunError) -> dict[str, Any]:
    """Return what ``--output json`` prints of a run that was queued when a server went away."""
    refused = refused_json(error)
    return {**refused, "run": error.run, "workflow": error.workflow, "state": error.state}


def refused_json(error: FlowrunnerError) -> dict[str, Any]:
    """Return what ``--output json`` prints for what is refused."""
    diagnostics = (
        error.diagnostics
        if isinstance(error, WorkflowError | UnfitClusterError)
        else (Diagnostic(without_password(str(error))),)
    )
    from flowrunner.masking import masked_data
    from flowrunner.render.diagnostics import diagnostic_to_json

    found = [masked_data(diagnostic_to_json(each)) for each in diagnostics]
    return {"state": "REFUSED", "diagnostics": found}


def unchecked_text(count: int) -> str:
    """Return how many tasks were not checked, and why, on one line."""
    return f"{count:,} task{'s' * (count != 1)} not checked: no plugins were loaded"
