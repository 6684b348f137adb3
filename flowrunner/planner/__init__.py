"""A workflow to a plan: everything that can be known before queuing is checked here."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Lookup
from pathlib import Path
from typing import Any

from msgspec import Struct

from flowrunner import model
from flowrunner.budget import UNTRUSTED, Budget, BudgetUsedUpError
from flowrunner.errors import Diagnostic, WorkflowError, used_up
from flowrunner.loader import WorkflowFiles
from flowrunner.model import HandlerName
from flowrunner.node import Mapping
from flowrunner.plan import Handler, Node, Plan
from flowrunner.planner.builder import BUILDERS, build_trees
from flowrunner.planner.context import PlanContext
from flowrunner.planner.continuations import sequence_of
from flowrunner.planner.defaults import check_defaults
from flowrunner.planner.inputs import resolve_inputs
from flowrunner.planner.problems import Problems
from flowrunner.planner.types import check_types
from flowrunner.planner.used_files import UsedFiles
from flowrunner.source import Source
from flowrunner.suggestion import bounded_comparisons
from flowrunner.tasks import OpenRegistry, TaskRegistry

__all__ = ["check_workflow", "plan_workflow"]


class _Trees(Struct, frozen=True):
    """What a workflow is planned as: the trees of its main part and of its handlers."""

    root: Node
    handlers: dict[HandlerName, Node]
    inputs: dict[str, Any]
    used: tuple[Source, ...]
    env: tuple[str, ...]


def plan_workflow(
    workflow: model.Workflow,
    registry: TaskRegistry,
    inputs: Mapping,
    *,
    assume_missing_inputs: bool = False,
    plugin_hint: tuple[str, ...] = (),
    load: Callable[[Path, Path], model.Workflow] | None = None,
    environment: Lookup[str, str] | None = None,
) -> Plan:
    """Return the plan of a workflow with these inputs.

    ``assume_missing_inputs`` checks a file without the inputs that have to be given; such a
    plan is not fit to run. ``plugin_hint`` is what to say where a task is unknown.
    ``load`` gives the files that it uses, the same each time. In an ``environment`` the variables
    have to be set that it names.

    Raises :class:`~flowrunner.errors.WorkflowError` with everything that is wrong.
    """
    trees = _trees(
        workflow,
        registry,
        inputs,
        assume_missing_inputs=assume_missing_inputs,
        plugin_hint=plugin_hint,
        load=load,
        environment=environment,
    )
    return Plan(
        workflow.name,
        workflow.source,
        trees.root,
        *sequence_of(trees.root),
        description=workflow.description,
        inputs=trees.inputs,
        timeout=workflow.timeout,
        handlers=tuple(
            Handler(name, handler, *sequence_of(handler, has_input=True))
            for name, handler in trees.handlers.items()
        ),
        used=trees.used,
        env=trees.env,
    )


def check_workflow(
    workflow: model.Workflow,
    registry: TaskRegistry,
    inputs: Mapping,
    *,
    plugin_hint: tuple[str, ...] = (),
    load: Callable[[Path, Path], model.Workflow] | None = None,
) -> None:
    """Check a workflow, without the inputs that have to be given, as a plan of it would be.

    Takes a third less time than planning: nothing is put in order, and no message is measured.
    Raises :class:`~flowrunner.errors.WorkflowError` with everything that is wrong.
    """
    _trees(
        workflow, registry, inputs, assume_missing_inputs=True, plugin_hint=plugin_hint, load=load
    )


def _trees(
    workflow: model.Workflow,
    registry: TaskRegistry,
    inputs: Mapping,
    *,
    assume_missing_inputs: bool,
    plugin_hint: tuple[str, ...],
    load: Callable[[Path, Path], model.Workflow] | None,
    environment: Lookup[str, str] | None = None,
) -> _Trees:
    is_trusted = not isinstance(registry, OpenRegistry)
    budget = _budget_of(workflow, inputs, weight=1 if is_trusted else UNTRUSTED)
    problems = Problems(workflow.problems, budget)
    files = UsedFiles(load or WorkflowFiles().load)
    stopped: list[Diagnostic] = []
    try:
        budget.spend(workflow.work)
        assume_missing = assume_missing_inputs or bool(workflow.problems)
        with bounded_comparisons():
            values = resolve_inputs(
                workflow, inputs, problems, budget, assume_missing=assume_missing
            )
            check_defaults(workflow, registry, problems)
            context = PlanContext(
                workflow,
                registry,
                problems,
                files,
                BUILDERS,
                plugin_hint=plugin_hint,
                environment=environment,
                budget=budget,
            )
            built = build_trees(context, values)
            if built is not None:
                check_types(workflow, registry, built[0], built[1].values(), problems)
    except BudgetUsedUpError as error:
        built, stopped = None, [used_up(error)]
    if problems or built is None:
        raise WorkflowError([*problems.in_order(workflow.source, *files.sources), *stopped])
    root, handlers = built
    secrets = tuple(sorted(context.resolver.secrets.used))
    return _Trees(root, handlers, values, files.sources, secrets)


def _budget_of(workflow: model.Workflow, inputs: Mapping, *, weight: int) -> Budget:
    """Return the budget of a file, with what its inputs add."""
    budget = Budget(weight=weight)
    sources = {workflow.source, *(value.location.source for _, value in inputs.entries)}
    budget.extend(sum(len(source.text) for source in sources))
    return budget
