"""The entry point: which commands there are, and what their errors exit with."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

import click

from flowrunner import __version__
from flowrunner.cli.exit_status import UNREAD, UNWRITTEN, report_error
from flowrunner.errors import FlowrunnerError

__all__ = ["main"]

#: Command → its line in --help. Its module is imported only when it is called.
COMMANDS: Final[dict[str, str]] = {
    "apply": "Check a workflow, run it and print its result.",
    "cancel": "Cancel a run.",
    "config": "Print the settings that apply here, with their origins.",
    "doctor": "Check everything that a run needs.",
    "graph": "Print the graph of a workflow.",
    "plugins": "List the loaded plugins.",
    "resume": "Continue a run and reuse its results.",
    "runs": "List the recorded runs.",
    "show": "Show the tree, errors and result of a run.",
    "tasks": "List the tasks that workflows can call.",
    "validate": "Check workflows and report every error.",
    "watch": "Follow a run to its end.",
    "worker": "Run a Celery worker with the plugins and safe settings.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or ``None`` when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"flowrunner.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named, with its arguments."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from flowrunner.cli.usage import unknown_command

            raise unknown_command(args[0], COMMANDS, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example, without any set-up: flowrunner apply workflows/powersum.yaml",
)
@click.version_option(__version__, "--version", prog_name="flowrunner")
def cli() -> None:
    """Run workflows written in YAML on Celery."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        status = cli.main(arguments, prog_name="flowrunner", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has gone; click makes an exit of that. Nothing else exits here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except OSError as error:
        report_error(FlowrunnerError(f"the output cannot be written: {error.strerror}"))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNWRITTEN
    except BaseException as error:
        return report_error(error)
    return status if isinstance(status, int) else 0
