"""A workflow's steps to a plan's tree: names, counts and values resolved, calls checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from flowrunner import model, plan
from flowrunner.budget import Budget, BudgetUsedUpError
from flowrunner.node import Scalar
from flowrunner.planner.call_template import CallTemplate
from flowrunner.planner.calls import ERROR, OUTCOME, PREVIOUS
from flowrunner.planner.conditions import build_switch, checked_condition
from flowrunner.planner.defaults import with_defaults
from flowrunner.planner.fan_out import build_each
from flowrunner.planner.graphs import build_graph
from flowrunner.planner.groups import build_chord, build_chunks, build_group, build_repeated_call
from flowrunner.planner.item_calls import build_item_calls
from flowrunner.planner.passing import Passing, passing
from flowrunner.planner.paths import joined
from flowrunner.planner.policies import Limits, resolve_limits
from flowrunner.planner.problems import Problems
from flowrunner.planner.proof import Ids
from flowrunner.planner.resolver import Explanation, Resolver
from flowrunner.planner.scope import LATE, Ended, Inputs, Scope, StepValue, is_unknown
from flowrunner.planner.unused_names import without_unused_names
from flowrunner.planner.used_files import UsedFiles, Uses
from flowrunner.planner.uses import build_use
from flowrunner.source import Location
from flowrunner.suggestion import listed, nearest
from flowrunner.tasks import TaskDefinition, TaskRegistry
from flowrunner.values import shown

__all__ = ["MAXIMUM_CALLS", "PlanBuilder"]

#: How many calls a plan may have: a cap that a mistake meets and a workflow does not.
MAXIMUM_CALLS: Final = 100_000
#: Steps of the budget for a step, with what stands in it not counted.
_STEPS_PER_STEP: Final = 20


class TooManyCallsError(Exception):
    """The plan grew over :data:`MAXIMUM_CALLS`; it has been reported."""


class PlanBuilder:
    """Builds the trees of one workflow and collects every problem it meets.

    ``plugin_hint`` is added where a task is unknown: it says which plugins stand near.
    """

    def __init__(
        self,
        workflow: model.Workflow,
        registry: TaskRegistry,
        inputs: Mapping[str, Any],
        problems: Problems,
        files: UsedFiles,
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
        self._inputs = Inputs(inputs)
        self._plugin_hint = plugin_hint
        #: How many calls it has so far.
        self.calls = 0
        self._templates: dict[tuple[int, str | None, bool], CallTemplate] = {}
        self._trail: list[model.Step] = []
        self._has_names = False

    def build(self) -> tuple[plan.Node, dict[model.HandlerName, plan.Node]] | None:
        """Return the trees of the main part and of the handlers.

        ``None`` when they would be too large together (which is reported).
        """
        env = self.resolver.secrets.listed(self.workflow)
        scope = Scope(self._inputs, env=env)
        try:
            root = self.whole(self.workflow, "", scope)
            outcome = scope.with_given(OUTCOME, LATE)
            handlers = {
                name: self.step(step, name, outcome, {})
                for name, step in self.workflow.handlers.items()
            }
        except TooManyCallsError:
            return None
        used = self.resolver.used
        if not self._has_names:
            return root, handlers
        return without_unused_names(root, used), {
            name: without_unused_names(handler, used) for name, handler in handlers.items()
        }

    def whole(self, workflow: model.Workflow, path: str, scope: Scope) -> plan.Node:
        """Return the tree of a file's step, followed by its outputs, if it has any."""
        ended: Ended = {}
        root = self.step(workflow.step, path, scope, ended)
        if workflow.outputs is None:
            return root
        place = joined(path, "outputs")
        after = scope.after(PREVIOUS, ended)
        if self.resolver.refuses_secrets(workflow.outputs, after, "an output"):
            return root
        values = self.resolver.value(workflow.outputs, after)
        outputs = plan.Constant(place, values, workflow.outputs.location)
        return plan.Chain(path, (root, outputs), workflow.outputs.location)

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

    def step(self, step: model.Step, path: str, scope: Scope, ended: Ended) -> plan.Node:
        """Return a step's node; ``path`` names the place where it stands.

        To ``ended`` it adds what has certainly ended once it has.
        """
        self._trail.append(step)
        try:
            self.budget.spend_on_part(_STEPS_PER_STEP)
            node = self._node(step, path, scope, ended)
        except BudgetUsedUpError as error:
            raise error.at(_location_of(step)) from None
        self._trail.pop()
        return node

    @contextmanager
    def within(self, *steps: model.Step) -> Iterator[None]:
        """Note that what is built now stands in these steps."""
        self._trail += steps
        yield
        del self._trail[-len(steps) :]

    def _node(self, step: model.Step, path: str, scope: Scope, ended: Ended) -> plan.Node:
        match step:
            case model.TaskCall():
                if step.times is None:
                    return self._call(step, path or "task", scope)
                return build_repeated_call(self, step, path or "task", scope)
            case model.Chain():
                path = joined(path, "chain")
                steps = tuple(self._steps(step, path, scope, ended))
                return plan.Chain(path, steps, step.location)
            case model.Group():
                return build_group(self, step, joined(path, "group"), scope, ended)
            case model.Chord():
                return build_chord(self, step, joined(path, "chord"), scope, ended)
            case model.ItemCalls():
                return build_item_calls(self, step, joined(path, step.kind), scope)
            case model.Chunks():
                return build_chunks(self, step, joined(path, "chunks"), scope)
            case model.Each():
                limits = self.limits(step.parallel, scope)
                return build_each(self, step, joined(path, "each"), scope, limits)
            case model.Switch():
                return build_switch(self, step, path, scope)
            case model.Named():
                return self.named(step.id, step.step, path, scope, ended)
            case model.Rescue():
                return self._rescue(step, path, scope)
            case model.Use():
                return build_use(self, step, joined(path, "use"), scope)
            case model.Graph():
                return build_graph(self, step, joined(path, "graph"), scope, ended)
            case model.Broken():
                assert self.workflow.problems, "BUG: a broken step without a problem"  # noqa: S101
                if step.task is not None:
                    self.definition(step.task, step.location)
                return plan.Call(path or "task", "", step.location)  # nobody knows what it gives

    def _steps(
        self, chain: model.Chain, path: str, scope: Scope, ended: Ended
    ) -> Iterator[plan.Node]:
        for position, inner in enumerate(chain.steps):
            own: Ended = {}
            step = self.step(inner, f"{path}[{position}]", scope, own)
            scope = self.after(step, scope, own)
            ended |= own
            yield step

    def after(self, step: plan.Node, scope: Scope, ended: Ended) -> Scope:
        """Return the scope of what follows a step, by whose end these ids have ended."""
        passes = passing(step)
        if ended:
            self.budget.spend(len(scope.ids))  # each step that follows gets a copy of them
        if passes is Passing.ALWAYS:
            return scope.with_ids(ended) if ended else scope
        if passes is Passing.PERHAPS and (scope.given is None or scope.may_be_given):
            return scope.perhaps_after(PREVIOUS, ended)
        return scope.after(PREVIOUS, ended)

    def named(
        self, identifier: Scalar, named: model.Step, path: str, scope: Scope, ended: Ended
    ) -> plan.Named:
        """Return a step with its id."""
        name = str(identifier.value)
        step = self.step(named, path, scope, ended)
        path = path or step.path
        nothing = scope.given is None and passing(step) is Passing.ALWAYS
        ended[name] = StepValue(path, nothing)
        self._has_names = True
        return plan.Named(path, name, step, identifier.location)

    def _rescue(self, rescue: model.Rescue, path: str, scope: Scope) -> plan.Node:
        step = self.step(rescue.step, path, scope, {})
        place = joined(path, "on_error")
        handler = self.step(rescue.handler, place, scope.with_given(ERROR, LATE), {})
        return plan.Rescue(path or step.path, step, handler, rescue.location)

    def limits(self, parallel: model.Parallel, scope: Scope) -> Limits:
        """Return what a step asks of its members."""
        return resolve_limits(parallel, self.resolver, self.problems, scope)

    def repeat(self, call: model.TaskCall, written: Scalar, path: str, scope: Scope) -> plan.Repeat:
        """Return the calls of a fan-out, members of the group that they stand in."""
        times = self._times(written, scope)
        if call.index in scope.names:
            self.problems.report(
                f"the name '{call.index}' is taken",
                call.location,
                "a step around this one has given it a meaning: give the index another with 'as'",
            )
        definition = self.definition(call.task, call.location)
        calls: tuple[plan.Call, ...] = ()
        if definition is not None:
            calls = tuple(self._template(call, definition, scope).calls(path, times, scope))
        return plan.Repeat(path, calls, call.index, call.location)

    def _call(self, call: model.TaskCall, path: str, scope: Scope) -> plan.Node:
        self.count(1, call.location)
        definition = self.definition(call.task, call.location)
        if definition is None:
            return plan.Call(path, call.task, call.location)
        return self._template(call, definition, scope).call(path, scope)

    def _template(
        self, call: model.TaskCall, definition: TaskDefinition, scope: Scope
    ) -> CallTemplate:
        known_by = (id(call), scope.given, scope.may_be_given)
        template = self._templates.get(known_by)
        if template is None:
            keys = with_defaults(self.workflow, definition, call.keys)
            template = CallTemplate(call, keys, definition, self.resolver, self.problems, scope)
            template.check()
            self._templates[known_by] = template
        return template

    def _times(self, written: Scalar, scope: Scope) -> int:
        times = self.resolver.known(
            written,
            scope,
            "the number of calls",
            cure="'each' takes what run time knows: each: ${range(…)}, do: NAME",
        )
        if is_unknown(times):
            return 1
        if not isinstance(times, int) or isinstance(times, bool) or times < 0:
            self.problems.report(
                f"the number of calls must be a whole number from 0, not {shown(times)}",
                written.location,
            )
            return 1
        self.count(times, written.location)
        return times

    def condition(self, node: Scalar, scope: Scope) -> Any:
        """Return whether a condition holds, if that is known."""
        return checked_condition(self, node, scope)

    def count(self, calls: int, location: Location) -> None:
        """Count calls, and stop where there are too many."""
        self.calls += calls
        if self.calls > MAXIMUM_CALLS:
            self.problems.report(
                f"the workflow has more than {MAXIMUM_CALLS:,} calls",
                location,
                f"with this it has {self.calls:,}",
                ("'chunks' and 'map' put many items into one message",),
            )
            raise TooManyCallsError

    def definition(self, task: str, location: Location) -> TaskDefinition | None:
        """Return a task's definition; that there is none is reported."""
        definition, app = self.registry.get(task), self.registry.app
        if definition is None:
            close = nearest(task, self.registry.names())
            cure = f"; did you mean '{close}'?" if close else ""
            nobody = "no plugin" if app is None else f"neither {app} nor a plugin"
            self.problems.report(
                f"unknown task '{task}'",
                location,
                f"{nobody} provides it{cure}",
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
        return ("no plugin is loaded that registers tasks",)
    return (f"known tasks: {listed(names)} (flowrunner tasks)",)
