"""Walking shapes: what stands in them, and the same with something changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.conformance.shape import (
    Behaviour,
    Call,
    Chain,
    Chord,
    Document,
    Each,
    Graph,
    Group,
    Items,
    Keyed,
    Repeat,
    Shape,
    Switch,
    Task,
    Use,
)


def children(shape: Shape) -> tuple[Shape, ...]:
    """Return the shapes directly inside a shape, in the order of the file."""
    match shape:
        case Chain(steps):
            return steps
        case Group(members):
            return members
        case Chord(header, body):
            return (*header, body)
        case Keyed(step=step, on_error=handler):
            return (step,) if handler is None else (step, handler)
        case Each(do=do):
            return (do,)
        case Switch(branches, otherwise):
            steps = tuple(step for _, step in branches)
            return steps if otherwise is None else (*steps, otherwise)
        case Use(document):
            return (document,)
        case Graph(nodes):
            return tuple(node.step for node in nodes)
        case Document(step):
            return (step,)
        case _:
            return ()


def with_children(shape: Shape, inside: tuple[Shape, ...]) -> Shape:
    """Return the shape with other children."""
    match shape:
        case Chain():
            return Chain(inside)
        case Group():
            return replace(shape, members=inside)
        case Chord():
            return replace(shape, header=inside[:-1], body=inside[-1])
        case Keyed():
            return replace(shape, step=inside[0], on_error=inside[1] if inside[1:] else None)
        case Each():
            return replace(shape, do=inside[0])
        case Switch(branches, otherwise):
            pairs = zip(branches, inside, strict=False)
            changed = tuple((condition, step) for (condition, _), step in pairs)
            return Switch(changed, None if otherwise is None else inside[-1])
        case Use():
            (document,) = inside
            assert isinstance(document, Document)
            return replace(shape, document=document)
        case Graph(nodes):
            pairs_of_nodes = zip(nodes, inside, strict=True)
            return Graph(tuple(replace(node, step=step) for node, step in pairs_of_nodes))
        case Document():
            return replace(shape, step=inside[0])
        case _:
            return shape


def everything_in(shape: Shape) -> Iterator[Shape]:
    """Yield a shape and all that stands in it, in the order of the file."""
    yield shape
    for inside in children(shape):
        yield from everything_in(inside)


def calls(shape: Shape) -> Iterator[Call]:
    """Yield the calls of a shape in the order of the file."""
    for each in everything_in(shape):
        if isinstance(each, Task | Repeat | Items):
            yield each


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
