"""``use``: another file as a step, planned in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowrunner import model, plan
from flowrunner.planner.calls import PREVIOUS
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.defaults import check_defaults
from flowrunner.planner.scope import LATE, Ended, Inputs, Scope, is_unknown
from flowrunner.planner.used_inputs import used_inputs
from flowrunner.values import shown

__all__ = ["build_file", "build_use"]

#: How deep a step may stand that uses a file, in parts of its path: Python recurses on plans.
DEEPEST: Final = 100


def build_use(
    context: PlanContext, use: model.Use, path: str, scope: Scope, ended: Ended
) -> plan.Node:
    """Return a used file's steps, or what run time gives inputs to."""
    path = joined(path, "use")
    problems, place = context.problems, use.file.location
    nothing = plan.Call(path, "", use.location)
    name = context.resolver.known(use.file, scope, "the file of 'use'")
    if is_unknown(name):
        return nothing
    if not isinstance(name, str):
        problems.report(f"'use' must name a file, not {shown(name)}", place)
        return nothing
    if path.count(".") + path.count("[") > DEEPEST:
        problems.report("this step is nested too deeply to use a file", place)
        return nothing
    loaded = context.files.load(name, place, context.uses, problems)
    if loaded is None:
        if use.inputs is not None:
            context.resolver.value(use.inputs, scope)
        return nothing
    workflow, uses = loaded
    for key, cure in _parts_of_a_run(workflow):
        message = f"{workflow.source.name} has '{key}', which a step cannot have"
        problems.report(message, place, cure)
    check_defaults(workflow, context.registry, problems)
    inputs = used_inputs(
        workflow,
        use,
        lambda node: context.resolver.value(node, scope),
        problems,
        assume_missing=bool(workflow.problems),
        budget=context.budget,
        environment=context.resolver.secrets.environment,
    )
    late = dict.fromkeys(inputs.schemas, LATE)
    inner = Scope(
        Inputs({**inputs.values, **late}),
        given=scope.given,
        names={name: scope.names[name] for name in ("prev",) if name in scope.names},
        may_be_given=scope.may_be_given,
        idle=scope.idle,
        env=context.resolver.secrets.listed(workflow),
    )
    with context.in_file(workflow, uses):
        step = build_file(context, workflow, path, inner)
    if late:
        return plan.Used(path, inputs.values, inputs.schemas, step, use.location)
    return step


def build_file(
    context: PlanContext, workflow: model.Workflow, path: str, scope: Scope
) -> plan.Node:
    """Return the tree of a file's step, followed by its outputs, if it has any."""
    ended: Ended = {}
    root = context.step(workflow.step, path, scope, ended)
    if workflow.outputs is None:
        return root
    place = joined(path, "outputs")
    after = scope.after(PREVIOUS, ended)
    if context.resolver.refuses_secrets(workflow.outputs, after, "an output"):
        return root
    values = context.resolver.value(workflow.outputs, after)
    outputs = plan.Constant(place, values, workflow.outputs.location)
    return plan.Chain(path, (root, outputs), workflow.outputs.location)


def _parts_of_a_run(workflow: model.Workflow) -> Iterator[tuple[str, str]]:
    """Yield what a file has that a step cannot have, and what to do."""
    for name in workflow.handlers:
        cure = "write it in the workflow that uses the file"
        if name == "on_error":
            cure = f"{cure}, or beside 'use'"
        yield name, cure
    if workflow.timeout is not None:
        yield "timeout", "write it in the workflow that uses the file"
