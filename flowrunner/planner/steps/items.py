"""``map``, ``starmap`` and ``chunks``: calls that carry many items."""

from __future__ import annotations

from typing import Any, Final

from flowrunner import model, plan
from flowrunner.node import Node, Sequence
from flowrunner.planner.call_template import STEPS_PER_CALL
from flowrunner.planner.calls import check_call
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.defaults import with_defaults
from flowrunner.planner.options import resolve_options
from flowrunner.planner.policies import resolve_retry
from flowrunner.planner.scope import Ended, Scope, is_unknown
from flowrunner.source import Location
from flowrunner.tasks import TaskDefinition
from flowrunner.values import shown

__all__ = ["batches", "build_item_calls"]

#: How often the items of a call are walked through: here, for its message, where it is shown.
_TIMES_WALKED: Final = 3


def build_item_calls(
    context: PlanContext, step: model.ItemCalls, path: str, scope: Scope, ended: Ended
) -> plan.Call:
    """Return the one call of a ``map`` or ``starmap``."""
    path = joined(path, step.kind)
    context.count(1, step.location)
    context.budget.spend_on_part(STEPS_PER_CALL)
    items = _items(context, step.task, step.over, step.location, scope, lists=step.kind != "map")
    options, retry = _keys(context, step, step.kind, scope)
    return plan.Call(
        path,
        step.task,
        step.location,
        args=tuple(items),
        options=options,
        immutable=True,
        kind="starmap" if step.kind == "starmap" else "map",
        id=None if step.id is None else str(step.id.value),
        retry=retry,
    )


def batches(context: PlanContext, step: model.Chunks, path: str, scope: Scope) -> plan.Repeat:
    """Return the calls of a ``chunks``, one a batch."""
    items = _items(context, step.task, step.over, step.location, scope, lists=True)
    options, retry = _keys(context, step, "chunks", scope)
    size = _size(context, step, scope)
    parts = tuple(tuple(items[start : start + size]) for start in range(0, len(items), size))
    context.count(len(parts), step.location)
    context.budget.spend_on_part(len(parts) * STEPS_PER_CALL)
    call = plan.Call(
        f"{path}[*]",
        step.task,
        step.location,
        options=options,
        immutable=True,
        kind="starmap",
        retry=retry,
    )
    return plan.Repeat(path, call, len(parts), "batch", step.location, {"args": parts})


def _size(context: PlanContext, step: model.Chunks, scope: Scope) -> int:
    size = context.resolver.known(step.size, scope, "'size'")
    if isinstance(size, int) and not isinstance(size, bool) and size >= 1:
        return size
    if not is_unknown(size):
        context.problems.report(
            f"'size' must be an integer from 1, not {shown(size)}", step.size.location
        )
    return 1


def _items(
    context: PlanContext,
    task: str,
    over: Node,
    location: Location,
    scope: Scope,
    *,
    lists: bool,
) -> list[Any]:
    """Return the items, each checked against the task's signature."""
    definition = context.definition(task, location)
    items = context.resolver.known(
        over, scope, "'over'", cure="to use a result, write 'each: LIST' with 'do: TASK'"
    )
    if is_unknown(items):
        return []
    if not isinstance(items, list):
        context.problems.report(f"'over' must be a list, not {shown(items)}", over.location)
        return []
    context.budget.spend_on_value(items, _TIMES_WALKED)
    fitting: set[int] = set()
    for position, item in enumerate(items):
        place = over.items[position].location if isinstance(over, Sequence) else over.location
        if lists and not isinstance(item, list):
            context.problems.report(
                f"item {position} must be a list of arguments, not {shown(item)}",
                place,
                "write each item as a list of arguments: [1, 2]",
            )
        elif definition is not None:
            arguments = len(item) if lists else 1
            if arguments not in fitting and _fits(context, definition, arguments, place):
                fitting.add(arguments)
    return items if not lists or all(isinstance(item, list) for item in items) else []


def _fits(context: PlanContext, definition: TaskDefinition, args: int, place: Location) -> bool:
    found = check_call(definition, given=None, args=args, keywords=())
    for problem in found:
        context.problems.report(problem.message, place, problem.label)
    return not found


def _keys(
    context: PlanContext, step: model.ItemCalls | model.Chunks, kind: str, scope: Scope
) -> tuple[dict[str, Any], plan.Retry | None]:
    """Return the options and the retries of the calls."""
    definition = context.registry.get(step.task)
    if definition is None:
        return {}, None
    own = model.CallKeys(options=step.options, retry=step.retry)
    keys = with_defaults(context.workflow, definition, own)
    for name, default in (("args", keys.args), ("kwargs", keys.kwargs)):
        if default is not None:
            context.problems.report(
                f"'{kind}' cannot give task '{step.task}' its default '{name}'",
                step.location,
                f"remove the default in line {default.location.line}: the message holds only items",
            )
    resolver, problems = context.resolver, context.problems
    options = resolve_options(definition, keys.options, resolver, problems, scope, {})
    return options, resolve_retry(keys.retry, resolver, problems, scope, {})
