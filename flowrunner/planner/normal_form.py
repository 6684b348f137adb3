"""The normal form: the shape in which Celery runs every nested workflow rightly.

Celery executes many nested canvases wrongly when they are built as they are written. The
rules of DESIGN section 3 rewrite a plan's tree so that every canvas is a sequence whose steps
are plain calls or ``chord(members, one plain call)``, and every member is such a sequence:

1. nested chains are spliced, empty ones dropped, a one-step chain is its step
2. a group of none is the literal ``[]``; a group of one is its member followed by *wrap*
3. a group followed by a plain call becomes a chord with it; one followed by anything else, or
   by nothing, becomes ``chord(members, collect)``
4. a composite chord body leaves the chord and follows it
5. a member that ends in a chord gets a trailing *collect*
6. ``chunks`` is a group of starmaps (the planner has made it one already)

*collect*, *wrap* and literals are Celery's own task ``celery.accumulate``, so that workers
need nothing of flowrunner's.
"""

from __future__ import annotations

from typing import Any, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from flowrunner import plan
from flowrunner.message_format import ACCUMULATE
from flowrunner.planner.given import given
from flowrunner.source import Location

__all__ = ["literal", "normal_form"]


class _OpenFork(Struct, frozen=True):
    """Members side by side whose joining call is not known yet."""

    path: str
    location: Location
    members: tuple[plan.Sequence, ...]


_Draft: TypeAlias = list[plan.Call | plan.Fork | _OpenFork]


def normal_form(root: plan.Node, *, has_input: bool = False) -> plan.Sequence:
    """Return the normal form of a plan's tree; it has at least one call.

    ``has_input`` says that its first calls are given something: those of a handler.
    """
    return _closed(_draft(root, has_input=has_input)) or (_unchanged(root, has_input),)


def _draft(node: plan.Node, *, has_input: bool) -> _Draft:
    match node:
        case plan.Call():
            return [node]
        case plan.Chain():
            draft: _Draft = []
            for step in node.steps:
                draft += _draft(step, has_input=has_input or bool(draft))
            return draft
        case plan.Group():
            return _draft_group(node, has_input=has_input)
        case plan.Chord():
            return [
                *_draft(node.header, has_input=has_input),
                *_draft(node.body, has_input=True),
            ]
        case plan.Given():
            return _draft_given(node)
        case plan.Constant():
            return [literal(f"{node.path}:literal", node.location, node.value)]
        case plan.Skipped():
            return []
        case (
            plan.Each()
            | plan.Switch()
            | plan.Rescue()
            | plan.Named()
            | plan.Used()
            | plan.Graph()
            | plan.Failing()
        ):
            raise AssertionError(f"BUG: {type(node).__name__} is no canvas")
        case _:
            assert_never(node)


def _draft_given(node: plan.Given) -> _Draft:
    draft = _draft(node.step, has_input=True)
    if not draft:  # it passes its input on
        return [literal(f"{node.path}:literal", node.location, node.value)]
    first, *rest = draft
    if isinstance(first, _OpenFork):
        members = tuple(given(member, node.value) for member in first.members)
        return [replace(first, members=members), *rest]
    (fixed,) = given((first,), node.value)
    return [fixed, *rest]


def _draft_group(group: plan.Group, *, has_input: bool) -> _Draft:
    members = list(group.flat())
    if not members:
        return [literal(f"{group.path}:literal", group.location, [])]
    if len(members) == 1:
        only = _draft(members[0], has_input=has_input)
        return [*(only or [_unchanged(members[0], has_input)]), _wrap(group)]
    return [
        _OpenFork(
            group.path,
            group.location,
            tuple(_member(member, has_input) for member in members),
        )
    ]


def _member(node: plan.Node, has_input: bool) -> plan.Sequence:
    if isinstance(node, plan.Call):  # the common case of a wide fan-out
        return (node,)
    if isinstance(node, plan.Given) and isinstance(node.step, plan.Call):
        return given((node.step,), node.value)
    sequence = _closed(_draft(node, has_input=has_input)) or (_unchanged(node, has_input),)
    if isinstance(sequence[-1], plan.Fork):
        return (*sequence, _collect(f"{node.path}:return", node.location))
    return sequence


def _closed(draft: _Draft) -> plan.Sequence:
    """Give every open fork its joining call: the plain call that follows, or *collect*."""
    items: list[plan.Item] = []
    for position, item in enumerate(draft):
        if isinstance(item, plan.Call) and position and isinstance(draft[position - 1], _OpenFork):
            continue  # it has become the join of the fork before it
        if isinstance(item, _OpenFork):
            follower = draft[position + 1] if position + 1 < len(draft) else None
            join = (
                follower
                if isinstance(follower, plan.Call)
                else _collect(f"{item.path}:collect", item.location)
            )
            items.append(plan.Fork(item.members, join))
        else:
            items.append(item)
    return tuple(items)


def _unchanged(node: plan.Node, has_input: bool) -> plan.Call:
    """Return a call in place of an empty chain, which passes its input through."""
    if has_input:
        return _collect(f"{node.path}:pass", node.location)
    return literal(f"{node.path}:literal", node.location, None)


def _collect(path: str, location: Location) -> plan.Call:
    return plan.Call(path, ACCUMULATE, location, kwargs={"index": 0}, kind="builtin")


def _wrap(group: plan.Group) -> plan.Call:
    return plan.Call(f"{group.path}:wrap", ACCUMULATE, group.location, kind="builtin")


def literal(path: str, location: Location, value: Any) -> plan.Call:
    """Return Celery's own call that gives ``value``, whatever comes before it."""
    return plan.Call(
        path,
        ACCUMULATE,
        location,
        args=(value,),
        kwargs={"index": 0},
        immutable=True,
        kind="builtin",
    )
