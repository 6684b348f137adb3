"""The normal form that engines run: calls, and forks of such sequences that one call joins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from flowrunner.plan.nodes import Call

__all__ = ["Fork", "Item", "Sequence", "calls_of", "parts_of", "without_continuations"]


@dataclass(frozen=True, slots=True)
class Fork:
    """Sequences side by side, none of them empty, then one call with the list of their values."""

    members: tuple[Sequence, ...]
    join: Call


Item: TypeAlias = Call | Fork
Sequence: TypeAlias = tuple[Item, ...]


def calls_of(sequence: Sequence) -> Iterator[Call]:
    """Yield every call of a sequence; a fork's members come before its join."""
    for item in sequence:
        if isinstance(item, Fork):
            for member in item.members:
                yield from calls_of(member)
            yield item.join
        else:
            yield item


def without_continuations(sequence: Sequence) -> Sequence:
    """Return the same sequence as one part, however much that costs."""
    return tuple(
        Fork(tuple(map(without_continuations, item.members)), item.join)
        if isinstance(item, Fork)
        else item
        for item in sequence
        if isinstance(item, Fork) or item.kind != "continuation"
    )


def parts_of(sequence: Sequence) -> Iterator[Sequence]:
    """Yield a sequence's parts: each but the last ends with a continuation."""
    start = 0
    for position, item in enumerate(sequence, 1):
        if isinstance(item, Call) and item.kind == "continuation":
            yield sequence[start:position]
            start = position
    yield sequence[start:]
