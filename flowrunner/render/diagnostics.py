"""Diagnostics as people read them: message, excerpt, caret and cure (DESIGN section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct

from flowrunner.errors import Diagnostic, Severity
from flowrunner.printable import printable
from flowrunner.render.layout import display_width, hanging, wrapped
from flowrunner.source import Location

__all__ = ["diagnostic_to_json", "format_diagnostics"]

#: Diagnostics beyond these are counted, not shown.
MOST_DIAGNOSTICS: Final = 50
#: Longer lines are cut around the place that they are shown for.
EXCERPT_WIDTH: Final = 100
#: How much of the line stays before that place.
EXCERPT_BEFORE: Final = 40
#: A line is not cut to less than this on a narrow terminal.
NARROWEST_EXCERPT: Final = 30
TAB: Final = "    "
#: Longer texts are cut: a message may quote whatever a file holds or a task raises.
LONGEST_LINE: Final = 400
MOST_LINES: Final = 60
#: A text with this line is a traceback: its indented lines are no commands.
TRACEBACK: Final = "Traceback (most recent call last):"

_RED, _YELLOW, _BLUE = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m"
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


class _Style(Struct, frozen=True):
    """The characters and colours of an excerpt."""

    colour: bool
    unicode: bool
    width: int | None = None
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
    width: int | None = None,
) -> str:
    """Return diagnostics as text, an empty line between them and no line ending after the last.

    ``colour`` adds ANSI colours; without ``unicode`` the frame is drawn in ASCII. Lines are at most
    ``width`` columns wide, where words allow that.
    """
    style = _Style(colour, unicode, width, severity)
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
    message = style.paint(
        _printable(diagnostic.message, style, indent=len(style.severity) + 2), _BOLD
    )
    yield f"{style.paint(style.severity, style.loud)}: {message}"
    place = diagnostic.location
    margin = " " * (len(str(place.line)) if place else 1)
    if place is not None:
        bar = style.paint(style.bar, _BLUE)
        yield f"{margin} {style.paint(style.corner, _BLUE)} {_printable(str(place), style)}"
        if place.source.shown:
            yield f"{margin} {bar}"
            excerpt, caret = _excerpt(place, style, len(margin) + 3)
            yield f"{style.paint(str(place.line), _BLUE)} {bar} {excerpt}".rstrip()
            yield from (
                f"{margin} {bar} {line}".rstrip() for line in _pointed(diagnostic, caret, style)
            )
        elif diagnostic.label:
            label = _printable(diagnostic.label, style, indent=len(margin) + 3)
            yield f"{margin} {style.paint('=', _BLUE)} {label}"
        if diagnostic.notes and place.source.shown:
            yield f"{margin} {bar}"
    for note in diagnostic.notes:
        text = _printable(note, style, indent=len(margin) + 3)
        yield f"{margin} {style.paint('=', _BLUE)} {text}"


def _pointed(diagnostic: Diagnostic, caret: str, style: _Style) -> Iterator[str]:
    """Yield the carets, and the label behind them, or below them where it has no room."""
    place = diagnostic.location
    margin = len(str(place.line)) + 3 if place else 4
    label = diagnostic.label
    fits = style.width is None or margin + len(caret) + 1 + display_width(label) <= style.width
    blanks = " " * (len(caret) - len(caret.lstrip()))
    pointed = style.paint(caret.lstrip(), style.loud)
    if fits or not label:
        yield f"{blanks}{pointed} {style.paint(_printable(label, style), style.loud)}"
        return
    yield f"{blanks}{pointed}"
    for line in wrapped(label, style.width, indent=margin):
        yield style.paint(_printable_line(line), style.loud)


def _excerpt(place: Location, style: _Style, margin: int) -> tuple[str, str]:
    """Return the place's line, cut to a readable width, and the carets under it."""
    line, widest = place.source.line(place.line), EXCERPT_WIDTH
    if style.width is not None:
        room = style.width - margin - len(style.ellipsis)
        widest = max(min(widest, room if line.isascii() else room // 2), NARROWEST_EXCERPT)
    most_before = min(EXCERPT_BEFORE, widest // 2)
    start = min(place.column - 1, len(line))
    length = max(min(place.end - place.start, len(line.rstrip()) - start), 1)
    before, marked, after = line[:start], line[start : start + length], line[start + length :]
    if len(line) > widest:
        if len(before) > most_before:
            before = style.ellipsis + before[-most_before:]
        room = widest - len(before)
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


def _printable(text: str, style: _Style, *, indent: int = 0) -> str:
    """Return a text that cannot move the cursor, colour the terminal or turn the reading order.

    Lines after the first are indented by so many blanks.
    """
    if len(text) <= LONGEST_LINE and text.isprintable() and style.width is None:
        return text
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"… and {len(lines) - MOST_LINES + 1:,} more lines"]
    shown = "\n".join(map(_printable_line, lines))
    is_traceback = TRACEBACK in shown
    return hanging(shown, style.width, indent, commands=not is_traceback)


def _printable_line(line: str) -> str:
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE - 1]}…"
    return printable(line)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
