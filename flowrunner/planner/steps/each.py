"""``each``: a step for every item of a list, here where the list is known, else at run time."""

from __future__ import annotations

from flowrunner import model, plan
from flowrunner.planner.calls import ITEM
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.policies import Limits
from flowrunner.planner.scope import LATE, UNKNOWN, Ended, Scope, is_unknown
from flowrunner.values import shown

__all__ = ["build_each", "build_members"]


def build_each(
    context: PlanContext, each: model.Each, path: str, scope: Scope, ended: Ended
) -> plan.Group | plan.Each:
    """Return the group of an ``each`` that is a step of its own."""
    limits = context.limits(each.parallel, scope)
    return build_members(context, each, joined(path, "each"), scope, limits)


def build_members(
    context: PlanContext, each: model.Each, path: str, scope: Scope, limits: Limits
) -> plan.Group | plan.Each:
    """Return the group of an ``each``, or what run time makes one of."""
    _check_name(context, each, scope)
    if context.resolver.refuses_secrets(each.items, scope, "'each'"):
        return _late(context, each, path, scope, limits, unknown=True)
    deferred = context.resolver.deferred
    items = context.resolver.value(each.items, scope)
    if context.resolver.deferred > deferred:
        return _late(context, each, path, scope, limits)
    if is_unknown(items) and not isinstance(items, list):
        return _late(context, each, path, scope, limits, unknown=True)
    if not isinstance(items, list):
        context.problems.report(
            f"'each' needs a list, not {shown(items)}", each.items.location, _cure(items)
        )
        return _late(context, each, path, scope, limits, unknown=True)
    if not items:  # what is wrong with the step is said all the same
        _template(context, each, path, scope.out_of_use(), unknown=False)
    members: list[plan.Node] = []
    problems = len(context.problems)
    for number, item in enumerate(items):
        place = f"{path}[{number}]"
        value = UNKNOWN if is_unknown(item) else item
        context.budget.spend_on_value(item)
        calls = context.calls
        step = context.step(each.do, place, scope.with_given(ITEM, value, each.variable), {})
        if context.calls == calls:  # so that members without calls are bounded too
            context.count(1, each.location)
        members.append(plan.Given(place, item, step, each.location, each.variable))
        if len(context.problems) > problems:
            break  # the same would be found wrong with the others
    return plan.Group(path, tuple(members), each.location, False, *limits.of(len(members)))


def _late(
    context: PlanContext,
    each: model.Each,
    path: str,
    scope: Scope,
    limits: Limits,
    *,
    unknown: bool = False,
) -> plan.Each:
    items = context.resolver.late(each.items, scope)
    step = _template(context, each, path, scope, unknown=unknown)
    most, tolerate = limits
    if tolerate is not None and not tolerate.amount:
        tolerate = None
    return plan.Each(path, items, step, each.variable, each.location, most, tolerate)


def _template(
    context: PlanContext, each: model.Each, path: str, scope: Scope, *, unknown: bool
) -> plan.Node:
    value = UNKNOWN if unknown else LATE
    inner = scope.with_given(ITEM, value, each.variable)
    return context.step(each.do, f"{path}[*]", inner, {})


def _check_name(context: PlanContext, each: model.Each, scope: Scope) -> None:
    name = each.variable
    hidden = None
    if name in scope.names:
        hidden = "a step around this one uses it"
    elif name in context.ids:
        hidden = f"the step in line {context.ids.place(name).line} has this id"
    if hidden is not None:
        context.problems.report(
            f"the name '{name}' is already in use",
            each.location,
            f"{hidden}: name the items with 'as'",
        )


def _cure(items: object) -> str:
    if isinstance(items, int) and not isinstance(items, bool) and items >= 0:
        return f"to count, write ${{range({items})}}"
    if isinstance(items, dict):
        return "for the list of its keys, write keys(…)"
    return ""
