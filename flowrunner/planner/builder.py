"""A workflow's steps to a plan's tree: names, counts and values resolved, calls checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowrunner import model, plan
from flowrunner.planner.calls import OUTCOME
from flowrunner.planner.context import PlanContext, StepBuilder, TooManyCallsError
from flowrunner.planner.scope import LATE, Inputs, Scope
from flowrunner.planner.steps.calls import build_broken
from flowrunner.planner.steps.chain import build_chain
from flowrunner.planner.steps.each import build_each
from flowrunner.planner.steps.graph import build_graph
from flowrunner.planner.steps.groups import build_call, build_chord, build_chunks, build_group
from flowrunner.planner.steps.items import build_item_calls
from flowrunner.planner.steps.switch import build_switch
from flowrunner.planner.steps.use import build_file, build_use
from flowrunner.planner.steps.wrappers import build_named, build_rescue
from flowrunner.planner.unused_names import without_unused_names

__all__ = ["BUILDERS", "build_trees"]

#: The builder of each type of step.
BUILDERS: Final[dict[type[model.Step], StepBuilder]] = {
    model.TaskCall: build_call,
    model.Chain: build_chain,
    model.Group: build_group,
    model.Chord: build_chord,
    model.ItemCalls: build_item_calls,
    model.Chunks: build_chunks,
    model.Each: build_each,
    model.Switch: build_switch,
    model.Named: build_named,
    model.Rescue: build_rescue,
    model.Use: build_use,
    model.Graph: build_graph,
    model.Broken: build_broken,
}


def build_trees(
    context: PlanContext, inputs: Mapping[str, Any]
) -> tuple[plan.Node, dict[model.HandlerName, plan.Node]] | None:
    """Return the trees of the main part and of the handlers.

    ``None`` when they would be too large together (which is reported).
    """
    workflow = context.workflow
    env = context.resolver.secrets.listed(workflow)
    scope = Scope(Inputs(inputs), env=env)
    try:
        root = build_file(context, workflow, "", scope)
        outcome = scope.with_given(OUTCOME, LATE)
        handlers = {
            name: context.step(step, name, outcome, {}) for name, step in workflow.handlers.items()
        }
    except TooManyCallsError:
        return None
    if not context.has_names:
        return root, handlers
    used = context.resolver.used
    return without_unused_names(root, used), {
        name: without_unused_names(handler, used) for name, handler in handlers.items()
    }
