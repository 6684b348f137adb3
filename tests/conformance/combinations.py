"""What people ask of ``use``, ``graph`` and ``outputs``, with its value written out."""

from __future__ import annotations

from typing import Any

from tests.conformance.building import (
    FAIL,
    ITEM,
    PREV,
    THREE,
    A,
    each,
    error,
    fails,
    graph,
    longer,
    rescue,
    told,
    when,
)
from tests.conformance.classics import chain, group, task
from tests.conformance.expression import Length, Name, Not, Part
from tests.conformance.shape import Document, Keyed, Repeat, Shape, Use

COMBINATIONS: dict[str, tuple[Shape, Any]] = {
    # use
    "another file": (
        chain(A, Keyed("u", Use(Document(chain(task("b"), task("c"))))), task("d")),
        [[[["a"], "b"], "c"], "d"],
    ),
    "another file with inputs": (
        Keyed(
            "u",
            Use(
                Document(
                    each("e", Name("inputs.q"), task("b", Name("inputs.p"))),
                    inputs=(("p", 1), ("q", [])),
                ),
                (("q", [5, 6]),),
            ),
        ),
        [[5, 1, "b"], [6, 1, "b"]],
    ),
    "another file with inputs of run time": (
        chain(
            THREE,
            Keyed(
                "u",
                Use(
                    Document(
                        each("e", Name("inputs.q"), task("b", Name("inputs.p"))),
                        inputs=(("p", 1), ("q", [])),
                    ),
                    (("q", PREV), ("p", Length(PREV))),
                ),
            ),
        ),
        [[7, 3, "b"], [8, 3, "b"], ["a", 3, "b"]],
    ),
    "another file that uses another": (
        chain(
            A,
            Keyed(
                "u",
                Use(
                    Document(
                        Keyed(
                            "v",
                            Use(
                                Document(task("b", Name("inputs.p")), (("p", 1),)),
                                (("p", Name("inputs.q")),),
                            ),
                        ),
                        (("q", 2),),
                    ),
                    (("q", PREV),),
                ),
            ),
        ),
        [["a"], ["a"], "b"],
    ),
    "the outputs of another file": (
        chain(
            A,
            Keyed(
                "u",
                Use(
                    Document(
                        chain(Keyed("n", task("b")), task("c")),
                        outputs=(("first", Name("n")), ("last", PREV), ("one", 1)),
                    )
                ),
            ),
            task("d", Part(PREV, "first")),
        ),
        [
            {"first": [["a"], "b"], "last": [[["a"], "b"], "c"], "one": 1},
            [["a"], "b"],
            "d",
        ],
    ),
    "another file in each": (
        chain(
            THREE,
            each(
                "e",
                PREV,
                Keyed("u", Use(Document(task("b", Name("inputs.p")), (("p", 0),)), (("p", ITEM),))),
            ),
        ),
        [[7, 7, "b"], [8, 8, "b"], ["a", "a", "b"]],
    ),
    "another file that fails": (
        chain(A, Keyed("u", Use(Document(chain(task("b"), FAIL, task("x"))))), task("c")),
        fails("f", skipped=("x", "c")),
    ),
    "another file whose failure is handled": (
        chain(A, rescue("u", Use(Document(chain(task("b"), FAIL, task("x")))), task("h"))),
        [told("u", error("f")), "h"],
    ),
    # graph
    "a graph that is a chain": (
        graph(x=((), A), y=(("x",), task("b")), z=(("y",), task("c"))),
        [[["a"], "b"], "c"],
    ),
    "a graph that is a diamond": (
        graph(x=((), A), y=(("x",), task("b")), z=(("x",), task("c")), w=(("y", "z"), task("d"))),
        [[[["a"], "b"], [["a"], "c"]], "d"],
    ),
    "the order of needs": (
        graph(x=((), A), y=((), task("b")), w=(("y", "x"), task("c"))),
        [[["b"], ["a"]], "c"],
    ),
    "a graph is given its input": (
        chain(A, graph(x=((), task("b")), y=((), task("c")), w=(("x", "y"), task("d")))),
        [[[["a"], "b"], [["a"], "c"]], "d"],
    ),
    "a graph that no nesting says": (
        graph(
            a=((), A),
            b=((), task("b")),
            c=(("a",), task("c")),
            d=(("a", "b"), task("d")),
            e=(("c", "d"), task("e")),
        ),
        [[[["a"], "c"], [[["a"], ["b"]], "d"]], "e"],
    ),
    "a graph with groups in it": (
        graph(
            a=((), group(A, task("b"))),
            c=(("a",), Repeat(2, "r")),
            d=(("a", "c"), task("d")),
        ),
        [
            [[["a"], ["b"]], [[[["a"], ["b"]], 0, "r"], [[["a"], ["b"]], 1, "r"]]],
            "d",
        ],
    ),
    "names of a graph": (
        chain(
            graph(
                x=((), A),
                y=(("x",), task("b")),
                z=(("y",), task("c", Name("x"))),
            ),
            task("d", Name("y")),
        ),
        [[[["a"], "b"], ["a"], "c"], [["a"], "b"], "d"],
    ),
    "a graph in which a step fails": (
        chain(
            graph(
                a=((), A),
                b=((), FAIL),
                c=(("a",), task("c")),
                d=(("a", "b"), task("x")),
                e=(("c", "d"), task("y")),
            ),
            task("z"),
        ),
        fails("f", skipped=("x", "y", "z")),
    ),
    "a graph whose failure is handled": (
        rescue("r", graph(a=((), FAIL), b=(("a",), task("b"))), task("h", immutable=True)),
        ["h"],
    ),
    "conditions in a graph": (
        graph(
            a=((), THREE),
            b=(("a",), when("w", longer(5), task("b"))),
            c=(("a",), when("v", longer(2), task("c"))),
            d=(("b", "c"), task("d")),
        ),
        [[[7, 8, "a"], [[7, 8, "a"], "c"]], "d"],
    ),
    # outputs
    "the outputs of a run": (
        Document(
            chain(Keyed("n", A), task("b")),
            outputs=(("n", Name("n")), ("many", Length(PREV)), ("is", Not(longer(5)))),
        ),
        {"n": ["a"], "many": 2, "is": True},
    ),
    "an output that has no value": (
        Document(A, outputs=(("n", Part(PREV, 5)),)),
        fails("outputs"),
    ),
}
