"""``chain``: steps one after another."""

from __future__ import annotations

from collections.abc import Iterator

from flowrunner import model, plan
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.scope import Ended, Scope

__all__ = ["build_chain"]


def build_chain(
    context: PlanContext, chain: model.Chain, path: str, scope: Scope, ended: Ended
) -> plan.Chain:
    """Return a chain."""
    path = joined(path, "chain")
    return plan.Chain(path, tuple(_steps(context, chain, path, scope, ended)), chain.location)


def _steps(
    context: PlanContext, chain: model.Chain, path: str, scope: Scope, ended: Ended
) -> Iterator[plan.Node]:
    for position, inner in enumerate(chain.steps):
        own: Ended = {}
        step = context.step(inner, f"{path}[{position}]", scope, own)
        scope = context.after(step, scope, own)
        ended |= own
        yield step
