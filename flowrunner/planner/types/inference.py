"""Walking a plan's tree: what each step is given and gives, and whether that fits the hints."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from flowrunner import plan
from flowrunner.hints.forms import (
    NULL,
    UNKNOWN,
    DictOf,
    ListOf,
    Members,
    Origin,
    Type,
    Value,
    alternatives,
    doubtful,
)
from flowrunner.hints.words import in_words
from flowrunner.planner.scope import UNKNOWN as UNKNOWN_VALUE
from flowrunner.planner.types.deferred_types import item_type, type_of_deferred
from flowrunner.planner.types.fitting import misfit, misfit_of_value
from flowrunner.planner.types.reports import Argument, Reports
from flowrunner.planner.types.signatures import Taken, TaskTypes, task_types
from flowrunner.tasks import TaskRegistry

__all__ = ["Inference"]

#: Up to so many members, what stands at each place of a group's list is known.
_MOST_MEMBERS = 64
_ERROR = Origin(DictOf(UNKNOWN), "it is the error as data")
_TOLERATED = Origin(
    NULL, "'tolerate' gives null for a member that fails: the task has to take None"
)


class Inference:
    """Gives every step of a plan the type of its value, and reports what does not fit."""

    def __init__(self, registry: TaskRegistry, reports: Reports) -> None:
        self._registry = registry
        self._reports = reports
        self._tasks: dict[str, TaskTypes | None] = {}
        self._results: dict[tuple[int, int], Type] = {}
        self._steps: dict[str, Type] = {}
        self._variables: dict[str, Type] = {}
        # Inside a branch that may not be taken: its condition may know what hints do not tell.
        self._doubt = False

    def type_of(self, node: plan.Node, given: Type | None) -> Type | None:
        """Return the type of a node's value; ``given`` is that of its input, if it has one."""
        match node:
            case plan.Call():
                return self._call(node, given)
            case plan.Chain():
                for step in node.steps:
                    given = self.type_of(step, given)
                return given
            case plan.Group():
                return self._group(node, given)
            case plan.Chord():
                return self.type_of(node.body, self.type_of(node.header, given))
            case plan.Each():
                return self._each(node, given)
            case plan.Switch():
                return self._switch(node, given)
            case plan.Skipped():
                return given  # what its condition guards against is no fault
            case plan.Rescue():
                found = self.type_of(node.step, given), self.type_of(node.handler, _ERROR)
                return alternatives(each or UNKNOWN for each in found)
            case plan.Named():
                found_step = self.type_of(node.step, given)
                self._steps[node.path] = found_step or UNKNOWN
                return found_step
            case plan.Given():
                return self._given(node)
            case plan.Constant():
                return self._type_of_value(node.value, given)
            case plan.Used():
                return self.type_of(node.step, given)
            case plan.Graph():
                return self._graph(node, given)
            case plan.Failing():
                return UNKNOWN

    def _task(self, name: str) -> TaskTypes | None:
        if name not in self._tasks:
            definition = self._registry.get(name)
            self._tasks[name] = None if definition is None else task_types(definition)
        return self._tasks[name]

    def _call(self, call: plan.Call, given: Type | None) -> Type:
        task = self._task(call.task)
        if task is None or not call.is_written:
            return UNKNOWN
        if task.lacks_pydantic is not None:
            self._reports.no_pydantic(call, task.lacks_pydantic)
            return UNKNOWN
        if call.kind != "task":
            self._items(call, task, 0)
            return ListOf(self._result(call, task))
        before = 0
        if given is not None and not call.immutable:
            before = 1
            self._previous(call, task, given)
        self._args(call, task, before, given)
        self._kwargs(call, task, given)
        return self._result(call, task)

    def _result(self, call: plan.Call, task: TaskTypes) -> Type:
        key = (id(call.location.source), call.location.start)
        if key not in self._results:
            type_ = task.returns
            if type_ != UNKNOWN:
                note = f"{in_words(type_)} comes from {task.written} at {call.location}"
                type_ = Origin(type_, note)
            self._results[key] = type_
        return self._results[key]

    def _previous(self, call: plan.Call, task: TaskTypes, given: Type) -> None:
        taken = task.at(0)
        if taken is None:
            return
        inner = given.type if isinstance(given, Origin) else given
        if isinstance(inner, Value) and type(inner.value) in taken.plain:
            return  # the common case of a wide fan-out over items
        given = doubtful(given) if self._doubt else given
        found = misfit(given, taken.wanted)
        if found is not None:
            self._reports.previous(call, task, taken, given, found, doubt=self._doubt)

    def _args(self, call: plan.Call, task: TaskTypes, before: int, given: Type | None) -> None:
        for position, value in enumerate(call.args):
            taken = task.at(before + position)
            if taken is not None and type(value) not in taken.plain:
                self._argument(Argument(call, task, taken, position), value, given)

    def _kwargs(self, call: plan.Call, task: TaskTypes, given: Type | None) -> None:
        for name, value in call.kwargs.items():
            taken = task.named(name)
            if taken is not None and type(value) not in taken.plain:
                self._argument(Argument(call, task, taken, name), value, given)

    def _argument(self, argument: Argument, value: Any, given: Type | None = None) -> None:
        wanted = argument.taken.wanted
        if wanted == UNKNOWN or _is_default(value, argument.taken):
            return
        if isinstance(value, plan.Deferred):
            type_ = self._type_of_value(value, given)
            found = misfit(doubtful(type_) if self._doubt else type_, wanted)
        elif value is UNKNOWN_VALUE:
            type_ = self._reports.type_of_input(argument)
            found = misfit(doubtful(type_) if self._doubt else type_, wanted)
        else:
            type_, found = Value(value), misfit_of_value(value, wanted)
        if found is not None:
            self._reports.argument(argument, type_, found, doubt=self._doubt)

    def _items(self, call: plan.Call, task: TaskTypes, before: int) -> None:
        """Look at the items of a map or a starmap, of which ``before`` are in earlier batches."""
        for position, item in enumerate(call.args, before):
            arguments = enumerate(item) if call.kind == "starmap" else [(0, item)]
            for place, value in arguments:
                taken = task.at(place)
                if taken is not None and type(value) not in taken.plain:
                    keys = (position, place) if call.kind == "starmap" else (position,)
                    self._argument(Argument(call, task, taken, place, keys), value)

    def _group(self, group: plan.Group, given: Type | None) -> Type:
        types: list[Type] = []
        for member in group.members:
            if isinstance(member, plan.Repeat):
                types += self._repeat(member, given)
            else:
                types.append(self.type_of(member, given) or UNKNOWN)
        if group.tolerate is not None and types:
            return ListOf(alternatives([*types, _TOLERATED]))
        return Members(tuple(types)) if len(types) <= _MOST_MEMBERS else ListOf(alternatives(types))

    def _repeat(self, repeat: plan.Repeat, given: Type | None) -> Iterator[Type]:
        """Yield the calls' types; what they have in common is looked at once."""
        calls = repeat.calls()
        first = next(calls, None)
        if first is None:
            return
        task, result = self._task(first.task), self._call(first, given)
        yield from itertools.repeat(result, repeat.count)
        before, items = int(given is not None and not first.immutable), len(first.args)
        if task is None or not (repeat.numbered or repeat.varying):
            return
        taken = task.at(before)
        if repeat.numbered and not repeat.varying and (taken is None or int in taken.plain):
            return  # the common case of a wide fan-out
        for call in calls:
            if call.kind != "task":
                self._items(call, task, items)
                items += len(call.args)
                continue
            self._args(call, task, before, given)
            if "kwargs" in repeat.varying:
                self._kwargs(call, task, given)

    def _each(self, each: plan.Each, given: Type | None) -> Type:
        items = self._type_of_value(each.items, given)
        item = item_type(doubtful(items) if self._doubt else items)
        if item is None:
            place = each.items.location if isinstance(each.items, plan.Deferred) else each.location
            self._reports.no_list(place, items)
        outer = dict(self._variables)
        self._variables[each.variable] = item or UNKNOWN
        found = self.type_of(each.do, item or UNKNOWN) or UNKNOWN
        self._variables = outer
        return ListOf(found if each.tolerate is None else alternatives([found, _TOLERATED]))

    def _switch(self, switch: plan.Switch, given: Type | None) -> Type:
        outer, self._doubt = self._doubt, True
        found = [self.type_of(branch.step, given) for branch in switch.branches]
        found.append(given if switch.otherwise is None else self.type_of(switch.otherwise, given))
        self._doubt = outer
        return alternatives(each or UNKNOWN for each in found)

    def _given(self, node: plan.Given) -> Type | None:
        return self.type_of(node.step, Origin(self._type_of_value(node.value, None), item=node))

    def _graph(self, graph: plan.Graph, given: Type | None) -> Type | None:
        steps = {step.name: step for step in graph.steps}
        found: dict[str, Type] = {}

        def value(name: str) -> Type:
            if name not in found:
                found[name] = UNKNOWN  # a cycle is told elsewhere
                needs = [value(each) for each in steps[name].needs if each in steps]
                inputs = needs[0] if len(needs) == 1 else Members(tuple(needs)) if needs else given
                found[name] = self.type_of(steps[name].step, inputs) or UNKNOWN
            return found[name]

        for name in steps:
            value(name)
        return found.get(graph.result, UNKNOWN)

    def _type_of_value(self, value: Any, given: Type | None) -> Type:
        if isinstance(value, plan.Deferred):
            return type_of_deferred(value, given, self._variables, self._steps)
        if isinstance(value, plan.Secret) or value is UNKNOWN_VALUE:
            return UNKNOWN
        return Value(value)


def _is_default(value: Any, taken: Taken) -> bool:
    try:
        return bool(value == taken.default)
    except Exception:  # the plugin's own comparison
        return False
