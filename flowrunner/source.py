"""Where something stands: a source text and a span in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

__all__ = ["Location", "Source"]


@dataclass(frozen=True, eq=False)
class Source:
    """A text that diagnostics can point into.

    ``name`` is what people see (a path as it was typed, or ``-i``); ``path`` is the
    file it was read from, or ``None`` when it never was a file. Diagnostics quote its lines if
    it is ``shown``; they quote no file of inputs, which may hold personal data.
    """

    name: str
    text: str = field(repr=False)
    path: Path | None = None
    shown: bool = True

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        while (newline := find("\n", starts[-1])) >= 0:
            starts.append(newline + 1)
        return starts

    def line(self, number: int) -> str:
        """Return line ``number`` (from 1) without its line ending."""
        starts = self._line_starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and column, both from 1, of a character offset."""
        starts = self._line_starts
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1


@dataclass(frozen=True, slots=True)
class Location:
    """A span of a source: characters ``start`` up to, not including, ``end``.

    Line and column are looked up only when somebody asks: a large file has many
    locations and few of them are ever shown.
    """

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """The line, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column in characters, from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The text of the span."""
        return self.source.text[self.start : self.end]

    def part(self, offset: int, length: int) -> Location:
        """Return the span of ``length`` characters that begins ``offset`` into this one."""
        start = min(self.start + offset, self.end)
        return Location(self.source, start, min(start + max(length, 1), self.end))

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
