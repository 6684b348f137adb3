"""What a step has around it: an id, or an ``on_error`` that handles its failure."""

from __future__ import annotations

from flowrunner import model, plan
from flowrunner.node import Scalar
from flowrunner.planner.calls import ERROR
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.scope import LATE, Ended, Scope, StepValue

__all__ = ["build_named", "build_rescue", "with_id"]


def build_named(
    context: PlanContext, named: model.Named, path: str, scope: Scope, ended: Ended
) -> plan.Named:
    """Return a step with its id."""
    return with_id(context, named.id, named.step, path, scope, ended)


def with_id(
    context: PlanContext, name: Scalar, step: model.Step, path: str, scope: Scope, ended: Ended
) -> plan.Named:
    """Build a step and give it an id, which ``ended`` gets."""
    node = context.step(step, path, scope, ended)
    path = path or node.path
    nothing = scope.given is None and plan.passing(node) is plan.Passing.ALWAYS
    ended[str(name.value)] = StepValue(path, nothing)
    context.has_names = True
    return plan.Named(path, str(name.value), node, name.location)


def build_rescue(
    context: PlanContext, rescue: model.Rescue, path: str, scope: Scope, ended: Ended
) -> plan.Rescue:
    """Return a step with the handler of its failure; neither has certainly ended afterwards."""
    step = context.step(rescue.step, path, scope, {})
    place = joined(path, "on_error")
    handler = context.step(rescue.handler, place, scope.with_given(ERROR, LATE), {})
    return plan.Rescue(path or step.path, step, handler, rescue.location)
