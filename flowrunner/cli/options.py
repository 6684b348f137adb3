"""Options that several commands have, and the types of their values."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from flowrunner.duration import LIMIT, MOST_SECONDS, read_duration

__all__ = [
    "FILE",
    "Choice",
    "Duration",
    "Integer",
    "app_option",
    "cluster_options",
    "engine_options",
    "input_options",
    "no_plugins_option",
    "output_option",
    "plugin_option",
    "project_options",
    "refused_no_plugins_option",
]

#: A file of the user's; whether it is there is said by a diagnostic, like everything else.
FILE: Final = click.Path(path_type=Path)


def plugin_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--plugin``."""
    return click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="PATH",
        help="Load a plugin: a .py file, a folder of .py files, or a module. Can be repeated.",
    )(command)


def no_plugins_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--no-plugins``."""
    return click.option(
        "--no-plugins",
        is_flag=True,
        help="Load no plugin and no Celery app, so that no code of this folder runs; do not check "
        "tasks.",
    )(command)


def refused_no_plugins_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--no-plugins``, hidden, to a command that says why it refuses it."""
    return click.option("--no-plugins", is_flag=True, hidden=True)(command)


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--output``."""
    return click.option(
        "--output",
        type=Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Output format.",
    )(command)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--concurrency`` and ``--processes``, for the embedded engine."""
    command = click.option(
        "--processes",
        type=Integer(1, 1_000),
        metavar="N",
        help="Run task functions in N processes on the embedded engine, for CPU-bound work.",
    )(command)
    return click.option(
        "--concurrency",
        type=Integer(1, 10_000),
        metavar="N",
        help="Run up to N tasks at a time on the embedded engine.  [default: 32]",
    )(command)


def app_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-A``."""
    return click.option(
        "-A",
        "--app",
        "app",
        metavar="APP",
        help="Use an existing Celery app and its tasks, as celery -A does: package.module:app.",
    )(command)


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--broker`` and ``--backend``."""
    command = click.option(
        "--backend", metavar="URL", help="URL of the cluster's result backend: redis://…"
    )(command)
    return click.option(
        "--broker", metavar="URL", help="URL of the cluster's broker: redis://… or amqp://…"
    )(command)


def project_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add ``--broker``, ``--backend``, ``-A`` and ``--plugin``, and give the command its project.

    The command takes ``project`` in their place, and in that of ``--concurrency``.
    """

    @wraps(command)
    def with_project(
        *,
        broker: str | None,
        backend: str | None,
        app: str | None,
        plugins: tuple[str, ...],
        no_plugins: bool,
        concurrency: int | None = None,
        **given: Any,
    ) -> int:
        from flowrunner.app import Project
        from flowrunner.settings import load_settings

        settings = load_settings(
            plugins=plugins,
            no_plugins=no_plugins,
            app=app,
            broker=broker,
            backend=backend,
            concurrency=concurrency,
        )
        return command(project=Project(settings), **given)

    return cluster_options(app_option(plugin_option(refused_no_plugins_option(with_project))))


def input_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-i`` and ``--inputs``."""
    command = click.option(
        "--inputs",
        "inputs_file",
        type=FILE,
        metavar="FILE",
        help="Read inputs from a YAML or JSON file; -i wins over it.",
    )(command)
    return click.option(
        "-i",
        "--input",
        "inputs",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set an input of the workflow; the value is YAML. Can be repeated.",
    )(command)


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.3
    """Seconds, or a text like ``1h30m``; more than 0 and at most a year."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        seconds = read_duration(value, bare=True) if isinstance(value, str) else value
        if seconds is None or not 0 < seconds <= MOST_SECONDS:
            self.fail(f"must be {LIMIT}, not {value!r}", param, ctx)
        return float(seconds)


class Integer(click.IntRange):
    """An integer within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the integer."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            most = "" if self.max is None else f" to {self.max:,}"
            self.fail(f"must be an integer from {self.min:,}{most}, not {value!r}", param, ctx)


class Choice(click.Choice):  # type: ignore[type-arg]
    """One of a few words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            *first, last = self.choices
            self.fail(f"must be {', '.join(first)} or {last}, not {value!r}", param, ctx)
