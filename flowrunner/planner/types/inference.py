"""Walking a plan's tree: what each step is given and gives, and whether that fits the hints."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from flowrunner import plan
from flowrunner.hints import forms
from flowrunner.hints.fitting import misfit
from flowrunner.hints.words import in_words
from flowrunner.planner.scope import UNKNOWN as UNKNOWN_VALUE
from flowrunner.planner.types.expression_types import item_type, type_of_deferred
from flowrunner.planner.types.reports import Argument, Reports
from flowrunner.planner.types.signatures import Taken, TaskTypes, task_types
from flowrunner.tasks import TaskRegistry

__all__ = ["Inference"]

#: Up to so many members, what stands at each place of a group's list is known.
_MOST_MEMBERS = 64
_ERROR = forms.Origin(forms.DictOf((forms.UNKNOWN,)), "it is the error as data")
_TOLERATED = forms.Origin(
    forms.NULL, "'tolerate' gives null for a member that fails: the task has to take None"
)


class Inference:
    """Gives every step of a plan the type of its value, and reports what does not fit."""

    def __init__(self, registry: TaskRegistry, reports: Reports) -> None:
        self._registry = registry
        self._reports = reports
        self._tasks: dict[str, TaskTypes | None] = {}
        self._results: dict[tuple[int, int], forms.Type] = {}
        self._steps: dict[str, forms.Type] = {}
        self._variables: dict[str, forms.Type] = {}
        # Inside a branch that may not be taken: its condition may know what hints do not tell.
        self._doubt = False

    def type_of(self, node: plan.Node, given: forms.Type | None) -> forms.Type | None:
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
                return forms.alternatives(each or forms.UNKNOWN for each in found)
            case plan.Named():
                found_step = self.type_of(node.step, given)
                self._steps[node.path] = found_step or forms.UNKNOWN
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
                return forms.UNKNOWN

    def _task(self, name: str) -> TaskTypes | None:
        if name not in self._tasks:
            definition = self._registry.get(name)
            self._tasks[name] = None if definition is None else task_types(definition)
        return self._tasks[name]

    def _call(self, call: plan.Call, given: forms.Type | None) -> forms.Type:
        task = self._task(call.task)
        if task is None or not call.is_written:
            return forms.UNKNOWN
        if task.lacks_pydantic is not None:
            self._reports.no_pydantic(call, task, task.lacks_pydantic)
            return forms.UNKNOWN
        if call.kind != "task":
            self._items(call, task, 0)
            return forms.ListOf((self._result(call, task),))
        before = 0
        if given is not None and not call.immutable:
            before = 1
            self._previous(call, task, given)
        self._args(call, task, before, given)
        self._kwargs(call, task, given)
        return self._result(call, task)

    def _result(self, call: plan.Call, task: TaskTypes) -> forms.Type:
        key = (id(call.location.source), call.location.start)
        if key not in self._results:
            type_ = task.returns
            if type_ != forms.UNKNOWN:
                note = f"{in_words(type_)} comes from {task.written} at {call.location}"
                type_ = forms.Origin(type_, note)
            self._results[key] = type_
        return self._results[key]

    def _previous(self, call: plan.Call, task: TaskTypes, given: forms.Type) -> None:
        taken = task.parameters.at(0)
        inner = given.type if isinstance(given, forms.Origin) else given
        if taken is None or (isinstance(inner, forms.Value) and type(inner.value) in taken.plain):
            return  # the common case of a wide fan-out over items
        given = forms.doubtful(given) if self._doubt else given
        found = misfit(given, taken.wanted)
        if found is not None:
            argument = Argument(call, task, taken, 0)
            self._reports.previous(argument, given, found, doubt=self._doubt)

    def _args(
        self, call: plan.Call, task: TaskTypes, before: int, given: forms.Type | None
    ) -> None:
        for position, value in enumerate(call.args):
            taken = task.parameters.at(before + position)
            self._argument(call, task, taken, position, value, given)

    def _kwargs(self, call: plan.Call, task: TaskTypes, given: forms.Type | None) -> None:
        for name, value in call.kwargs.items():
            self._argument(call, task, task.parameters.named(name), name, value, given)

    def _items(self, call: plan.Call, task: TaskTypes, before: int) -> None:
        """Check the items of a map or a starmap, of which ``before`` are in earlier batches."""
        for position, item in enumerate(call.args, before):
            values = item if call.kind == "starmap" else [item]
            for place, value in enumerate(values):
                keys = (position, place) if call.kind == "starmap" else (position,)
                self._argument(call, task, task.parameters.at(place), place, value, None, keys)

    def _argument(
        self,
        call: plan.Call,
        task: TaskTypes,
        taken: Taken | None,
        key: int | str,
        value: Any,
        given: forms.Type | None,
        keys: tuple[int, ...] = (),
    ) -> None:
        if taken is None or type(value) in taken.plain or taken.wanted == forms.UNKNOWN:
            return
        if _is_default(value, taken):
            return
        argument = Argument(call, task, taken, key, keys)
        if value is UNKNOWN_VALUE:
            type_ = self._reports.type_of_input(argument)
        else:
            type_ = self._type_of_value(value, given)
        found = misfit(forms.doubtful(type_) if self._doubt else type_, taken.wanted)
        if found is not None:
            self._reports.argument(argument, type_, found, doubt=self._doubt)

    def _group(self, group: plan.Group, given: forms.Type | None) -> forms.Type:
        types: list[forms.Type] = []
        for member in group.members:
            if isinstance(member, plan.Repeat):
                types += self._repeat(member, given)
            else:
                types.append(self.type_of(member, given) or forms.UNKNOWN)
        if group.tolerate is not None and types:
            return forms.ListOf((forms.alternatives([*types, _TOLERATED]),))
        return (
            forms.Members(tuple(types))
            if len(types) <= _MOST_MEMBERS
            else forms.ListOf((forms.alternatives(types),))
        )

    def _repeat(self, repeat: plan.Repeat, given: forms.Type | None) -> Iterator[forms.Type]:
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
        taken = task.parameters.at(before)
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

    def _each(self, each: plan.Each, given: forms.Type | None) -> forms.Type:
        given_items = self._type_of_value(each.items, given)
        item = item_type(forms.doubtful(given_items) if self._doubt else given_items)
        if item is None:
            place = each.items.location if isinstance(each.items, plan.Deferred) else each.location
            self._reports.no_list(place, given_items)
        outer = dict(self._variables)
        self._variables[each.variable] = item or forms.UNKNOWN
        found = self.type_of(each.do, item or forms.UNKNOWN) or forms.UNKNOWN
        self._variables = outer
        items = [found] if each.tolerate is None else [found, _TOLERATED]
        return forms.ListOf((forms.alternatives(items),))

    def _switch(self, switch: plan.Switch, given: forms.Type | None) -> forms.Type:
        outer, self._doubt = self._doubt, True
        found = [self.type_of(branch.step, given) for branch in switch.branches]
        found.append(given if switch.otherwise is None else self.type_of(switch.otherwise, given))
        self._doubt = outer
        return forms.alternatives(each or forms.UNKNOWN for each in found)

    def _given(self, node: plan.Given) -> forms.Type | None:
        return self.type_of(
            node.step, forms.Origin(self._type_of_value(node.value, None), item=node)
        )

    def _graph(self, graph: plan.Graph, given: forms.Type | None) -> forms.Type | None:
        steps = {step.name: step for step in graph.steps}
        found: dict[str, forms.Type] = {}

        def value(name: str) -> forms.Type:
            if name not in found:
                found[name] = forms.UNKNOWN  # a cycle is told elsewhere
                needs = [value(each) for each in steps[name].needs if each in steps]
                inputs = (
                    needs[0] if len(needs) == 1 else forms.Members(tuple(needs)) if needs else given
                )
                found[name] = self.type_of(steps[name].step, inputs) or forms.UNKNOWN
            return found[name]

        for name in steps:
            value(name)
        return found.get(graph.result, forms.UNKNOWN)

    def _type_of_value(self, value: Any, given: forms.Type | None) -> forms.Type:
        if isinstance(value, plan.Deferred):
            return type_of_deferred(value, given, self._variables, self._steps)
        if isinstance(value, plan.Secret) or value is UNKNOWN_VALUE:
            return forms.UNKNOWN
        return forms.Value(value)


def _is_default(value: Any, taken: Taken) -> bool:
    try:
        return bool(value == taken.default)
    except Exception:  # the plugin's own comparison
        return False
