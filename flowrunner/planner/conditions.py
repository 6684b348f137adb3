"""``when`` and ``switch``: decided here where their conditions are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowrunner import model, plan
from flowrunner.node import Scalar
from flowrunner.planner.paths import joined
from flowrunner.planner.scope import UNKNOWN, Scope
from flowrunner.values import shown

if TYPE_CHECKING:
    from flowrunner.planner.builder import PlanBuilder

__all__ = ["build_switch"]


def build_switch(builder: PlanBuilder, switch: model.Switch, path: str, scope: Scope) -> plan.Node:
    """Return the step that runs, or what run time decides about."""
    is_when = switch.written == "when"
    branches: list[plan.Branch] = []
    otherwise: plan.Node | None = None
    left_out: list[plan.Node] = []
    decided = False
    for number, branch in enumerate(switch.branches):
        place = path if is_when else f"{joined(path, 'switch')}[{number}].do"
        if decided:
            builder.condition(branch.when, scope.out_of_use())
            builder.step(branch.step, place, scope.out_of_use(), {})
            continue
        holds = builder.condition(branch.when, scope)
        step = builder.step(branch.step, place, scope.out_of_use() if holds is False else scope, {})
        if holds is True:
            decided, otherwise = True, step
        elif holds is False:
            left_out.append(step)
        else:
            condition = builder.resolver.late(branch.when, scope, bare=True)
            branches.append(plan.Branch(condition, step))
    if switch.otherwise is not None:
        place = f"{joined(path, 'switch')}[{len(switch.branches)}].else"
        step = builder.step(switch.otherwise, place, scope.out_of_use() if decided else scope, {})
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


def checked_condition(builder: PlanBuilder, node: Scalar, scope: Scope) -> Any:
    """Return whether a condition holds, if that is known."""
    value = builder.resolver.condition(node, scope)
    if isinstance(value, (bool, plan.Deferred)) or value is UNKNOWN:
        return value
    builder.problems.report(
        f"a condition must be true or false, not {shown(value)}",
        node.location,
        "compare it with something: it is never taken for true or false by itself",
    )
    return UNKNOWN
