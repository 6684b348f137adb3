"""Calls of a task: one, or the calls of a fan-out (``xN``)."""

from __future__ import annotations

from flowrunner import model, plan
from flowrunner.node import Scalar
from flowrunner.planner.context import PlanContext
from flowrunner.planner.scope import Ended, Scope, is_unknown
from flowrunner.values import shown

__all__ = ["build_broken", "repeated", "single_call"]


def single_call(context: PlanContext, call: model.TaskCall, path: str, scope: Scope) -> plan.Call:
    """Return a call without ``times``."""
    context.count(1, call.location)
    definition = context.definition(call.task, call.location)
    if definition is None:
        return plan.Call(path, call.task, call.location)
    return context.template(call, definition, scope).call(path, scope)


def repeated(
    context: PlanContext, call: model.TaskCall, written: Scalar, path: str, scope: Scope
) -> plan.Repeat:
    """Return the calls of a fan-out, members of the group that they stand in."""
    times = _times(context, written, scope)
    if call.index in scope.names:
        context.problems.report(
            f"the name '{call.index}' is already in use",
            call.location,
            "a step around this one uses it: name the index with 'as'",
        )
    definition = context.definition(call.task, call.location)
    if definition is None:
        unknown = plan.Call(f"{path}[*]", call.task, call.location)
        return plan.Repeat(path, unknown, 0, call.index, call.location)
    return context.template(call, definition, scope).repeat(path, times, scope)


def build_broken(
    context: PlanContext, step: model.Broken, path: str, scope: Scope, ended: Ended
) -> plan.Call:
    """Return a call in place of a step that the loader has reported."""
    assert context.workflow.problems, "BUG: a broken step without a problem"  # noqa: S101
    if step.task is not None:
        context.definition(step.task, step.location)
    return plan.Call(path or "task", "", step.location)  # its result is not known


def _times(context: PlanContext, written: Scalar, scope: Scope) -> int:
    times = context.resolver.known(
        written,
        scope,
        "the number of calls",
        cure="to use a result, write 'each: ${range(…)}' with 'do: NAME'",
    )
    if is_unknown(times):
        return 1
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        context.problems.report(
            f"the number of calls must be an integer from 0, not {shown(times)}",
            written.location,
        )
        return 1
    context.count(times, written.location)
    return times
