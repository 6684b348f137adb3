"""Shapes as plan trees without a file, to hold the normal form against what a shape means."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NoReturn

from flowrunner import plan
from flowrunner.planner.normal_form import normal_form
from flowrunner.source import Location, Source
from tests.conformance.shape import Chain, Chord, Group, Shape, Task

HERE = Location(Source("shape.yaml", ""), 0, 0)


class PlannedError(Exception):
    """A task of a shape that fails."""


def plan_tree(shape: Shape, path: str = "root") -> plan.Node:
    """Return the plan tree of a shape of tasks, chains, groups and chords."""
    match shape:
        case Task():
            args = (*shape.literals, shape.label)
            return plan.Call(path, shape.behaviour, HERE, args=args, immutable=shape.immutable)
        case Chain(steps):
            return plan.Chain(path, _trees(steps, path), HERE)
        case Group(members):
            return plan.Group(path, _trees(members, path), HERE)
        case Chord(header, body):
            group = plan.Group(f"{path}.h", _trees(header, f"{path}.h"), HERE)
            return plan.Chord(path, group, plan_tree(body, f"{path}.b"), HERE)
        case _:
            raise TypeError(shape)


def _trees(shapes: tuple[Shape, ...], path: str) -> tuple[plan.Node, ...]:
    return tuple(plan_tree(shape, f"{path}.{n}") for n, shape in enumerate(shapes))


def call_task(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do what a task of a shape does."""
    return _fail(*args) if name == "fail" else list(args)


def _fail(*args: Any) -> NoReturn:
    raise PlannedError(args[-1])


def ends_every_member_in_a_call(sequence: plan.Sequence) -> bool:
    """Tell whether Celery reports each failure to the fork around it.

    It does not for a member that ends in a chord; flowrunner's ledger would not notice.
    """
    return all(
        isinstance(member[-1], plan.Call) and ends_every_member_in_a_call(member)
        for item in sequence
        if isinstance(item, plan.Fork)
        for member in item.members
    )


def outline(shape: Shape) -> Hashable:
    """Return the form that engines would run, without paths and labels.

    Two shapes with the same outline are the same canvas.
    """
    return outline_of(normal_form(plan_tree(shape)))


def outline_of(sequence: plan.Sequence) -> Hashable:
    return tuple(
        (tuple(map(outline_of, item.members)), _call(item.join))
        if isinstance(item, plan.Fork)
        else _call(item)
        for item in sequence
    )


def _call(call: plan.Call) -> Hashable:
    if call.kind == "builtin":
        return (call.task, repr(call.args), repr(call.kwargs))
    return (call.task, call.immutable)
