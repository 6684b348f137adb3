"""What the builders of a plan's steps share: the registry, the problems, the ids, the counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from flowrunner import model, plan
from flowrunner.budget import Budget, BudgetUsedUpError
from flowrunner.node import Scalar
from flowrunner.planner.call_template import CallTemplate
from flowrunner.planner.calls import PREVIOUS
from flowrunner.planner.defaults import with_defaults
from flowrunner.planner.policies import Limits, resolve_limits
from flowrunner.planner.problems import Problems
from flowrunner.planner.proof import Ids
from flowrunner.planner.resolver import Explanation, Resolver
from flowrunner.planner.scope import UNKNOWN, Ended, Scope
from flowrunner.planner.used_files import UsedFiles, Uses
from flowrunner.source import Location
from flowrunner.suggestion import listed, nearest
from flowrunner.tasks import TaskDefinition, TaskRegistry
from flowrunner.values import shown

__all__ = ["MAXIMUM_CALLS", "PlanContext", "StepBuilder", "TooManyCallsError", "joined"]

#: How many calls a plan may have: a cap that a mistake meets and a workflow does not.
MAXIMUM_CALLS: Final = 100_000
#: Steps of the budget for a step, with what stands in it not counted.
_STEPS_PER_STEP: Final = 20

#: Builds the node of a step; ``path`` names the place where it stands. To ``ended`` it adds the
#: ids of the steps that have certainly ended once this one has.
StepBuilder: TypeAlias = "Callable[[PlanContext, Any, str, Scope, Ended], plan.Node]"


class TooManyCallsError(Exception):
    """The plan grew over :data:`MAXIMUM_CALLS`; it has been reported."""


class PlanContext:
    """What is known while the trees of one workflow are built; collects every problem.

    ``builders`` has the builder of each type of step. ``plugin_hint`` is added where a task is
    unknown: it says which plugins stand near.
    """

    def __init__(
        self,
        workflow: model.Workflow,
        registry: TaskRegistry,
        problems: Problems,
        files: UsedFiles,
        builders: Mapping[type[model.Step], StepBuilder],
        *,
        plugin_hint: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.workflow = workflow
        self.registry = registry
        self.problems = problems
        self.files = files
        self.uses = Uses.of(workflow.source)
        self.resolver = Resolver(problems, self._explain, environment, budget=budget)
        self.budget = self.resolver.budget
        self.ids = Ids(workflow, problems)
        self._builders = builders
        self._plugin_hint = plugin_hint
        #: How many calls there are so far.
        self.calls = 0
        #: Whether a step has an id.
        self.has_names = False
        self._templates: dict[tuple[int, str | None, bool], CallTemplate] = {}
        self._trail: list[model.Step] = []

    def step(self, step: model.Step, path: str, scope: Scope, ended: Ended) -> plan.Node:
        """Return a step's node; ``path`` names the place where it stands.

        To ``ended`` it adds what has certainly ended once it has.
        """
        self._trail.append(step)
        try:
            self.budget.spend_on_part(_STEPS_PER_STEP)
            node = self._builders[type(step)](self, step, path, scope, ended)
        except BudgetUsedUpError as error:
            raise error.at(_location_of(step)) from None
        self._trail.pop()
        return node

    @contextmanager
    def in_file(self, workflow: model.Workflow, uses: Uses) -> Iterator[None]:
        """Build steps of a file that is used, with its own defaults and ids."""
        outer = self.workflow, self.uses, self.ids, self._trail
        self.workflow, self.uses = workflow, uses
        self.ids, self._trail = Ids(workflow, self.problems), []
        try:
            yield
        finally:
            self.workflow, self.uses, self.ids, self._trail = outer

    @contextmanager
    def within(self, *steps: model.Step) -> Iterator[None]:
        """Note that what is built now stands in these steps."""
        self._trail += steps
        yield
        del self._trail[-len(steps) :]

    def after(self, step: plan.Node, scope: Scope, ended: Ended) -> Scope:
        """Return the scope of what follows a step, by whose end these ids have ended."""
        passes = plan.passing(step)
        if ended:
            self.budget.spend(len(scope.ids))  # each step that follows gets a copy of them
        if passes is plan.Passing.ALWAYS:
            return scope.with_ids(ended) if ended else scope
        if passes is plan.Passing.PERHAPS and (scope.given is None or scope.may_be_given):
            return scope.perhaps_after(PREVIOUS, ended)
        return scope.after(PREVIOUS, ended)

    def limits(self, parallel: model.Parallel, scope: Scope) -> Limits:
        """Return what a step asks of its members."""
        return resolve_limits(parallel, self.resolver, self.problems, scope)

    def template(
        self, call: model.TaskCall, definition: TaskDefinition, scope: Scope
    ) -> CallTemplate:
        """Return what the calls of a written step have in common."""
        known_by = (id(call), scope.given, scope.may_be_given)
        template = self._templates.get(known_by)
        if template is None:
            keys = with_defaults(self.workflow, definition, call.keys)
            template = CallTemplate(call, keys, definition, self.resolver, self.problems, scope)
            template.check()
            self._templates[known_by] = template
        return template

    def condition(self, node: Scalar, scope: Scope) -> Any:
        """Return whether a condition holds, if that is known."""
        value = self.resolver.condition(node, scope)
        if isinstance(value, (bool, plan.Deferred)) or value is UNKNOWN:
            return value
        self.problems.report(
            f"a condition must be a boolean, not {shown(value)}",
            node.location,
            "write a comparison: only a boolean decides a condition",
        )
        return UNKNOWN

    def count(self, calls: int, location: Location) -> None:
        """Count calls, and stop where there are too many."""
        self.calls += calls
        if self.calls > MAXIMUM_CALLS:
            self.problems.report(
                f"the workflow has more than {MAXIMUM_CALLS:,} calls",
                location,
                f"this step makes it {self.calls:,}",
                ("to put many items into one message, use 'chunks' or 'map'",),
            )
            raise TooManyCallsError

    def definition(self, task: str, location: Location) -> TaskDefinition | None:
        """Return a task's definition; that there is none is reported."""
        definition, app = self.registry.get(task), self.registry.app
        if definition is None:
            close = nearest(task, self.registry.names())
            cure = f"; did you mean '{close}'?" if close else ""
            providers = "no plugin" if app is None else f"neither {app} nor a plugin"
            self.problems.report(
                f"unknown task '{task}'",
                location,
                f"{providers} provides it{cure}",
                (*_known_tasks(self.registry), *(() if close else self._plugin_hint)),
            )
        return definition

    def _explain(self, name: str) -> Explanation | None:
        return self.ids.explain(name, self._trail)


def _location_of(step: model.Step) -> Location:
    return step.id.location if isinstance(step, model.Named) else step.location


def _known_tasks(registry: TaskRegistry) -> tuple[str, ...]:
    """Return a note of what can be called, by plugin, short enough to read."""
    names = registry.names()
    if not names:
        return ("no loaded plugin registers a task",)
    return (f"known tasks: {listed(names)} (flowrunner tasks)",)


def joined(path: str, key: str) -> str:
    """Return the path of a key's value; that of the whole file is empty."""
    return f"{path}.{key}" if path else key
