"""What is left of a plan when some of its calls have results that are used again.

A call that has its result stays as it is, with all that it came after; what comes after a call
that runs again runs again. The rest of the plan is a normal form of its own, whose first calls are
given the results before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from msgspec import Struct, field

from flowrunner.plan import Call, Fork, Plan, Sequence, calls_of, without_continuations
from flowrunner.planner.continuations import with_continuations
from flowrunner.planner.given import given
from flowrunner.planner.normal_form import literal

__all__ = ["Remainder", "Rest", "remaining_plan", "rest_of", "unchanged_calls"]


class Remainder(Struct, frozen=True):
    """What is left of a plan, and which calls' results are used again, by path.

    ``plan`` has only what is to run in its sequence; it is ``None``, and ``result`` the main
    part's value, where nothing is left. Of a plan that unfolds it is the whole plan, which begins
    anew with the results that are ``known`` and the ``failures`` that were taken care of.
    """

    plan: Plan | None
    reused: frozenset[str]
    result: Any = None
    known: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, Any] = field(default_factory=dict)


class Rest(Struct, frozen=True):
    """What is left of a sequence; ``value`` is the last result, where ``items`` is empty."""

    items: Sequence
    value: Any = None


def remaining_plan(plan: Plan, results: Mapping[str, Any]) -> Remainder:
    """Return what is left of a plan's main part, with these results of calls, by path."""
    whole = without_continuations(plan.sequence)
    rest = rest_of(whole, results)
    left = {call.path for call in calls_of(rest.items)}
    reused = frozenset(
        call.path for call in calls_of(whole) if call.path not in left and call.path in results
    )
    if not rest.items:
        return Remainder(None, reused, rest.value)
    sequenced = with_continuations(rest.items)
    return Remainder(
        replace(
            plan,
            sequence=sequenced.sequence,
            cost=sequenced.cost,
            one_canvas=sequenced.one_canvas,
        ),
        reused,
    )


def rest_of(sequence: Sequence, results: Mapping[str, Any]) -> Rest:
    paths = [(item.join if isinstance(item, Fork) else item).path for item in sequence]
    known = [position for position, path in enumerate(paths) if path in results]
    items = sequence
    if known:  # what a call gave needs nothing of what came before it
        value = results[paths[known[-1]]]
        items = sequence[known[-1] + 1 :]
        if not items:
            return Rest((), value)
        items = given(items, value)
    first, *others = items
    if not isinstance(first, Fork):
        return Rest(items)
    members = [rest_of(member, results) for member in first.members]
    if any(member.items for member in members):
        joined = zip(first.members, members, strict=True)
        fork = Fork(tuple(_member(*each) for each in joined), first.join)
        return Rest((fork, *others))
    join = given((first.join,), [member.value for member in members])
    return Rest((*join, *others))


def _member(member: Sequence, rest: Rest) -> Sequence:
    """Return a member as it runs; one that has ended gives its value, to keep its place."""
    if rest.items:
        return rest.items
    *_, last = calls_of(member)
    return (literal(f"{last.path}:reused", last.location, rest.value),)


def unchanged_calls(before: Plan, after: Plan) -> frozenset[str]:
    """Return the paths of the calls that are the same in both plans, with all before them."""
    return frozenset(
        _unchanged(without_continuations(before.sequence), without_continuations(after.sequence))
    )


def _unchanged(before: Sequence, after: Sequence) -> Iterator[str]:
    for old, new in zip(before, after, strict=False):
        if isinstance(old, Call) or isinstance(new, Call):
            if old != new or not isinstance(new, Call):
                return
            yield new.path
            continue
        for pair in zip(old.members, new.members, strict=False):
            yield from _unchanged(*pair)
        if old != new:
            return
        yield new.join.path
