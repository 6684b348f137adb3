"""What is left of a plan when some of its calls have results that are used again.

A call that has its result stays as it is, with all that it came after; what comes after a call
that runs again runs again. The rest of the plan is a normal form of its own, whose first calls are
given the results before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from flowrunner.plan import Fork, Plan, Sequence, calls_of
from flowrunner.planner.given import given
from flowrunner.planner.normal_form import literal

__all__ = ["Remainder", "Rest", "rest_of"]


class Remainder(Struct, frozen=True):
    """What is left of a plan, and which calls' results are used again, by path.

    The run begins anew with the results that are ``known`` and the ``failures`` that were taken
    care of. ``plan`` is what an engine checks: its sequence has only what is to run. It is
    ``None``, and ``result`` the main part's value, where nothing is left.
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
