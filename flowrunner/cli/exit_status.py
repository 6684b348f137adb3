"""The exit codes, and the one place where an error becomes one."""

from __future__ import annotations

import sys
import traceback
from typing import Final

import click

from flowrunner.errors import BrokerError, FlowrunnerError, WorkflowError

__all__ = [
    "BUG",
    "FAILED",
    "INTERRUPTED",
    "REFUSED",
    "SUCCEEDED",
    "UNREACHABLE",
    "UNREAD",
    "report_error",
]

SUCCEEDED: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
UNREACHABLE: Final = 3
BUG: Final = 70
INTERRUPTED: Final = 130
UNREAD: Final = 141  # what a shell says of a process that SIGPIPE ended


def report_error(error: BaseException) -> int:
    """Say what is wrong on stderr and return the exit code that goes with it."""
    match error:
        case click.ClickException():
            error.show()
            return REFUSED
        case WorkflowError():
            from flowrunner.cli.output import print_diagnostics

            print_diagnostics(error.diagnostics)
            return REFUSED
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
            traceback.print_exception(error)
            _say("BUG: this is flowrunner's own fault; please report it with the text above")
            return BUG


def _say(message: str) -> None:
    click.echo(f"error: {message}", err=True, file=sys.stderr)
