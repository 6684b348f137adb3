"""Shapes: workflows as small trees, in a language of their own that knows nothing of flowrunner.

Every task call has a label of its own, the last of its arguments (``tag`` gives what it got), so
that a value tells how it was made and a count tells how often each call was executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

Behaviour: TypeAlias = Literal["tag", "fail", "retry_once"]
ItemKind: TypeAlias = Literal["map", "starmap", "chunks"]


@dataclass(frozen=True, slots=True)
class Task:
    """A call with its label, after the previous result (unless immutable) and ``literals``."""

    label: str = ""
    behaviour: Behaviour = "tag"
    immutable: bool = False
    literals: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """``times: N``: calls with their index, and the label as a keyword argument."""

    times: int
    label: str = ""
    behaviour: Behaviour = "tag"
    immutable: bool = False

    def labels(self) -> list[str]:
        return [f"{self.label}.{index}" for index in range(self.times)]


@dataclass(frozen=True, slots=True)
class Items:
    """``map``, ``starmap`` or ``chunks`` of a task over ``count`` items; ``size`` is of a chunk."""

    kind: ItemKind
    count: int
    size: int = 1
    label: str = ""
    behaviour: Behaviour = "tag"

    def labels(self) -> list[str]:
        return [f"{self.label}.{index}" for index in range(self.count)]

    def items(self) -> list[Any]:
        """Return what the items are: labels, or lists of arguments with the label at the end."""
        labels = self.labels()
        return labels if self.kind == "map" else [[n, label] for n, label in enumerate(labels)]

    def batches(self) -> list[list[Any]]:
        items = self.items()
        return [items[start : start + self.size] for start in range(0, len(items), self.size)]


@dataclass(frozen=True, slots=True)
class Chain:
    steps: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    members: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Chord:
    header: tuple[Shape, ...]
    body: Shape


Call: TypeAlias = Task | Repeat | Items
Shape: TypeAlias = Call | Chain | Group | Chord


def children(shape: Shape) -> tuple[Shape, ...]:
    """Return the shapes directly inside a shape, in the order of the file."""
    match shape:
        case Chain(steps):
            return steps
        case Group(members):
            return members
        case Chord(header, body):
            return (*header, body)
        case _:
            return ()


def with_children(shape: Shape, inside: tuple[Shape, ...]) -> Shape:
    """Return the shape with other children."""
    match shape:
        case Chain():
            return Chain(inside)
        case Group():
            return Group(inside)
        case Chord():
            return Chord(inside[:-1], inside[-1])
        case _:
            return shape


def calls(shape: Shape) -> Iterator[Call]:
    """Yield the calls of a shape in the order of the file."""
    if isinstance(shape, Task | Repeat | Items):
        yield shape
    for inside in children(shape):
        yield from calls(inside)


def labelled(shape: Shape) -> Shape:
    """Return the shape with a label of its own for every call that has none."""
    taken = {call.label for call in calls(shape)}
    labels = (label for n in range(1_000_000) if (label := f"t{n}") not in taken)

    def fill(inside: Shape) -> Shape:
        if isinstance(inside, Task | Repeat | Items):
            return inside if inside.label else replace(inside, label=next(labels))
        return with_children(inside, tuple(map(fill, children(inside))))

    return fill(shape)


def behaving(shape: Shape, behaviours: dict[str, Behaviour]) -> Shape:
    """Return the shape with other behaviours of the calls with these labels."""
    if isinstance(shape, Task | Repeat | Items):
        return replace(shape, behaviour=behaviours.get(shape.label, shape.behaviour))
    inside = tuple(behaving(each, behaviours) for each in children(shape))
    return with_children(shape, inside)
