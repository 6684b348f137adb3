"""A handler as a plan of its own, once it is known what it is given."""

from __future__ import annotations

from typing import Any

from flowrunner.plan import Handler, Plan, is_static
from flowrunner.planner.given import given

__all__ = ["handler_plan"]


def handler_plan(plan: Plan, handler: Handler, outcome: Any) -> Plan:
    """Return the plan by which an engine runs a handler: its first calls are given ``outcome``.

    Paths stay, so that task ids are the handler's own in the run of ``plan``.
    """
    return Plan(
        name=plan.name,
        source=plan.source,
        root=handler.root,
        sequence=given(handler.sequence, outcome) if is_static(handler.root) else (),
        cost=handler.cost,
        one_canvas=handler.one_canvas,
        description=plan.description,
        inputs=plan.inputs,
        timeout=plan.timeout,
        part=handler.name,
        used=plan.used,
        env=plan.env,
    )
