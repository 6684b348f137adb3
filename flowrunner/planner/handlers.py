"""A handler as a plan of its own, once it is known what it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowrunner.plan import Call, Fork, Handler, Plan, Sequence

__all__ = ["handler_plan"]


def handler_plan(plan: Plan, handler: Handler, outcome: Any) -> Plan:
    """Return the plan by which an engine runs a handler: its first calls are given ``outcome``.

    Paths stay, so that task ids are the handler's own in the run of ``plan``.
    """
    return Plan(
        name=plan.name,
        source=plan.source,
        root=handler.root,
        sequence=_given(handler.sequence, outcome),
        cost=handler.cost,
        one_canvas=handler.one_canvas,
        description=plan.description,
        inputs=plan.inputs,
        timeout=plan.timeout,
        part=handler.name,
    )


def _given(sequence: Sequence, value: Any) -> Sequence:
    first, *rest = sequence
    if isinstance(first, Fork):
        members = tuple(_given(member, value) for member in first.members)
        return (replace(first, members=members), *rest)
    return (_call_given(first, value), *rest)


def _call_given(call: Call, value: Any) -> Call:
    if call.immutable or call.kind in ("map", "starmap"):
        return call
    return replace(call, args=(value, *call.args))
