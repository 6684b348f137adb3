"""What people ask of ``each``, with its value written out."""

from __future__ import annotations

from typing import Any

from tests.conformance.building import (
    FAIL,
    ITEM,
    PREV,
    THREE,
    each,
    fails,
)
from tests.conformance.classics import chain, chord, group, task
from tests.conformance.expression import Length, Name, Part, Range
from tests.conformance.shape import Document, Keyed, Repeat, Shape

FAN_OUTS: dict[str, tuple[Shape, Any]] = {
    # each, known before the run
    "each of a list": (each("e", [3, "x", None], task("b")), [[3, "b"], ["x", "b"], [None, "b"]]),
    "each of none": (each("e", [], task("b")), []),
    "each of a range": (each("e", Range(1, 3), task("b")), [[1, "b"], [2, "b"]]),
    "each of an input": (
        Document(each("e", Name("inputs.p"), task("b")), inputs=(("p", [4, 5]),)),
        [[4, "b"], [5, "b"]],
    ),
    "the item in an expression": (
        each("e", [[1, 2], []], chain(task("b"), task("c", Length(ITEM), ITEM))),
        [[[[1, 2], "b"], 2, [1, 2], "c"], [[[], "b"], 0, [], "c"]],
    ),
    "a nested each": (
        each("e", [[1], [2, 3]], each("f", ITEM, task("b", Name("v")), "v")),
        [[[1, 1, "b"]], [[2, 2, "b"], [3, 3, "b"]]],
    ),
    "each after a step takes the item and not the result": (
        chain(task("a"), each("e", [1], task("b"))),
        [[1, "b"]],
    ),
    "each in the header of a chord": (
        chord([each("e", [1, 2], task("b")), task("c")], task("d")),
        [[[[1, "b"], [2, "b"]], ["c"]], "d"],
    ),
    "a group in each": (
        each("e", [1], group(task("b"), Repeat(2, "r"))),
        [[[1, "b"], [1, 0, "r"], [1, 1, "r"]]],
    ),
    # each, known at run time
    "each of the previous result": (
        chain(THREE, each("e", PREV, task("b"))),
        [[7, "b"], [8, "b"], ["a", "b"]],
    ),
    "each of an earlier step": (
        chain(Keyed("n", THREE), task("b"), each("e", Name("n"), task("c"))),
        [[7, "c"], [8, "c"], ["a", "c"]],
    ),
    "each of none at run time": (chain(group(), each("e", PREV, task("b")), task("c")), [[], "c"]),
    "each of a part": (
        chain(group(task("a", 1), task("b")), each("e", Part(PREV, 0), task("c"))),
        [[1, "c"], ["a", "c"]],
    ),
    "a nested each at run time": (
        chain(
            group(task("a"), task("b", 2)),
            each("e", PREV, each("f", ITEM, task("c", Name("v")), "v")),
        ),
        [[["a", "a", "c"]], [[2, 2, "c"], ["b", "b", "c"]]],
    ),
    "each at run time in a header": (
        chain(THREE, chord([each("e", PREV, task("b")), task("c")], task("d"))),
        [
            [[[7, "b"], [8, "b"], ["a", "b"]], [[7, 8, "a"], "c"]],
            "d",
        ],
    ),
    "an id inside each": (
        chain(
            THREE,
            each("e", PREV, chain(Keyed("n", task("b")), task("c"), task("d", Name("n")))),
        ),
        [[[[i, "b"], "c"], [i, "b"], "d"] for i in (7, 8, "a")],
    ),
    "what is no list cannot be gone through": (
        chain(THREE, each("e", Length(PREV), task("b")), task("c")),
        fails("e", skipped=("c",)),
    ),
    "a member that fails": (
        chain(THREE, each("e", PREV, chain(task("b"), FAIL, task("c"))), task("d")),
        fails(
            *("f@0", "f@1", "f@2"),
            skipped=("c@0", "c@1", "c@2", "d"),
        ),
    ),
}
