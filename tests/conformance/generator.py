"""Where shapes come from: every small one, and random ones from a seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Final

from tests.conformance.meaning import meaning
from tests.conformance.scope import steps
from tests.conformance.shape import (
    Behaviour,
    Call,
    Chain,
    Chord,
    Group,
    Items,
    Repeat,
    Shape,
    Task,
)
from tests.conformance.walk import behaving, calls, labelled

#: A random shape is drawn again when it is larger: groups in a row multiply values.
MOST_STEPS: Final = 40
LONGEST_VALUE: Final = 20_000


@cache
def trees(nodes: int, *, empty: bool) -> tuple[Shape, ...]:
    """Return every tree of chains, groups, chords and tasks that has exactly ``nodes`` nodes.

    With ``empty`` a chain, a group and a header may have nothing in them. No call has a label.
    """
    return tuple(_trees(nodes, empty=empty))


def _trees(nodes: int, *, empty: bool) -> Iterator[Shape]:
    if nodes == 1:
        yield Task()
    for inside in _forests(nodes - 1, empty=empty):
        if inside or empty:
            yield Chain(inside)
            yield Group(inside)
    for size in range(0 if empty else 1, nodes - 1):
        for header in _forests(size, empty=empty):
            for body in trees(nodes - 1 - size, empty=empty):
                yield Chord(header, body)


def _forests(nodes: int, *, empty: bool) -> Iterator[tuple[Shape, ...]]:
    if nodes == 0:
        yield ()
    for first in range(1, nodes + 1):
        for tree in trees(first, empty=empty):
            for rest in _forests(nodes - first, empty=empty):
                yield (tree, *rest)


def random_shape(random: Random, *, depth: int = 4, plain: bool = False) -> Shape:
    """Return a random shape of every kind of step, with labels; at least one call.

    ``plain`` leaves out what nobody writes by hand in Celery: what is empty, or repeated once.
    """
    while True:
        shape = labelled(_random(random, depth, plain))
        if not 1 <= sum(1 for _ in steps(shape)) <= MOST_STEPS:
            continue
        if len(json.dumps(meaning(shape).value)) <= LONGEST_VALUE:
            return shape


def _random(random: Random, depth: int, plain: bool) -> Shape:
    if depth == 0 or random.random() < 0.25:
        return _random_call(random, plain)
    sizes = (1, 2, 2, 3) if plain else (0, 1, 2, 2, 3)
    inside = tuple(_random(random, depth - 1, plain) for _ in range(random.choice(sizes)))
    match random.choice(("chain", "group", "chord")):
        case "chain":
            return Chain(inside)
        case "group":
            return Group(inside)
        case _:
            return Chord(inside, _random(random, depth - 1, plain))


def _random_call(random: Random, plain: bool) -> Call:
    kind = random.choice(("task",) * 5 + ("repeat", "map", "starmap", "chunks"))
    least = 1 if plain else 0
    match kind:
        case "task":
            return Task(
                immutable=random.random() < 0.2,
                literals=random.choice(((), (), (), (1,), (None, "x"), ([1, {"a": [2]}], True))),
                behaviour="retry_once" if random.random() < 0.1 else "tag",
            )
        case "repeat":
            return Repeat(random.randint(least, 3), immutable=random.random() < 0.2)
        case "map" | "starmap":
            return Items(kind, random.randint(least, 3))  # type: ignore[arg-type]
        case _:
            return Items("chunks", random.randint(least, 4), random.randint(1, 3))


def with_failures(
    random: Random, shape: Shape, most: int, behaviours: tuple[Behaviour, ...] = ("fail",)
) -> Shape | None:
    """Return the shape with 1 to ``most`` calls that behave so, or ``None`` where none can."""
    can_fail = [call.label for call in calls(shape) if any(steps(call)) and _runs_something(call)]
    if not can_fail:
        return None
    chosen = random.sample(can_fail, min(random.randint(1, most), len(can_fail)))
    if len(behaviours) == 1:
        return behaving(shape, dict.fromkeys(chosen, behaviours[0]))
    return behaving(shape, {label: random.choice(behaviours) for label in chosen})


def _runs_something(call: Call) -> bool:
    return not isinstance(call, Items) or call.count > 0
