"""Shapes that people ask for, each with its value written out."""

from __future__ import annotations

from typing import Any

from tests.conformance.shape import Chain, Chord, Group, Items, Repeat, Shape, Task


def task(label: str, *literals: Any, immutable: bool = False) -> Task:
    return Task(label, immutable=immutable, literals=literals)


def chain(*steps: Shape) -> Chain:
    return Chain(steps)


def group(*members: Shape) -> Group:
    return Group(members)


def chord(header: list[Shape], body: Shape) -> Chord:
    return Chord(tuple(header), body)


def nest(depth: int) -> Shape:
    """Return a chord in the header and in the body of a chord, and so on."""
    if depth == 0:
        return task("x0")
    inner = nest(depth - 1)
    return chord([chain(task(f"a{depth}"), inner), task(f"b{depth}")], task(f"c{depth}"))


def nested_value(depth: int, given: list[Any]) -> list[Any]:
    if depth == 0:
        return [*given, "x0"]
    inner = nested_value(depth - 1, [[*given, f"a{depth}"]])
    return [[inner, [*given, f"b{depth}"]], f"c{depth}"]


def chain_value(length: int) -> list[Any]:
    value: list[Any] = ["t0"]
    for number in range(1, length):
        value = [value, f"t{number}"]
    return value


CLASSICS: dict[str, tuple[Shape, Any]] = {
    "one task": (task("a"), ["a"]),
    "literal arguments": (
        chain(task("a", 1, None), task("b", {"k": [1.5, "ü"]})),
        [[1, None, "a"], {"k": [1.5, "ü"]}, "b"],
    ),
    "a chain": (chain(task("a"), task("b"), task("c")), [[["a"], "b"], "c"]),
    "a chain in a chain": (
        chain(task("a"), chain(task("b"), chain(task("c")))),
        [[["a"], "b"], "c"],
    ),
    "an empty chain": (chain(), None),
    "empty chains inside a chain": (chain(chain(), task("a"), chain(), task("b")), [["a"], "b"]),
    "an empty chain in a group": (
        chain(task("a"), group(chain(), task("b"))),
        [["a"], [["a"], "b"]],
    ),
    "a group": (group(task("a"), task("b")), [["a"], ["b"]]),
    "an empty group": (group(), []),
    "an empty group in a group": (group(group(), task("a")), [[], ["a"]]),
    "an empty group in the middle of a chain": (chain(task("a"), group(), task("b")), [[], "b"]),
    "a group of one": (group(task("a")), [["a"]]),
    "groups of one in groups of one": (group(group(group(task("a")))), [[[["a"]]]]),
    "a group of one in the middle of a chain": (
        chain(task("a"), group(task("b")), task("c")),
        [[[["a"], "b"]], "c"],
    ),
    "a group in a group": (
        group(group(task("a"), task("b")), task("c")),
        [[["a"], ["b"]], ["c"]],
    ),
    "a group in the middle of a chain": (
        chain(task("a"), group(task("b"), task("c")), task("d")),
        [[[["a"], "b"], [["a"], "c"]], "d"],
    ),
    "a group at the end of a chain": (
        chain(task("a"), group(task("b"), task("c"))),
        [[["a"], "b"], [["a"], "c"]],
    ),
    "two groups in a row": (
        chain(group(task("a"), task("b")), group(task("c"), task("d"))),
        [[[["a"], ["b"]], "c"], [[["a"], ["b"]], "d"]],
    ),
    "a group-tailed chain in a group": (
        group(chain(task("a"), group(task("b"), task("c"))), task("d")),
        [[[["a"], "b"], [["a"], "c"]], ["d"]],
    ),
    "group-tailed chains in a header": (
        chord(
            [
                chain(task("a"), group(task("b"), task("c"))),
                chain(task("d"), group(task("e"), task("f"))),
            ],
            task("g"),
        ),
        [[[[["a"], "b"], [["a"], "c"]], [[["d"], "e"], [["d"], "f"]]], "g"],
    ),
    "a chord": (chord([task("a"), task("b")], task("c")), [[["a"], ["b"]], "c"]),
    "a chord without a header": (chord([], task("a")), [[], "a"]),
    "a chord with a header of one": (chord([task("a")], task("b")), [[["a"]], "b"]),
    "a chord in the header of a chord": (
        chord([chord([task("a"), task("b")], task("c")), task("d")], task("e")),
        [[[[["a"], ["b"]], "c"], ["d"]], "e"],
    ),
    "a chord as the only header of a chord": (
        chord([chord([task("a"), task("b")], task("c"))], task("d")),
        [[[[["a"], ["b"]], "c"]], "d"],
    ),
    "a chord as the body of a chord": (
        chord([task("a"), task("b")], chord([task("c"), task("d")], task("e"))),
        [[[[["a"], ["b"]], "c"], [[["a"], ["b"]], "d"]], "e"],
    ),
    "a group as the body of a chord": (
        chord([task("a"), task("b")], group(task("c"), task("d"))),
        [[[["a"], ["b"]], "c"], [[["a"], ["b"]], "d"]],
    ),
    "a chain as the body of a chord": (
        chord([task("a"), task("b")], chain(task("c"), task("d"))),
        [[[["a"], ["b"]], "c"], "d"],
    ),
    "an empty chain as the body of a chord": (
        chord([task("a"), task("b")], chain()),
        [["a"], ["b"]],
    ),
    "a chain of chords": (
        chain(
            chord([task("a"), task("b")], task("c")),
            chord([task("d"), task("e")], task("f")),
            task("g"),
        ),
        [
            [[[[[["a"], ["b"]], "c"], "d"], [[[["a"], ["b"]], "c"], "e"]], "f"],
            "g",
        ],
    ),
    "chords side by side": (
        group(chord([task("a"), task("b")], task("c")), chord([task("d"), task("e")], task("f"))),
        [[[["a"], ["b"]], "c"], [[["d"], ["e"]], "f"]],
    ),
    "an immutable step after a group": (
        chain(group(task("a"), task("b")), task("c", immutable=True), task("d")),
        [["c"], "d"],
    ),
    "an immutable group after a group": (
        chain(
            group(task("a"), task("b")),
            group(task("c", immutable=True), task("d", immutable=True)),
        ),
        [["c"], ["d"]],
    ),
    "an immutable body": (chord([task("a"), task("b")], task("c", immutable=True)), ["c"]),
    "fan-outs nested in groups": (
        chain(task("a"), group(Repeat(2, "r"), group(Repeat(2, "s")), task("b"))),
        [
            [["a"], 0, "r"],
            [["a"], 1, "r"],
            [[["a"], 0, "s"], [["a"], 1, "s"]],
            [["a"], "b"],
        ],
    ),
    "a fan-out as a step of a chain": (
        chain(Repeat(2, "r"), task("a")),
        [[[0, "r"], [1, "r"]], "a"],
    ),
    "a fan-out of none in a header": (chord([Repeat(0, "r")], task("a")), [[], "a"]),
    "map and starmap in a chain": (
        chain(Items("map", 2, label="m"), task("a"), Items("starmap", 2, label="s")),
        [[0, "s.0"], [1, "s.1"]],
    ),
    "map in a group": (
        group(Items("map", 2, label="m"), task("a")),
        [[["m.0"], ["m.1"]], ["a"]],
    ),
    "chunks in a header": (
        chord([Items("chunks", 3, 2, label="c"), task("a")], task("b")),
        [[[[0, "c.0"], [1, "c.1"]], [[2, "c.2"]], ["a"]], "b"],
    ),
    "chunks as a step of a chain": (
        chain(task("a"), Items("chunks", 3, 2, label="c"), task("b")),
        [[[[0, "c.0"], [1, "c.1"]], [[2, "c.2"]]], "b"],
    ),
    "a task that retries, in a header": (
        chord([Task("a", "retry_once"), task("b")], Task("c", "retry_once")),
        [[["a"], ["b"]], "c"],
    ),
    "a header of 1,000": (
        chord([Repeat(1000, "r")], task("a")),
        [[[n, "r"] for n in range(1000)], "a"],
    ),
    "a chain of 200": (chain(*(task(f"t{n}") for n in range(200))), chain_value(200)),
    "a nest of 5": (nest(5), nested_value(5, [])),
}
