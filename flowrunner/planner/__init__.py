"""A workflow to a plan: everything that can be known before queuing is checked here."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Lookup
from pathlib import Path

from flowrunner import model
from flowrunner.errors import WorkflowError
from flowrunner.loader import WorkflowFiles
from flowrunner.node import Mapping
from flowrunner.plan import Handler, Plan
from flowrunner.planner.builder import PlanBuilder
from flowrunner.planner.continuations import sequence_of
from flowrunner.planner.defaults import check_defaults
from flowrunner.planner.inputs import resolve_inputs
from flowrunner.planner.problems import Problems
from flowrunner.planner.types import check_types
from flowrunner.planner.used_files import UsedFiles
from flowrunner.tasks import TaskRegistry

__all__ = ["plan_workflow"]


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
    problems = Problems(workflow.problems)
    assume_missing = assume_missing_inputs or bool(workflow.problems)
    values = resolve_inputs(workflow, inputs, problems, assume_missing=assume_missing)
    check_defaults(workflow, registry, problems)
    files = UsedFiles(load or WorkflowFiles().load)
    builder = PlanBuilder(
        workflow,
        registry,
        values,
        problems,
        files,
        plugin_hint=plugin_hint,
        environment=environment,
    )
    built = builder.build()
    if built is not None:
        check_types(workflow, registry, built[0], built[1].values(), problems)
    if problems or built is None:
        raise WorkflowError(problems.in_order(workflow.source, *files.sources))
    root, handlers = built
    return Plan(
        workflow.name,
        workflow.source,
        root,
        *sequence_of(root),
        description=workflow.description,
        inputs=values,
        timeout=workflow.timeout,
        handlers=tuple(
            Handler(name, handler, *sequence_of(handler, has_input=True))
            for name, handler in handlers.items()
        ),
        used=files.sources,
        env=tuple(sorted(builder.resolver.secrets.used)),
    )
