"""How a call reads in a graph: its task, the values given to it, and notes beside it.

A stack of calls reads as one call. Where its calls differ, an argument shows the loop's name
when it is the loop's number, ``0…9`` for consecutive whole numbers, and otherwise the values
as alternatives: ``"ann"|"bob"|…|"zoe"``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flowrunner.plan import Call, Group
from flowrunner.render.stack import Stack

__all__ = [
    "IGNORES_INPUT",
    "CallLabel",
    "call_label",
    "chunks_label",
    "counted",
    "ignores_input",
    "named_values",
    "shown_name",
]

IGNORES_INPUT = "ignores its input"

#: Characters that all arguments of a call, one value, and one of several values may take.
ARGUMENTS_ROOM = 60
VALUE_ROOM = 40
ALTERNATIVE_ROOM = 14

_BARE = re.compile(r"[A-Za-z][\w.-]*")


@dataclass(frozen=True, slots=True)
class CallLabel:
    """``text`` names the call and its arguments; ``notes`` say what else it was told."""

    text: str
    notes: tuple[str, ...] = ()


def call_label(stack: Stack, calls: Sequence[Call]) -> CallLabel:
    """Return how a stack's calls read, without the stack's multiplier."""
    first, last = calls[0], calls[-1]
    arguments = list(_arguments(stack.index, calls))
    text = _text(first, arguments, stack.index)
    if not stack.index or stack.index not in [slot for _, slot in arguments]:
        return CallLabel(text, _notes(calls))
    return CallLabel(text, (f"{stack.index} = {_range(first.index, last.index)}", *_notes(calls)))


def chunks_label(groups: Sequence[Group]) -> CallLabel:
    """Return how ``chunks`` steps of one shape read as one, without any multiplier."""
    batches = [len(call.args) for call in groups[0].flat() if isinstance(call, Call)]
    calls = [call for group in groups for call in group.flat() if isinstance(call, Call)]
    if not calls:
        return CallLabel("chunks", ("no items",))
    text = f"chunks {shown_name(calls[0].task)}"
    items = counted(sum(batches), "item")
    if len(batches) == 1:
        return CallLabel(text, (f"{items} in 1 batch", *_notes(calls)))
    most = "" if min(batches) == max(batches) else "up to "
    size = f"{len(batches):,} batches of {most}{max(batches):,}"
    return CallLabel(text, (f"{items} in {size}", *_notes(calls)))


def ignores_input(call: Call) -> bool:
    """Tell whether the call takes nothing of what the step before it gives."""
    return call.immutable or call.kind in ("map", "starmap")


def counted(count: int, noun: str) -> str:
    """Return ``1 task``, ``2 tasks``, ``1,000 tasks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def named_values(values: Iterable[tuple[str, Any]]) -> str:
    """Return ``name=value, other=value``, shortened to fit a line."""
    return _fitted(f"{shown_name(name)}={_value(value)}" for name, value in values)


def shown_name(name: str) -> str:
    """Return a name as one line that any terminal can print, shortened if it is very long."""
    return _printable(_cut(name, ARGUMENTS_ROOM))


def _text(first: Call, arguments: list[tuple[str, str]], index: str) -> str:
    task = shown_name(first.task)
    if first.kind in ("map", "starmap"):
        return f"{first.kind} {task} over {counted(len(first.args), 'item')}"
    # The loop's number alone goes without saying: the note gives its range.
    if not arguments or (index and arguments == [("", index)]):
        return task
    return f"{task}({_fitted(f'{name}={slot}' if name else slot for name, slot in arguments)})"


def _arguments(index: str, calls: Sequence[Call]) -> Iterator[tuple[str, str]]:
    """Yield each argument's name, empty for a positional one, and what is given to it."""
    count, names = len(calls[0].args), calls[0].kwargs.keys()
    if calls[0].kind in ("map", "starmap"):
        return
    if any(len(call.args) != count or call.kwargs.keys() != names for call in calls):
        yield "", "…"
        return
    for position in range(count):
        yield "", _slot([call.args[position] for call in calls], calls, index)
    for name in names:
        yield shown_name(name), _slot([call.kwargs[name] for call in calls], calls, index)


def _slot(values: Sequence[Any], calls: Sequence[Call], index: str) -> str:
    pairs = zip(values, calls, strict=True)
    if index and all(type(value) is int and value == call.index for value, call in pairs):
        return index
    return _alternatives(values, _value)


def _notes(calls: Sequence[Call]) -> tuple[str, ...]:
    notes = [
        f"{shown_name(name)}={_alternatives([call.options.get(name) for call in calls], _bare)}"
        for name in calls[0].options
    ]
    if calls[0].id is not None:
        notes.append(f"id={_alternatives([call.id for call in calls], _bare)}")
    return tuple(notes)


def _alternatives(values: Sequence[Any], text: Callable[[Any, int], str]) -> str:
    """Return what an argument's values are: one, a range, or the first two and the last."""
    distinct = _first_distinct(values, 4)
    if len(distinct) == 1:
        return text(distinct[0], VALUE_ROOM)
    if len(distinct) > 2 and _consecutive(values):
        return _range(values[0], values[-1])
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
            distinct.setdefault(repr(value), value)
            previous = value
        if len(distinct) == most:
            break
    return list(distinct.values())


def _consecutive(values: Sequence[Any]) -> bool:
    return all(
        type(value) is int and value == values[0] + offset for offset, value in enumerate(values)
    )


def _range(first: Any, last: Any) -> str:
    return str(first) if first == last else f"{first}…{last}"


def _bare(value: Any, room: int) -> str:
    """Return a value as an option shows it: plain words need no quotes."""
    if isinstance(value, str) and _BARE.fullmatch(value):
        return _printable(_cut(value, room))
    return _value(value, room)


def _value(value: Any, room: int = VALUE_ROOM) -> str:
    """Return a value as JSON; what does not fit in ``room`` is left out and counted."""
    match value:
        case str():
            return _printable(json.dumps(_cut(value, room), ensure_ascii=False))
        case dict():
            pairs = (f"{_value(key, room)}: {_value(value[key], room // 2)}" for key in value)
            return "{" + _fitted(pairs, room, len(value)) + "}"
        case list() | tuple():
            items = (_value(item, room // 2) for item in value)
            return "[" + _fitted(items, room, len(value)) + "]"
        case _:
            return _printable(_cut(json.dumps(value, default=repr), room))


def _fitted(texts: Iterable[str], room: int = ARGUMENTS_ROOM, count: int | None = None) -> str:
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
