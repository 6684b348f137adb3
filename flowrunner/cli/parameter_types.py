"""Types of options, whose errors say what the value must be."""

from __future__ import annotations

from typing import Any

import click

from flowrunner.duration import LIMIT, MOST_SECONDS, read_duration

__all__ = ["Choice", "Duration", "Integer"]


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
