"""Diagnostics as people read them: message, excerpt, caret and cure (DESIGN section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from flowrunner.errors import Diagnostic
from flowrunner.finding import Severity
from flowrunner.printable import printable
from flowrunner.source import Location

__all__ = ["diagnostic_to_json", "format_diagnostics"]

#: Diagnostics beyond these are counted, not shown.
MOST_DIAGNOSTICS: Final = 50
#: Longer lines are cut around the place that they are shown for.
EXCERPT_WIDTH: Final = 100
#: How much of the line stays before that place.
EXCERPT_BEFORE: Final = 40
TAB: Final = "    "
#: Longer texts are cut: a message may quote whatever a file holds or a task raises.
LONGEST_LINE: Final = 400
MOST_LINES: Final = 60

_RED, _YELLOW, _BLUE = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m"
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class _Style:
    """The characters and colours of an excerpt."""

    colour: bool
    unicode: bool
    severity: Severity = "error"

    @property
    def loud(self) -> str:
        """The colour of what is pointed at."""
        return _RED if self.severity == "error" else _YELLOW

    def paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self.colour and text else text

    @property
    def corner(self) -> str:
        return "┌─" if self.unicode else "-->"

    @property
    def bar(self) -> str:
        return "│" if self.unicode else "|"

    @property
    def ellipsis(self) -> str:
        return "…" if self.unicode else "..."


def format_diagnostics(
    diagnostics: Iterable[Diagnostic],
    *,
    colour: bool = False,
    unicode: bool = True,
    severity: Severity = "error",
) -> str:
    """Return diagnostics as text, an empty line between them and no line ending after the last.

    ``colour`` adds ANSI colours; without ``unicode`` the frame is drawn in ASCII.
    """
    style = _Style(colour, unicode, severity)
    every = list(diagnostics)
    blocks = ["\n".join(_lines(each, style)) for each in every[:MOST_DIAGNOSTICS]]
    if len(every) > MOST_DIAGNOSTICS:
        blocks.append(f"{style.ellipsis} and {len(every) - MOST_DIAGNOSTICS:,} more problems")
    return "\n\n".join(blocks)


def diagnostic_to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return a diagnostic as the object that ``--output json`` prints; lines and columns from 1."""
    place = diagnostic.location
    return {
        "file": place.source.name if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "notes": list(diagnostic.notes),
    }


def _lines(diagnostic: Diagnostic, style: _Style) -> Iterator[str]:
    message = style.paint(_printable(diagnostic.message, indent=7), _BOLD)
    yield f"{style.paint(style.severity, style.loud)}: {message}"
    place = diagnostic.location
    margin = " " * (len(str(place.line)) if place else 1)
    if place is not None:
        bar = style.paint(style.bar, _BLUE)
        yield f"{margin} {style.paint(style.corner, _BLUE)} {_printable(str(place))}"
        yield f"{margin} {bar}"
        excerpt, caret = _excerpt(place, style)
        yield f"{style.paint(str(place.line), _BLUE)} {bar} {excerpt}".rstrip()
        pointed = style.paint(caret.lstrip(), style.loud)
        label = style.paint(_printable(diagnostic.label), style.loud)
        yield f"{margin} {bar} {' ' * (len(caret) - len(caret.lstrip()))}{pointed} {label}".rstrip()
        if diagnostic.notes:
            yield f"{margin} {bar}"
    for note in diagnostic.notes:
        yield f"{margin} {style.paint('=', _BLUE)} {_printable(note, indent=len(margin) + 3)}"


def _excerpt(place: Location, style: _Style) -> tuple[str, str]:
    """Return the place's line, cut to a readable width, and the carets under it."""
    line = place.source.line(place.line)
    start = min(place.column - 1, len(line))
    length = max(min(place.end - place.start, len(line.rstrip()) - start), 1)
    before, marked, after = line[:start], line[start : start + length], line[start + length :]
    if len(line) > EXCERPT_WIDTH:
        if len(before) > EXCERPT_BEFORE:
            before = style.ellipsis + before[-EXCERPT_BEFORE:]
        room = EXCERPT_WIDTH - len(before)
        if len(marked) > room:
            marked, after = marked[:room], style.ellipsis
        elif len(marked) + len(after) > room:
            after = after[: room - len(marked)] + style.ellipsis
    before, marked, after = (_shown(part) for part in (before, marked, after))
    return before + marked + after, " " * _width(before) + "^" * max(_width(marked), 1)


def _shown(text: str) -> str:
    """Return what a terminal shows in as many columns as :func:`_width` says."""
    if text.isprintable():
        return text
    return "".join(TAB if char == "\t" else char if char.isprintable() else "�" for char in text)


def _printable(text: str, *, indent: int = 0) -> str:
    """Return a text that cannot move the cursor, colour the terminal or turn the reading order.

    Lines after the first are indented by so many blanks.
    """
    if len(text) <= LONGEST_LINE and text.isprintable():
        return text
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"… and {len(lines) - MOST_LINES + 1:,} more lines"]
    return ("\n" + " " * indent).join(_printable_line(line) for line in lines)


def _printable_line(line: str) -> str:
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE - 1]}…"
    return printable(line)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
