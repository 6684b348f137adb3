"""``each``: a step for every item of a list, here where the list is known, else at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowrunner import model, plan
from flowrunner.planner.calls import ITEM
from flowrunner.planner.policies import Limits
from flowrunner.planner.scope import LATE, UNKNOWN, Scope, is_unknown
from flowrunner.values import shown

if TYPE_CHECKING:
    from flowrunner.planner.builder import PlanBuilder

__all__ = ["build_each"]


def build_each(
    builder: PlanBuilder, each: model.Each, path: str, scope: Scope, limits: Limits
) -> plan.Group | plan.Each:
    """Return the group of an ``each``, or what run time makes one of."""
    _check_name(builder, each, scope)
    if builder.resolver.refuses_secrets(each.items, scope, "'each'"):
        return _late(builder, each, path, scope, limits, unknown=True)
    deferred = builder.resolver.deferred
    items = builder.resolver.value(each.items, scope)
    if builder.resolver.deferred > deferred:
        return _late(builder, each, path, scope, limits)
    if is_unknown(items) and not isinstance(items, list):
        return _late(builder, each, path, scope, limits, unknown=True)
    if not isinstance(items, list):
        builder.problems.report(
            f"'each' needs a list, not {shown(items)}", each.items.location, _cure(items)
        )
        return _late(builder, each, path, scope, limits, unknown=True)
    if not items:  # what is wrong with the step is said all the same
        _template(builder, each, path, scope.out_of_use(), unknown=False)
    members: list[plan.Node] = []
    problems = len(builder.problems)
    for number, item in enumerate(items):
        place = f"{path}[{number}]"
        value = UNKNOWN if is_unknown(item) else item
        builder.budget.spend_on_value(item)
        calls = builder.calls
        step = builder.step(each.do, place, scope.with_given(ITEM, value, each.variable), {})
        if builder.calls == calls:  # so that members without calls are bounded too
            builder.count(1, each.location)
        members.append(plan.Given(place, item, step, each.location, each.variable))
        if len(builder.problems) > problems:
            break  # the same would be found wrong with the others
    return plan.Group(path, tuple(members), each.location, False, *limits.of(len(members)))


def _late(
    builder: PlanBuilder,
    each: model.Each,
    path: str,
    scope: Scope,
    limits: Limits,
    *,
    unknown: bool = False,
) -> plan.Each:
    items = builder.resolver.late(each.items, scope)
    step = _template(builder, each, path, scope, unknown=unknown)
    most, tolerate = limits
    if tolerate is not None and not tolerate.amount:
        tolerate = None
    return plan.Each(path, items, step, each.variable, each.location, most, tolerate)


def _template(
    builder: PlanBuilder, each: model.Each, path: str, scope: Scope, *, unknown: bool
) -> plan.Node:
    value = UNKNOWN if unknown else LATE
    inner = scope.with_given(ITEM, value, each.variable)
    return builder.step(each.do, f"{path}[*]", inner, {})


def _check_name(builder: PlanBuilder, each: model.Each, scope: Scope) -> None:
    name = each.variable
    hidden = None
    if name in scope.names:
        hidden = "a step around this one has given it a meaning"
    elif name in builder.ids:
        hidden = f"the step in line {builder.ids.place(name).line} has it as its id"
    if hidden is not None:
        builder.problems.report(
            f"the name '{name}' is taken",
            each.location,
            f"{hidden}: give the items another name with 'as'",
        )


def _cure(items: object) -> str:
    if isinstance(items, int) and not isinstance(items, bool) and items >= 0:
        return f"to count: ${{range({items})}}"
    if isinstance(items, dict):
        return "its keys are a list: keys(…)"
    return ""
