"""How values read in a graph: on one line, however large, and safe for any terminal.

A value that is not known yet reads as its text, ``${prev.count}``, and a secret never as
anything else; a text that has such a thing in it reads as it is written, ``$${prev}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flowrunner.plan import Deferred, Secret, has_secret, is_open

__all__ = [
    "ARGUMENTS_ROOM",
    "alternatives",
    "bare_text",
    "fitted",
    "items_text",
    "late_text",
    "named_values",
    "range_text",
    "shown_name",
    "value_text",
]

#: Characters that all arguments of a call, one value, and one of several values may take.
ARGUMENTS_ROOM = 60
VALUE_ROOM = 40
ALTERNATIVE_ROOM = 14

_BARE = re.compile(r"[A-Za-z][\w.-]*")


def named_values(values: Iterable[tuple[str, Any]]) -> str:
    """Return ``name=value, other=value``, shortened to fit a line."""
    return fitted(f"{shown_name(name)}={value_text(value)}" for name, value in values)


def shown_name(name: str) -> str:
    """Return a name as one line that any terminal can print, shortened if it is very long."""
    return _printable(_cut(name, ARGUMENTS_ROOM))


def items_text(values: Sequence[Any]) -> str:
    """Return the items of a list as a loop goes through them: ``1…9``, or the first of them."""
    if len(values) > 2 and _consecutive(values):
        return range_text(values[0], values[-1])
    if len(values) == 1:
        return bare_text(values[0])
    return fitted((bare_text(value, ALTERNATIVE_ROOM) for value in values), VALUE_ROOM, len(values))


def late_text(value: Deferred | Secret, room: int = VALUE_ROOM) -> str:
    """Return the text of a value that is not known yet: quoted, where it is not all expression."""
    text = " ".join(value.text.split())
    is_bare = isinstance(value, Deferred) and value.bare
    is_one = text.startswith("${") and text.endswith("}") and "${" not in text[2:]
    shown = _cut(text, room)
    return _printable(shown if is_bare or is_one else json.dumps(shown, ensure_ascii=False))


def alternatives(values: Sequence[Any], text: Callable[[Any, int], str]) -> str:
    """Return what an argument's values are: one, a range, or the first two and the last."""
    distinct = _first_distinct(values, 4)
    if len(distinct) == 1:
        return text(distinct[0], VALUE_ROOM)
    if len(distinct) > 2 and _consecutive(values):
        return range_text(values[0], values[-1])
    texts = [text(value, ALTERNATIVE_ROOM) for value in distinct]
    if len(texts) == 4:
        last = text(values[-1], ALTERNATIVE_ROOM)
        texts[2:] = ["…"] if last in texts[:2] else ["…", last]
    return "|".join(texts)


def _first_distinct(values: Sequence[Any], most: int) -> list[Any]:
    if len(values) == 1:
        return list(values)
    # By their text: 1, 1.0 and true are equal in Python, but not to a reader.
    distinct: dict[str, Any] = {}
    previous = object()
    for value in values:
        if value is not previous:
            distinct.setdefault(_told_apart_by(value), value)
            previous = value
        if len(distinct) == most:
            break
    return list(distinct.values())


def _told_apart_by(value: Any) -> str:
    # Calls of one step know other names each, which nobody sees.
    return value_text(value) if is_open(value) or has_secret(value) else repr(value)


def _consecutive(values: Sequence[Any]) -> bool:
    return all(
        type(value) is int and value == values[0] + offset for offset, value in enumerate(values)
    )


def range_text(first: Any, last: Any) -> str:
    return str(first) if first == last else f"{first}…{last}"


def bare_text(value: Any, room: int = VALUE_ROOM) -> str:
    """Return a value as an option shows it: plain words need no quotes."""
    if isinstance(value, str) and _BARE.fullmatch(value):
        return _printable(_cut(value, room))
    return value_text(value, room)


def value_text(value: Any, room: int = VALUE_ROOM) -> str:
    """Return a value as JSON; what does not fit in ``room`` is left out and counted."""
    match value:
        case Deferred() | Secret():
            return late_text(value, room)
        case str():
            written = _cut(value, room).replace("${", "$${")
            return _printable(json.dumps(written, ensure_ascii=False))
        case dict():
            pairs = (
                f"{value_text(key, room)}: {value_text(value[key], room // 2)}" for key in value
            )
            return "{" + fitted(pairs, room, len(value)) + "}"
        case list() | tuple():
            items = (value_text(item, room // 2) for item in value)
            return "[" + fitted(items, room, len(value)) + "]"
        case _:
            return _printable(_cut(json.dumps(value, default=repr), room))


def fitted(texts: Iterable[str], room: int = ARGUMENTS_ROOM, count: int | None = None) -> str:
    """Join the texts that fit; lazily, as a value may have a million items."""
    shown: list[str] = []
    for text in texts:
        room -= len(text) + 2
        if room < 0 and (shown or room < -VALUE_ROOM):
            shown.append("…" if count is None else f"… {count - len(shown):,} more")
            break
        shown.append(text)
    return ", ".join(shown)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 1)] + "…"


def _printable(text: str) -> str:
    """Escape what would move a cursor, turn the line's direction or cannot be encoded."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
