"""The exit codes, and the one place where an error becomes one."""

from __future__ import annotations

import sys
import traceback
from io import StringIO
from typing import Final

import click

from flowrunner.cli.usage import usage_text
from flowrunner.errors import BrokerError, FlowrunnerError, UnfitClusterError, WorkflowError
from flowrunner.password import without_password

__all__ = [
    "BUG",
    "FAILED",
    "INTERRUPTED",
    "REFUSED",
    "SUCCEEDED",
    "UNREACHABLE",
    "UNREAD",
    "UNWRITTEN",
    "report_error",
]

SUCCEEDED: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
UNREACHABLE: Final = 3
BUG: Final = 70
UNWRITTEN: Final = 74  # sysexits.h: an error while doing I/O
INTERRUPTED: Final = 130
UNREAD: Final = 141  # what a shell says of a process that SIGPIPE ended


def report_error(error: BaseException) -> int:
    """Say what is wrong on stderr and return the exit code that goes with it."""
    match error:
        case click.ClickException():
            text = usage_text(error)
            if text is not None:
                _say(text)
                return REFUSED
            shown = StringIO()
            error.show(shown)
            _write(shown.getvalue())
            return REFUSED
        case WorkflowError():
            from flowrunner.cli.output import print_diagnostics

            print_diagnostics(error.diagnostics)
            return REFUSED
        case UnfitClusterError():
            from flowrunner.cli.output import print_diagnostics

            print_diagnostics(error.diagnostics)
            return UNREACHABLE
        case BrokerError():
            _say(str(error))
            return UNREACHABLE
        case FlowrunnerError():
            _say(str(error))
            return REFUSED
        case KeyboardInterrupt() | click.Abort():
            _say("interrupted")
            return INTERRUPTED
        case _:
            _write("".join(traceback.format_exception(error)))
            _say("BUG: this is an error in flowrunner; please report it with the text above")
            return BUG


def _say(message: str) -> None:
    from flowrunner.cli.output import terminal_width
    from flowrunner.printable import without_controls
    from flowrunner.render.layout import hanging

    text, width = without_controls(message), terminal_width(sys.stderr)
    _write(f"error: {text if width is None else hanging(text, width, indent=7)}\n")


def _write(text: str) -> None:
    from flowrunner.cli.output import write_to_stderr

    write_to_stderr(without_password(text))
