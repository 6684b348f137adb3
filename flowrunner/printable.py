"""Texts that no terminal takes for commands: it moves no cursor and turns no reading order."""

from __future__ import annotations

import json
import re
from typing import Any, Final

__all__ = ["json_text", "printable", "without_controls"]

#: Unicode's bidirectional controls: https://www.unicode.org/reports/tr9/#Directional_Formatting_Codes
_BIDIRECTIONAL: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
#: C0 without tabs and line feeds, DEL, C1: ECMA-48.
_CONTROLS: Final = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDIRECTIONAL}]")


def printable(text: str) -> str:
    """Return a text with an escape for every character that is not to be seen."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escape(each) for each in text)


def without_controls(text: str) -> str:
    """Return a text of several lines with an escape for every control character.

    Tabs and line feeds stay, and so does what joins letters: ``U+200D``.
    """
    return _CONTROLS.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def json_text(value: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """Return a value as JSON in which every control character is an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    # JSON has controls inside strings only, and escapes those below U+0020 itself.
    return text if text.isascii() and "\x7f" not in text else _escaped_json(text)


def _escaped_json(text: str) -> str:
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
