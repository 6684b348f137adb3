"""What is wrong with a command line, in flowrunner's words; click has its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from flowrunner.suggestion import did_you_mean

__all__ = ["unknown_command", "usage_text"]

#: Commands as other programs call them.
_MEANT: Final = {
    **dict.fromkeys(("run", "start", "exec", "submit"), "apply"),
    **dict.fromkeys(("check", "lint", "verify"), "validate"),
    **dict.fromkeys(("list", "ls", "ps", "history"), "runs"),
    **dict.fromkeys(("status", "logs", "inspect", "describe"), "show"),
    **dict.fromkeys(("stop", "abort", "kill", "revoke"), "cancel"),
    **dict.fromkeys(("retry", "rerun", "restart", "continue"), "resume"),
    **dict.fromkeys(("plan", "diagram", "draw", "dot"), "graph"),
    **dict.fromkeys(("follow", "tail", "attach"), "watch"),
    **dict.fromkeys(("settings", "env"), "config"),
    "health": "doctor",
}
_EXTRA: Final = re.compile(r"unexpected extra arguments? \((.*)\)", re.DOTALL)


def unknown_command(name: str, commands: Iterable[str], ctx: click.Context) -> click.UsageError:
    """Return the error that says that there is no such command."""
    known = sorted(commands)
    if Path(name).suffix in (".yaml", ".yml", ".json"):
        cure = f"run a workflow with: flowrunner apply {name}"
    elif name.lower() in _MEANT:
        cure = f"use '{_MEANT[name.lower()]}'"
    else:
        cure = did_you_mean(name, known, f"commands: {', '.join(known)}")
    return click.UsageError(f"flowrunner has no command '{name}'; {cure}", ctx)


def usage_text(error: click.ClickException) -> str | None:
    """Return what to say of an error of click's; ``None`` if click says it well, as its help."""
    if not isinstance(error, click.UsageError) or type(error).__name__ == "NoArgsIsHelpError":
        return None
    command = "flowrunner" if error.ctx is None else error.ctx.command_path
    match error:
        case click.MissingParameter():
            return _with_usage(f"'{command}' needs {_named(error)}", error.ctx)
        case click.NoSuchOption():
            return f"'{command}' has no option '{error.option_name}'; {_option_cure(error)}"
        case click.BadOptionUsage():
            return _option_usage(error)
        case click.BadParameter():
            text = error.message.rstrip(".")
            return (
                f"{_named(error)} {text}" if text.startswith("must") else f"{_named(error)}: {text}"
            )
    extra = _EXTRA.search(error.message)
    if extra is not None:
        return _with_usage(f"'{command}' takes no further argument: {extra[1]}", error.ctx)
    return error.message.rstrip(".")


def _named(error: click.BadParameter) -> str:
    if error.param is None:
        return "the command line"
    return error.param.get_error_hint(error.ctx) if error.ctx else f"'{error.param.name}'"


def _options(ctx: click.Context | None) -> dict[str, click.Option]:
    params = [] if ctx is None else ctx.command.get_params(ctx)
    return {
        name: each
        for each in params
        if isinstance(each, click.Option) and not each.hidden
        for name in (*each.opts, *each.secondary_opts)
    }


def _option_cure(error: click.NoSuchOption) -> str:
    command = "flowrunner" if error.ctx is None else error.ctx.command_path
    return did_you_mean(
        error.option_name, _options(error.ctx), f"'{command} --help' lists the options"
    )


def _option_usage(error: click.BadOptionUsage) -> str:
    if "does not take a value" in error.message:
        return f"'{error.option_name}' takes no value"
    return f"'{error.option_name}' needs a value"


def _with_usage(message: str, ctx: click.Context | None) -> str:
    if ctx is None:
        return message
    usage = " ".join((ctx.command_path, *ctx.command.collect_usage_pieces(ctx)))
    return f"{message}\n  = usage: {usage}"
