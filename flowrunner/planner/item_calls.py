"""``map``, ``starmap`` and ``chunks``: calls that carry many items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flowrunner import model, plan
from flowrunner.node import Node, Sequence
from flowrunner.planner.call_template import STEPS_PER_CALL
from flowrunner.planner.calls import check_call
from flowrunner.planner.defaults import with_defaults
from flowrunner.planner.options import resolve_options
from flowrunner.planner.policies import resolve_retry
from flowrunner.planner.scope import Scope, is_unknown
from flowrunner.source import Location
from flowrunner.tasks import TaskDefinition
from flowrunner.values import shown

if TYPE_CHECKING:
    from flowrunner.planner.builder import PlanBuilder

__all__ = ["build_batches", "build_item_calls"]

#: How often the items of a call are walked through: here, for its message, where it is shown.
_TIMES_WALKED: Final = 3


def build_item_calls(
    builder: PlanBuilder, step: model.ItemCalls, path: str, scope: Scope
) -> plan.Call:
    """Return the one call of a ``map`` or ``starmap``."""
    builder.count(1, step.location)
    builder.budget.spend_on_part(STEPS_PER_CALL)
    items = _items(builder, step.task, step.over, step.location, scope, lists=step.kind != "map")
    options, retry = _keys(builder, step, step.kind, scope)
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


def build_batches(builder: PlanBuilder, step: model.Chunks, path: str, scope: Scope) -> plan.Repeat:
    """Return the calls of a ``chunks``, one a batch."""
    items = _items(builder, step.task, step.over, step.location, scope, lists=True)
    options, retry = _keys(builder, step, "chunks", scope)
    size = _size(builder, step, scope)
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    builder.count(len(batches), step.location)
    builder.budget.spend_on_part(len(batches) * STEPS_PER_CALL)
    calls = tuple(
        plan.Call(
            f"{path}[{position}]",
            step.task,
            step.location,
            args=tuple(batch),
            options=options,
            immutable=True,
            kind="starmap",
            index=position,
            retry=retry,
        )
        for position, batch in enumerate(batches)
    )
    return plan.Repeat(path, calls, "batch", step.location)


def _size(builder: PlanBuilder, step: model.Chunks, scope: Scope) -> int:
    size = builder.resolver.known(step.size, scope, "'size'")
    if isinstance(size, int) and not isinstance(size, bool) and size >= 1:
        return size
    if not is_unknown(size):
        builder.problems.report(
            f"'size' must be a whole number from 1, not {shown(size)}", step.size.location
        )
    return 1


def _items(
    builder: PlanBuilder,
    task: str,
    over: Node,
    location: Location,
    scope: Scope,
    *,
    lists: bool,
) -> list[Any]:
    """Return the items, each checked against the task's signature."""
    definition = builder.definition(task, location)
    items = builder.resolver.known(
        over, scope, "'over'", cure="'each' takes what run time knows: each: LIST, do: TASK"
    )
    if is_unknown(items):
        return []
    if not isinstance(items, list):
        builder.problems.report(f"'over' must be a list, not {shown(items)}", over.location)
        return []
    builder.budget.spend_on_value(items, _TIMES_WALKED)
    fitting: set[int] = set()
    for position, item in enumerate(items):
        place = over.items[position].location if isinstance(over, Sequence) else over.location
        if lists and not isinstance(item, list):
            builder.problems.report(
                f"item {position} must be a list of arguments, not {shown(item)}",
                place,
                "starmap and chunks call the task with each item's elements: [1, 2]",
            )
        elif definition is not None:
            arguments = len(item) if lists else 1
            if arguments not in fitting and _fits(builder, definition, arguments, place):
                fitting.add(arguments)
    return items if not lists or all(isinstance(item, list) for item in items) else []


def _fits(builder: PlanBuilder, definition: TaskDefinition, args: int, place: Location) -> bool:
    found = check_call(definition, given=None, args=args, keywords=())
    for problem in found:
        builder.problems.report(problem.message, place, problem.label)
    return not found


def _keys(
    builder: PlanBuilder, step: model.ItemCalls | model.Chunks, kind: str, scope: Scope
) -> tuple[dict[str, Any], plan.Retry | None]:
    """Return the options and the retries of the calls."""
    definition = builder.registry.get(step.task)
    if definition is None:
        return {}, None
    own = model.CallKeys(options=step.options, retry=step.retry)
    keys = with_defaults(builder.workflow, definition, own)
    for name, default in (("args", keys.args), ("kwargs", keys.kwargs)):
        if default is not None:
            builder.problems.report(
                f"'{kind}' cannot give task '{step.task}' its default '{name}'",
                step.location,
                f"its message carries the items only; the default is in line "
                f"{default.location.line}",
            )
    resolver, problems = builder.resolver, builder.problems
    options = resolve_options(definition, keys.options, resolver, problems, scope, {})
    return options, resolve_retry(keys.retry, resolver, problems, scope, {})
