"""A workflow's steps to a plan's tree: names, counts and values resolved, calls checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from flowrunner import model, plan
from flowrunner.node import Node, Scalar, Sequence
from flowrunner.planner.call_template import CallTemplate
from flowrunner.planner.calls import OUTCOME, PREVIOUS, check_call
from flowrunner.planner.defaults import with_defaults
from flowrunner.planner.options import resolve_options
from flowrunner.planner.problems import Problems
from flowrunner.planner.resolver import Resolver, is_unknown
from flowrunner.source import Location
from flowrunner.suggestion import nearest
from flowrunner.tasks import TaskDefinition, TaskRegistry
from flowrunner.values import shown

__all__ = ["MAXIMUM_CALLS", "PlanBuilder"]

#: How many calls a plan may have: a cap that a mistake meets and a workflow does not.
MAXIMUM_CALLS: Final = 100_000


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
        resolver: Resolver,
        problems: Problems,
        *,
        plugin_hint: tuple[str, ...] = (),
    ) -> None:
        self._workflow = workflow
        self._registry = registry
        self._resolver = resolver
        self._problems = problems
        self._plugin_hint = plugin_hint
        self._calls = 0
        self._ids: dict[str, Location] = {}

    def build(self) -> tuple[plan.Node, dict[model.HandlerName, plan.Node]] | None:
        """Return the trees of the main part and of the handlers.

        ``None`` when they would be too large together (which is reported).
        """
        try:
            root = self._step(self._workflow.step, "", given=None)
            handlers = {
                name: self._step(step, name, given=OUTCOME)
                for name, step in self._workflow.handlers.items()
            }
        except TooManyCallsError:
            return None
        return root, handlers

    def _step(self, step: model.Step, path: str, *, given: str | None) -> plan.Node:
        match step:
            case model.TaskCall():
                path = path or "task"
                if step.times is None:
                    return self._call(step, path, given=given)
                repeat = self._repeat(step, step.times, path, given=given)
                return plan.Group(path, (repeat,), step.location)
            case model.Chain():
                path = _joined(path, "chain")
                return plan.Chain(path, tuple(self._steps(step, path, given)), step.location)
            case model.Group():
                return self._group(step, _joined(path, "group"), given=given)
            case model.Chord():
                path = _joined(path, "chord")
                header = self._group(step.header, f"{path}.header", given=given)
                body = self._step(step.body, f"{path}.body", given=PREVIOUS)
                return plan.Chord(path, header, body, step.location)
            case model.ItemCalls():
                return self._item_calls(step, _joined(path, step.kind))
            case model.Chunks():
                path = _joined(path, "chunks")
                return plan.Group(path, (self._batches(step, path),), step.location, batched=True)
            case model.Broken():
                assert self._workflow.problems, "BUG: a broken step without a problem"  # noqa: S101
                if step.task is not None:
                    self._definition(step.task, step.location)
                return plan.Call(path or "task", step.task or "", step.location)
            case _:
                raise AssertionError(f"BUG: {type(step).__name__} is not known here")

    def _steps(self, chain: model.Chain, path: str, given: str | None) -> Iterator[plan.Node]:
        for position, inner in enumerate(chain.steps):
            step = self._step(inner, f"{path}[{position}]", given=given)
            if not _passes_on(step):
                given = PREVIOUS
            yield step

    def _group(self, group: model.Group, path: str, *, given: str | None) -> plan.Group:
        members: list[plan.Node | plan.Repeat] = []
        for position, member in enumerate(group.members):
            place = f"{path}[{position}]" if group.listed else path
            if isinstance(member, model.TaskCall) and member.times is not None:
                members.append(self._repeat(member, member.times, place, given=given))
            elif isinstance(member, model.Chunks):
                members.append(self._batches(member, _joined(place, "chunks")))
            else:
                members.append(self._step(member, place, given=given))
        return plan.Group(path, tuple(members), group.location)

    def _repeat(
        self, call: model.TaskCall, written: Scalar, path: str, *, given: str | None
    ) -> plan.Repeat:
        times = self._times(written)
        definition = self._definition(call.task, call.location)
        calls: tuple[plan.Call, ...] = ()
        if definition is not None:
            template = self._template(call, definition, given=given)
            calls = tuple(template.calls(path, times))
        self._name(call.id, call.location)
        return plan.Repeat(path, calls, call.index, call.location)

    def _call(self, call: model.TaskCall, path: str, *, given: str | None) -> plan.Node:
        self._count(1, call.location)
        self._name(call.id, call.location)
        definition = self._definition(call.task, call.location)
        if definition is None:
            return plan.Call(path, call.task, call.location)
        return self._template(call, definition, given=given).call(path)

    def _template(
        self, call: model.TaskCall, definition: TaskDefinition, *, given: str | None
    ) -> CallTemplate:
        keys = with_defaults(self._workflow, definition, call.keys)
        template = CallTemplate(call, keys, definition, self._resolver, self._problems, given=given)
        template.check()
        return template

    def _times(self, written: Scalar) -> int:
        times = self._resolver.value(written)
        if is_unknown(times):
            return 1
        if not isinstance(times, int) or isinstance(times, bool) or times < 0:
            self._problems.report(
                f"the number of calls must be a whole number from 0, not {shown(times)}",
                written.location,
            )
            return 1
        self._count(times, written.location)
        return times

    def _count(self, calls: int, location: Location) -> None:
        self._calls += calls
        if self._calls > MAXIMUM_CALLS:
            self._problems.report(
                f"the workflow has more than {MAXIMUM_CALLS:,} calls",
                location,
                f"with this it has {self._calls:,}",
                ("'chunks' and 'map' put many items into one message",),
            )
            raise TooManyCallsError

    def _name(self, identifier: Scalar | None, location: Location) -> None:
        if identifier is None:
            return
        name = str(identifier.value)
        if name in self._ids:
            self._problems.report(
                f"two steps have the id '{name}'",
                identifier.location,
                f"the first is in line {self._ids[name].line}",
            )
        self._ids.setdefault(name, identifier.location)

    def _item_calls(self, step: model.ItemCalls, path: str) -> plan.Call:
        self._count(1, step.location)
        self._name(step.id, step.location)
        items = self._items(step.task, step.over, step.location, lists=step.kind == "starmap")
        return plan.Call(
            path,
            step.task,
            step.location,
            args=tuple(items),
            options=self._item_options(step, step.kind),
            immutable=True,
            kind="starmap" if step.kind == "starmap" else "map",
            id=None if step.id is None else str(step.id.value),
        )

    def _batches(self, step: model.Chunks, path: str) -> plan.Repeat:
        self._name(step.id, step.location)
        items = self._items(step.task, step.over, step.location, lists=True)
        options = self._item_options(step, "chunks")
        size = self._resolver.value(step.size)
        if is_unknown(size):
            size = 1
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            self._problems.report(
                f"'size' must be a whole number from 1, not {shown(size)}", step.size.location
            )
            size = 1
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        self._count(len(batches), step.location)
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
            )
            for position, batch in enumerate(batches)
        )
        return plan.Repeat(path, calls, "batch", step.location)

    def _items(self, task: str, over: Node, location: Location, *, lists: bool) -> list[Any]:
        """Return the items, each checked against the task's signature."""
        definition = self._definition(task, location)
        items = self._resolver.value(over)
        if is_unknown(items):
            return []
        if not isinstance(items, list):
            self._problems.report(f"'over' must be a list, not {shown(items)}", over.location)
            return []
        fitting: set[int] = set()
        for position, item in enumerate(items):
            place = over.items[position].location if isinstance(over, Sequence) else over.location
            if lists and not isinstance(item, list):
                self._problems.report(
                    f"item {position} must be a list of arguments, not {shown(item)}",
                    place,
                    "starmap and chunks call the task with each item's elements: [1, 2]",
                )
            elif definition is not None:
                arguments = len(item) if lists else 1
                if arguments not in fitting and self._fits(definition, arguments, place):
                    fitting.add(arguments)
        return items if not lists or all(isinstance(item, list) for item in items) else []

    def _fits(self, definition: TaskDefinition, args: int, place: Location) -> bool:
        found = check_call(definition, given=None, args=args, keywords=())
        for problem in found:
            self._problems.report(problem.message, place, problem.label)
        return not found

    def _item_options(self, step: model.ItemCalls | model.Chunks, kind: str) -> dict[str, Any]:
        definition = self._registry.get(step.task)
        if definition is None:
            return {}
        keys = with_defaults(self._workflow, definition, model.CallKeys(options=step.options))
        for name, default in (("args", keys.args), ("kwargs", keys.kwargs)):
            if default is not None:
                self._problems.report(
                    f"'{kind}' cannot give task '{step.task}' its default '{name}'",
                    step.location,
                    f"its message carries the items only; the default is in line "
                    f"{default.location.line}",
                )
        return resolve_options(definition, keys.options, self._resolver, self._problems)

    def _definition(self, task: str, location: Location) -> TaskDefinition | None:
        definition, app = self._registry.get(task), self._registry.app
        if definition is None:
            close = nearest(task, self._registry.names())
            cure = f"; did you mean '{close}'?" if close else ""
            nobody = "no plugin" if app is None else f"neither {app} nor a plugin"
            self._problems.report(
                f"unknown task '{task}'",
                location,
                f"{nobody} provides it{cure}",
                (*_known_tasks(self._registry), *(() if close else self._plugin_hint)),
            )
        return definition


def _passes_on(step: plan.Node) -> bool:
    """Tell whether a step gives what it is given: an empty chain, or a chain of such."""
    return isinstance(step, plan.Chain) and all(map(_passes_on, step.steps))


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _known_tasks(registry: TaskRegistry) -> tuple[str, ...]:
    """Return a note of what can be called, by plugin, short enough to read."""
    names = registry.names()
    if not names:
        return ("no plugin is loaded that registers tasks",)
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return (f"known tasks: {shown} (flowrunner tasks)",)
