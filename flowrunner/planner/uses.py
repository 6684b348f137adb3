"""``use``: another file as a step, planned in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from flowrunner import model, plan
from flowrunner.planner.defaults import check_defaults
from flowrunner.planner.scope import LATE, Inputs, Scope, is_unknown
from flowrunner.planner.used_inputs import used_inputs
from flowrunner.values import shown

if TYPE_CHECKING:
    from flowrunner.planner.builder import PlanBuilder

__all__ = ["build_use"]

#: How deep a step may stand that uses a file, in parts of its path: Python recurses on plans.
DEEPEST: Final = 100


def build_use(builder: PlanBuilder, use: model.Use, path: str, scope: Scope) -> plan.Node:
    """Return a used file's steps, or what run time gives inputs to."""
    problems, place = builder.problems, use.file.location
    nothing = plan.Call(path, "", use.location)
    name = builder.resolver.known(use.file, scope, "the file of 'use'")
    if is_unknown(name):
        return nothing
    if not isinstance(name, str):
        problems.report(f"'use' names a file, not {shown(name)}", place)
        return nothing
    if path.count(".") + path.count("[") > DEEPEST:
        problems.report("this step stands too deep to use a file", place)
        return nothing
    loaded = builder.files.load(name, place, builder.uses, problems)
    if loaded is None:
        if use.inputs is not None:
            builder.resolver.value(use.inputs, scope)
        return nothing
    workflow, uses = loaded
    for key, cure in _parts_of_a_run(workflow):
        message = f"{workflow.source.name} has '{key}', which is a run's: a step has none"
        problems.report(message, place, cure)
    check_defaults(workflow, builder.registry, problems)
    inputs = used_inputs(
        workflow,
        use,
        lambda node: builder.resolver.value(node, scope),
        problems,
        assume_missing=bool(workflow.problems),
        budget=builder.budget,
        environment=builder.resolver.secrets.environment,
    )
    late = dict.fromkeys(inputs.schemas, LATE)
    inner = Scope(
        Inputs({**inputs.values, **late}),
        given=scope.given,
        names={name: scope.names[name] for name in ("prev",) if name in scope.names},
        may_be_given=scope.may_be_given,
        idle=scope.idle,
        env=builder.resolver.secrets.listed(workflow),
    )
    with builder.in_file(workflow, uses):
        step = builder.whole(workflow, path, inner)
    if late:
        return plan.Used(path, inputs.values, inputs.schemas, step, use.location)
    return step


def _parts_of_a_run(workflow: model.Workflow) -> Iterator[tuple[str, str]]:
    """Yield what a file has that a step cannot have, and what to do."""
    for name in workflow.handlers:
        cure = "the workflow that uses it can have one"
        if name == "on_error":
            cure = f"{cure}, and so can the step: write it beside 'use'"
        yield name, cure
    if workflow.timeout is not None:
        yield "timeout", "the workflow that uses it can have one"
