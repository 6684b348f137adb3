"""What people ask of ``when``, ``switch``, ids and arguments, with its value written out."""

from __future__ import annotations

from typing import Any

from tests.conformance.building import (
    FAIL,
    FALSE,
    ITEM,
    PREV,
    THREE,
    TRUE,
    A,
    each,
    fails,
    longer,
    switch,
    when,
)
from tests.conformance.classics import chain, chord, group, task
from tests.conformance.expression import Compared, Length, Literal, Name, Part
from tests.conformance.shape import Document, Keyed, Repeat, Shape

DECISIONS: dict[str, tuple[Shape, Any]] = {
    # when and switch
    "a step that is not to run": (chain(A, when("w", FALSE, task("b")), task("c")), [["a"], "c"]),
    "a first step that is not to run": (chain(when("w", FALSE, A), task("c")), ["c"]),
    "a step that is to run": (chain(A, when("w", TRUE, task("b"))), [["a"], "b"]),
    "a condition of run time that holds": (
        chain(THREE, when("w", longer(2), task("b"))),
        [[7, 8, "a"], "b"],
    ),
    "a condition of run time that does not hold": (
        chain(THREE, when("w", longer(3), chord([task("b")], task("c"))), task("d")),
        [[7, 8, "a"], "d"],
    ),
    "conditions in a group": (
        chain(THREE, group(when("w", longer(3), task("b")), when("v", longer(2), task("c")))),
        [[7, 8, "a"], [[7, 8, "a"], "c"]],
    ),
    "a condition in a body": (
        chord([A, task("b")], when("w", longer(2), task("c"))),
        [["a"], ["b"]],
    ),
    "a condition in each": (
        chain(THREE, each("e", PREV, when("w", Compared("==", ITEM, Literal(8)), task("b")))),
        [7, [8, "b"], "a"],
    ),
    "the id of a step that did not run": (
        chain(THREE, when("w", longer(3), task("b")), task("c"), task("d", Name("w"))),
        [[[7, 8, "a"], "c"], [7, 8, "a"], "d"],
    ),
    "a condition that is no boolean": (
        chain(THREE, when("w", Length(PREV), Keyed("x", group(task("b")))), task("c")),
        fails("w", skipped=("c",)),
    ),
    "a condition that has no value": (
        chain(group(), when("w", Part(PREV, 0), task("b")), task("c")),
        fails("b", skipped=("c",)),
    ),
    "a switch known before the run": (
        Document(
            switch(
                "s",
                (Compared("==", Name("inputs.p"), Literal(1)), task("b")),
                (Compared("==", Name("inputs.p"), Literal(2)), task("c")),
                otherwise=task("d"),
            ),
            inputs=(("p", 2),),
        ),
        ["c"],
    ),
    "a switch of run time": (
        chain(THREE, switch("s", (longer(5), task("b")), (longer(2), task("c"))), task("d")),
        [[[7, 8, "a"], "c"], "d"],
    ),
    "a switch of which nothing holds": (
        chain(THREE, switch("s", (longer(5), task("b")), (longer(4), task("c"))), task("d")),
        [[7, 8, "a"], "d"],
    ),
    "the else of a switch": (
        chain(THREE, switch("s", (longer(5), task("b")), otherwise=task("c"))),
        [[7, 8, "a"], "c"],
    ),
    "a switch that is partly known": (
        chain(THREE, switch("s", (FALSE, task("b")), (longer(5), task("c")), (TRUE, task("d")))),
        [[7, 8, "a"], "d"],
    ),
    "a switch in each": (
        chain(
            THREE,
            each(
                "e",
                PREV,
                switch(
                    "s",
                    (Compared("==", ITEM, Literal(7)), task("b")),
                    (Compared("==", PREV, Literal(8)), FAIL),
                    otherwise=chord([task("c")], task("d")),
                ),
            ),
        ),
        fails("f@1"),
    ),
    # ids and arguments
    "ids of steps of a chain": (
        chain(Keyed("n", A), task("b"), task("c", Name("n"), Length(Name("n")))),
        [[["a"], "b"], ["a"], 1, "c"],
    ),
    "ids of members of a group": (
        chain(group(Keyed("n", A), Keyed("m", task("b"))), task("c", Name("m"), Name("n"))),
        [[["a"], ["b"]], ["b"], ["a"], "c"],
    ),
    "ids of a header in its body": (
        chord([Keyed("n", A), chain(task("b"), Keyed("m", task("c")))], task("d", Name("m"))),
        [[["a"], [["b"], "c"]], [["b"], "c"], "d"],
    ),
    "the id of a fan-out": (
        chain(Keyed("n", Repeat(2, "r")), task("b", immutable=True), task("c", Name("n"))),
        [["b"], [[0, "r"], [1, "r"]], "c"],
    ),
    "the id of a group": (
        chain(Keyed("n", group(A, task("b"))), task("c"), task("d", Part(Name("n"), 1))),
        [[[["a"], ["b"]], "c"], ["b"], "d"],
    ),
    "the id of a step that is known to run": (
        chain(when("w", TRUE, chain(A)), task("b"), task("c", Name("w"))),
        [[["a"], "b"], ["a"], "c"],
    ),
    "the input of a step as an argument": (
        chain(THREE, task("b", {"k": [PREV, Part(PREV, 0)]}, immutable=True)),
        [{"k": [[7, 8, "a"], 7]}, "b"],
    ),
    "an argument that has no value": (
        chain(THREE, group(task("b", Part(PREV, 9)), task("c")), task("d")),
        fails("b", skipped=("d",)),
    ),
}
