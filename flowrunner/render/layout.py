"""Texts on a terminal of so many columns: cut, or broken between words.

A width of ``None`` is no terminal: nothing is cut or broken there.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import east_asian_width

__all__ = [
    "COMMAND_INDENT",
    "NARROWEST_LABEL",
    "cut",
    "cut_start",
    "display_width",
    "with_state",
    "wrapped",
]

#: How a line begins that is a command, to be copied as it is: no such line is broken.
COMMAND_INDENT: Final = "  "
#: A label keeps so many columns, however long the state behind it is.
NARROWEST_LABEL: Final = 12

#: What stays on one line: a short text in quotes, a command, an option with its value, a word.
_PARTS: Final = re.compile(
    r"(?<!\S)(?:"
    r"\(?'[^'\n]{1,60}'(?!\w)\S*"
    r"|\(?flowrunner [a-z]+(?: --?\w[\w-]*| [0-9a-f-]{8,36})*\S*"
    r"|--\w[\w-]* [^\s-]\S*"
    r")|\S+"
)


def display_width(text: str) -> int:
    """Return the columns that a terminal gives a text: two for most of East Asia's letters."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def cut(text: str, width: int) -> str:
    """Return the start of a text that fits, with an ellipsis where something is missing."""
    if display_width(text) <= width:
        return text
    columns = 0
    for position, letter in enumerate(text):
        columns += display_width(letter)
        if columns >= width:
            return f"{text[:position].rstrip()}…"
    return text


def cut_start(text: str, width: int) -> str:
    """Return the end of a text that fits: of a path, what tells it from its neighbours."""
    return cut(text[::-1], width)[::-1]


def with_state(label: str, state: str, width: int | None) -> str:
    """Return a label with a state behind it; the label is cut where both do not fit."""
    if width is not None:
        label = cut(label, max(width - (display_width(state) + 3 if state else 0), NARROWEST_LABEL))
    return f"{label}   {state}" if state else label


def wrapped(text: str, width: int | None, *, indent: int = 0, commands: bool = True) -> list[str]:
    """Return the lines of a text, none wider than ``width`` if its words allow that.

    The caller puts ``indent`` columns before each line. Blanks at the start of a line stand before
    its rest as well; without ``commands`` such a line is broken like any other.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if width is None or (commands and line.startswith(COMMAND_INDENT)):
            lines.append(line)
        else:
            lines += _broken(line, width - indent)
    return lines


def hanging(
    text: str, width: int | None, indent: int, *, first: int | None = None, commands: bool = True
) -> str:
    """Return a text whose further lines begin with ``indent`` blanks.

    The caller puts ``first`` columns before it, as many if that is not given.
    """
    lines = wrapped(text, width, indent=max(indent, first or 0), commands=commands)
    return "\n".join([lines[0], *(indented(line, width, indent) for line in lines[1:])])


def indented(line: str, width: int | None, indent: int) -> str:
    """Return a line behind ``indent`` blanks, or fewer: as many as let a path or a command fit."""
    columns = display_width(line)
    if width is not None and columns <= width:
        indent = min(indent, width - columns)
    return " " * indent + line


def _broken(line: str, width: int) -> list[str]:
    if display_width(line) <= width:
        return [line]
    blanks = line[: len(line) - len(line.lstrip())]
    lines, here = [], ""
    for part in _PARTS.findall(line):
        longer = f"{here} {part}" if here else f"{blanks}{part}"
        if here and display_width(longer) > width:
            lines.append(here)
            here = f"{blanks}{part}"
        else:
            here = longer
    return [*lines, here]
