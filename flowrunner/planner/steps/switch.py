"""``when`` and ``switch``: decided here where their conditions are known."""

from __future__ import annotations

from flowrunner import model, plan
from flowrunner.node import Scalar
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.scope import Ended, Scope

__all__ = ["build_switch"]


def build_switch(
    context: PlanContext, switch: model.Switch, path: str, scope: Scope, ended: Ended
) -> plan.Node:
    """Return the step that runs, or what run time decides about."""
    is_when = switch.written == "when"
    branches: list[plan.Branch] = []
    otherwise: plan.Node | None = None
    left_out: list[plan.Node] = []
    decided = False
    for number, branch in enumerate(switch.branches):
        place = path if is_when else f"{joined(path, 'switch')}[{number}].do"
        if decided:
            context.condition(branch.when, scope.out_of_use())
            context.step(branch.step, place, scope.out_of_use(), {})
            continue
        holds = context.condition(branch.when, scope)
        step = context.step(branch.step, place, scope.out_of_use() if holds is False else scope, {})
        if holds is True:
            decided, otherwise = True, step
        elif holds is False:
            left_out.append(step)
        else:
            condition = context.resolver.late(branch.when, scope, bare=True)
            branches.append(plan.Branch(condition, step))
    if switch.otherwise is not None:
        place = f"{joined(path, 'switch')}[{len(switch.branches)}].else"
        step = context.step(switch.otherwise, place, scope.out_of_use() if decided else scope, {})
        otherwise = otherwise if decided else step
    own = path if is_when else joined(path, "switch")
    if branches:
        own = own or branches[0].step.path
        return plan.Switch(own, tuple(branches), otherwise, switch.location, switch.written)
    if otherwise is not None:
        return otherwise
    skipped = left_out[0] if len(left_out) == 1 else plan.Chain(own, (), switch.location)
    return plan.Skipped(own or skipped.path, skipped, _why(switch), switch.location)


def _why(switch: model.Switch) -> str:
    texts = [_written(branch.when) for branch in switch.branches]
    return f"when {' or '.join(texts)}"


def _written(condition: Scalar) -> str:
    value = condition.value
    return value.strip() if isinstance(value, str) else str(value).lower()
