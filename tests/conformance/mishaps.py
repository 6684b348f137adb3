"""What becomes of failures: ``on_error``, ``retry``, ``tolerate``; and ``max_parallel``."""

from __future__ import annotations

from typing import Any

from tests.conformance.building import (
    ERRORS,
    FAIL,
    ITEM,
    PREV,
    THREE,
    A,
    behaves,
    each,
    error,
    fails,
    limited,
    longer,
    rescue,
    switch,
    told,
    when,
)
from tests.conformance.classics import chain, chord, group, task
from tests.conformance.expression import Compared, Length, Literal, Part
from tests.conformance.shape import Chord, Items, Keyed, Limits, Repeat, Retry, Shape

MISHAPS: dict[str, tuple[Shape, Any]] = {
    # on_error
    "a handled failure": (
        chain(A, rescue("r", FAIL, task("h")), task("b")),
        [[told("f", error("f")), "h"], "b"],
    ),
    "a handler that is not needed": (chain(rescue("r", A, task("h")), task("b")), [["a"], "b"]),
    "a handled group": (
        chain(
            A,
            rescue("r", group(FAIL, chain(behaves("g", "fail"), task("x")), task("b")), task("h")),
        ),
        [told("r", error("f"), error("g")), "h"],
    ),
    "a handled member": (
        chord([rescue("r", FAIL, task("h", immutable=True)), task("b")], task("c")),
        [[["h"], ["b"]], "c"],
    ),
    "a handler that fails": (
        chain(A, rescue("r", chain(FAIL, task("x")), behaves("h", "fail")), task("b")),
        fails("f", "h", skipped=("x", "b")),
    ),
    "a handler of a handler": (
        rescue("r", FAIL, rescue("q", behaves("h", "fail"), task("i"))),
        [told("h", error("h")), "i"],
    ),
    "a handled expression": (
        chain(THREE, rescue("r", task("b", Part(PREV, 9)), task("h"))),
        [told("b", error("b", "ExpressionError")), "h"],
    ),
    "a handled member of each": (
        chain(
            THREE,
            each(
                "e",
                PREV,
                chain(
                    when("w", Compared("==", ITEM, Literal(8)), rescue("r", FAIL, task("h"))),
                    task("b"),
                ),
            ),
        ),
        [[7, "b"], [[told("f@1", error("f@1")), "h"], "b"], ["a", "b"]],
    ),
    "a handler that decides": (
        rescue(
            "r",
            FAIL,
            switch(
                "s",
                (
                    Compared(
                        "==",
                        Part(Part(Part(PREV, "errors"), 0), "type"),
                        Literal("PlannedFailureError"),
                    ),
                    task("h", Length(Part(PREV, "errors")), immutable=True),
                ),
            ),
        ),
        [1, "h"],
    ),
    "conditions come before handlers": (
        chain(A, Keyed("r", FAIL, when=longer(1), on_error=task("h")), task("b")),
        [["a"], "b"],
    ),
    # retry
    "a call that succeeds the third time": (
        chain(behaves("a", "fail_twice", Retry(2)), task("b")),
        [["a"], "b"],
    ),
    "a call that is not made often enough": (
        chain(behaves("a", "fail_twice", Retry(1)), task("b")),
        fails("a", skipped=("b",)),
    ),
    "a call that fails again and again": (behaves("a", "fail", Retry(2)), fails("a")),
    "only some errors": (
        behaves("a", "fail_once", Retry(1, only=("KeyError", "PassingFailureError"))),
        ["a"],
    ),
    "no other errors": (behaves("a", "fail_once", Retry(1, only=("KeyError",))), fails("a")),
    "never some errors": (
        behaves("a", "fail_once", Retry(1, never=("PassingFailureError",))),
        fails("a"),
    ),
    "never wins over only": (
        behaves("a", "fail_once", Retry(1, ("PassingFailureError",), ("PassingFailureError",))),
        fails("a"),
    ),
    "a fan-out of calls that are made again": (
        chord([Repeat(3, "r", "fail_once", retry=Retry(1)), A], task("b")),
        [[[0, "r"], [1, "r"], [2, "r"], ["a"]], "b"],
    ),
    "items that are made again": (
        chain(A, Items("map", 2, label="m", behaviour="fail", retry=Retry(1))),
        fails("m"),
    ),
    "a handled call that is made again": (
        rescue("r", behaves("a", "fail", Retry(1)), task("h", immutable=True)),
        ["h"],
    ),
    "made again in each": (
        chain(THREE, each("e", PREV, behaves("b", "fail_once", Retry(1)))),
        [[7, "b"], [8, "b"], ["a", "b"]],
    ),
    # max_parallel and tolerate
    "one at a time": (
        chain(A, limited(task("b"), chain(task("c"), task("d")), Repeat(2, "r"), max_parallel=1)),
        [[["a"], "b"], [[["a"], "c"], "d"], [["a"], 0, "r"], [["a"], 1, "r"]],
    ),
    "two at a time of each": (
        chain(THREE, each("e", PREV, chain(task("b"), task("c")), max_parallel=2), task("d")),
        [[[[i, "b"], "c"] for i in (7, 8, "a")], "d"],
    ),
    "two at a time of a fan-out": (
        Repeat(5, "r", limits=Limits(max_parallel=2)),
        [[n, "r"] for n in range(5)],
    ),
    "two batches at a time": (
        Items("chunks", 5, 2, label="c", limits=Limits(max_parallel=2)),
        [[[0, "c.0"], [1, "c.1"]], [[2, "c.2"], [3, "c.3"]], [[4, "c.4"]]],
    ),
    "one at a time, one of which fails": (
        limited(FAIL, task("b"), chain(task("c"), task("d")), max_parallel=1),
        fails("f"),
    ),
    "a tolerated failure": (
        chain(limited(A, chain(FAIL, task("x")), tolerate=1), task("b")),
        [[["a"], None], "b"],
    ),
    "one failure too many": (
        chain(limited(FAIL, A, chain(behaves("g", "fail"), task("x")), tolerate=1), task("b")),
        fails("f", "g", skipped=("x", "b")),
    ),
    "half of them may fail": (limited(FAIL, A, tolerate="50%"), [None, ["a"]]),
    "less than half is none": (limited(FAIL, A, tolerate="49%"), fails("f")),
    "all of them may fail": (
        each("e", [1, 2], FAIL, tolerate="100%"),
        [None, None],
    ),
    "some of each may fail": (
        chain(
            THREE,
            each(
                "e",
                PREV,
                switch("s", (Compared("==", ITEM, Literal(8)), FAIL), otherwise=task("b")),
                tolerate=1,
            ),
        ),
        [[7, "b"], None, ["a", "b"]],
    ),
    "the errors of a header": (
        Chord(
            (FAIL, task("b"), behaves("g", "fail")),
            task("d", Length(ERRORS), Part(Part(ERRORS, 1), "type"), ERRORS),
            Limits(tolerate=2),
        ),
        [
            [None, ["b"], None],
            2,
            "PlannedFailureError",
            [error("f"), error("g")],
            "d",
        ],
    ),
    "no errors of a header": (
        Chord((A, task("b")), task("c", ERRORS), Limits(tolerate=1)),
        [[["a"], ["b"]], [], "c"],
    ),
}
