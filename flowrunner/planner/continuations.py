"""Continuations: what comes later is stored once instead of riding in every message before it.

Celery puts a chain's rest into every task's message and a chord's body into every member's, so
one plain canvas of many steps costs the square of their number (DESIGN section 3,
*Continuations by reference*). A continuation is a call that ends a part of a plan and, in a
worker, publishes the next one. Plans that this would not save much stay one canvas, which
workers run that have never heard of flowrunner.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from flowrunner.message_format import base64_size
from flowrunner.plan import (
    Call,
    Cost,
    Fork,
    Item,
    Node,
    Sequence,
    calls_of,
    has_secret,
    is_static,
)
from flowrunner.planner.cost import Costing, minimum_cost
from flowrunner.planner.normal_form import normal_form

__all__ = ["CONTINUE", "WORTH_CONTINUING", "Sequenced", "sequence_of", "with_continuations"]

#: The task of a continuation; workers of flowrunner's know it.
CONTINUE: Final = "flowrunner.continue"

#: What continuations have to save, in bytes, before a plan has any.
WORTH_CONTINUING: Final = 250_000

#: How many bytes of a part may ride along before it ends with a continuation. A continuation
#: costs a message of its own; making and reading 64 KB of JSON takes a worker as long.
RIDING_ALONG: Final = 64_000

#: What waits behind a step has to be larger than this, in bytes, for a continuation to pay: its
#: own signature waits there instead.
SMALLEST_PART: Final = 1_000


class Sequenced(NamedTuple):
    """What an engine runs of a tree and what that costs, with continuations and without."""

    sequence: Sequence
    cost: Cost
    one_canvas: Cost


def sequence_of(root: Node, *, has_input: bool = False) -> Sequenced:
    """Return the normal form of a plan's tree, with continuations where they pay.

    A tree that unfolds has none, and what is known of its cost is the least.
    ``has_input`` says that its first calls are given something: those of a handler.
    """
    if is_static(root):
        return with_continuations(normal_form(root, has_input=has_input))
    cost = minimum_cost(root)
    return Sequenced((), cost, cost)


def with_continuations(plain: Sequence) -> Sequenced:
    """Return a normal form with continuations where they pay, and what it costs.

    One with secrets has none: what a continuation publishes is stored, with their values.
    """
    costing = Costing()
    one_canvas = costing.cost(plain)
    if one_canvas.bytes > WORTH_CONTINUING and not _has_secrets(plain):
        continued = _continued(plain, costing)
        if any(call.kind == "continuation" for call in calls_of(continued)):
            cost = costing.cost(continued)
            if one_canvas.bytes - cost.bytes > WORTH_CONTINUING:
                return Sequenced(continued, cost, one_canvas)
    return Sequenced(plain, one_canvas, one_canvas)


def _has_secrets(sequence: Sequence) -> bool:
    return any(has_secret((call.args, call.kwargs)) for call in calls_of(sequence))


def _continued(sequence: Sequence, costing: Costing) -> Sequence:
    """Return a sequence with a continuation wherever too much would ride along."""
    *before, last = (_with_parts(item, costing) for item in sequence)
    items: list[Item] = [last]  # from the end
    waiting = riding = 0
    for item in reversed(before):
        waiting += costing.waiting_size(items[-1])
        riding += base64_size(waiting) * _message_count(item)
        if riding > RIDING_ALONG and waiting > SMALLEST_PART:
            items.append(_continuation(item))
            waiting = costing.waiting_size(items[-1])
            riding = base64_size(waiting) * _message_count(item)
        items.append(item)
    return tuple(reversed(items))


def _with_parts(item: Item, costing: Costing) -> Item:
    if isinstance(item, Call):
        return item
    members = tuple(
        member if len(member) == 1 and isinstance(member[0], Call) else _continued(member, costing)
        for member in item.members
    )
    return Fork(members, item.join)


def _message_count(item: Item) -> int:
    """Return how many messages carry what waits behind an item."""
    return sum(1 for _ in calls_of((item,)))


def _continuation(item: Item) -> Call:
    call = item.join if isinstance(item, Fork) else item
    return Call(f"{call.path}:continue", CONTINUE, call.location, kind="continuation")
