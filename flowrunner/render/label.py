"""Labels of nodes in a graph: calls, and the fan-outs, conditions and files of dynamic nodes.

The label of a call has its task, the values given to it, and notes beside it.
A stack of calls reads as one call. Where its calls differ, an argument shows the loop's name
when it is the loop's number, ``0…9`` for consecutive whole numbers, and otherwise the values
as alternatives: ``"ann"|"bob"|…|"zoe"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from flowrunner.plan import Call, Deferred, Each, Given, Group, Skipped, Used
from flowrunner.render.policy import retry_note
from flowrunner.render.stack import Stack
from flowrunner.render.value import (
    ARGUMENTS_ROOM,
    alternatives,
    bare_text,
    fitted,
    items_text,
    late_text,
    range_text,
    shown_name,
    value_text,
)

__all__ = [
    "IGNORES_INPUT",
    "CallLabel",
    "call_label",
    "chunks_label",
    "condition",
    "counted",
    "each_text",
    "ignores_input",
    "item_note",
    "needs_note",
    "reason",
    "use_text",
]

IGNORES_INPUT = "ignores its input"


class CallLabel(Struct, frozen=True):
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
    return CallLabel(
        text, (f"{stack.index} = {range_text(first.index, last.index)}", *_notes(calls))
    )


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
    """Return ``1 task``, ``2 tasks``, ``1,000 retries``."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{count:,} {noun}s"


def _text(first: Call, arguments: list[tuple[str, str]], index: str) -> str:
    task = shown_name(first.task)
    if first.kind in ("map", "starmap"):
        return f"{first.kind} {task} over {counted(len(first.args), 'item')}"
    # The loop's number alone goes without saying: the note gives its range.
    if not arguments or (index and arguments == [("", index)]):
        return task
    return f"{task}({fitted(f'{name}={slot}' if name else slot for name, slot in arguments)})"


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
    return alternatives(values, value_text)


def _notes(calls: Sequence[Call]) -> tuple[str, ...]:
    notes = [
        f"{shown_name(name)}={alternatives([call.options.get(name) for call in calls], bare_text)}"
        for name in calls[0].options
    ]
    if calls[0].id is not None:
        notes.append(f"id={alternatives([call.id for call in calls], bare_text)}")
    if calls[0].retry is not None:
        notes.append(retry_note(calls[0].retry))
    return tuple(notes)


_WHEN = "when "
_ATOM = re.compile(r"[\w.]+")


def condition(when: Deferred) -> str:
    """Return a condition as people read it: ``when prev > 3``."""
    return f"{_WHEN}{late_text(when)}"


def each_text(eaches: Sequence[Each]) -> str:
    """Return what a fan-out goes through: ``each item of ${prev}``."""
    items = alternatives([each.items for each in eaches], value_text)
    return f"each {shown_name(eaches[0].variable)} of {items}"


def item_note(members: Sequence[Given]) -> str:
    """Return what the members of a fan-out are given: ``item = a, b, c``."""
    return f"{shown_name(members[0].variable)} = {items_text([each.value for each in members])}"


def needs_note(names: Sequence[str]) -> str:
    """Return what a graph's step needs: ``needs a, b``."""
    return f"needs {shown_name(', '.join(names))}"


def reason(skipped: Skipped) -> str:
    """Return why a step is skipped: ``skipped: inputs.fast is false``."""
    why = " ".join(skipped.why.split())
    said = why.removeprefix(_WHEN)
    if said != why and said not in ("false", "False"):
        said = shown_name(said)
        return f"skipped: {said if _ATOM.fullmatch(said) else f'({said})'} is false"
    return f"skipped: {shown_name(why)}"


def use_text(used: Used) -> str:
    """Return which file a step uses: ``use resize.yaml``."""
    name = used.step.location.source.name
    if len(name) > ARGUMENTS_ROOM:
        name = f"…{name[1 - ARGUMENTS_ROOM :]}"  # the end of a path tells more
    return f"use {shown_name(name)}"
