"""Shapes of the whole language as tables write them, and what is expected of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.conformance.classics import task
from tests.conformance.expression import Compared, Expression, Length, Literal, Name
from tests.conformance.shape import (
    Behaviour,
    Each,
    Graph,
    Group,
    Keyed,
    Limits,
    Node,
    Retry,
    Shape,
    Switch,
    Task,
)


@dataclass(frozen=True)
class Fails:
    """The steps that fail, and those that do not run because of it."""

    failed: frozenset[str]
    skipped: frozenset[str] = frozenset()


def fails(*failed: str, skipped: tuple[str, ...] = ()) -> Fails:
    return Fails(frozenset(failed), frozenset(skipped))


def each(label: str, items: Any, do: Shape, variable: str = "item", **limits: Any) -> Keyed:
    return Keyed(label, Each(items, do, variable, Limits(**limits)))


def switch(
    label: str, *branches: tuple[Expression, Shape], otherwise: Shape | None = None
) -> Keyed:
    return Keyed(label, Switch(branches, otherwise))


def when(label: str, condition: Expression, step: Shape) -> Keyed:
    return Keyed(label, step, when=condition)


def rescue(label: str, step: Shape, handler: Shape) -> Keyed:
    return Keyed(label, step, on_error=handler)


def graph(**nodes: tuple[tuple[str, ...], Shape]) -> Graph:
    return Graph(tuple(Node(name, needs, step) for name, (needs, step) in nodes.items()))


def limited(*members: Shape, **limits: Any) -> Group:
    return Group(members, Limits(**limits))


def behaves(label: str, behaviour: Behaviour, retry: Retry | None = None) -> Task:
    return Task(label, behaviour, retry=retry)


def error(step: str, kind: str = "PlannedFailureError") -> dict[str, str]:
    said = "" if kind == "ExpressionError" else f"planned at {step.partition('@')[0]}"
    return {"step": step, "type": kind, "message": said}


def told(path: str, *errors: dict[str, str]) -> dict[str, Any]:
    return {"path": path, "errors": list(errors), "left_out": 0}


PREV, ITEM, ERRORS = Name("prev"), Name("item"), Name("errors")
TRUE, FALSE = Literal(True), Literal(False)
A = task("a")
FAIL = behaves("f", "fail")
THREE = Task("a", literals=(7, 8))  # gives [7, 8, "a"]


def longer(than: int, of: Expression = PREV) -> Expression:
    return Compared(">", Length(of), Literal(than))
