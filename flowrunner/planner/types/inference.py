"""Walking a plan's tree: what each step is given and gives, and whether that fits the hints."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from flowrunner import plan
from flowrunner.hints import forms
from flowrunner.hints.fitting import misfit
from flowrunner.hints.parameters import Parameters
from flowrunner.hints.words import in_words
from flowrunner.planner.scope import UNKNOWN as UNKNOWN_VALUE
from flowrunner.planner.types.expression_types import item_type, type_of_deferred
from flowrunner.planner.types.reports import Reports
from flowrunner.planner.types.signatures import TaskTypes, TypedParameter, task_types
from flowrunner.planner.types.written_values import Argument
from flowrunner.tasks import TaskRegistry

__all__ = ["Inference"]

#: Up to so many members, what stands at each place of a group's list is known.
_MOST_MEMBERS = 64
_ERROR = forms.Origin(forms.DictOf((forms.UNKNOWN,)), "it is the error as data")
_TOLERATED = forms.Origin(
    forms.NULL, "'tolerate' gives null for a member that fails: the task has to take None"
)


class Inference:
    """Infers the type of every step's result, and reports what does not fit."""

    def __init__(self, registry: TaskRegistry, reports: Reports) -> None:
        self._registry = registry
        self._reports = reports
        self._tasks: dict[str, TaskTypes | None] = {}
        self._results: dict[tuple[int, int], forms.Type] = {}
        self._steps: dict[str, forms.Type] = {}
        self._variables: dict[str, forms.Type] = {}
        # Inside a branch that may not be taken: its condition may know what hints do not tell.
        self._doubt = False

    def type_of(self, node: plan.Node, previous: forms.Type | None) -> forms.Type | None:
        """Return the type of a node's result; ``previous`` is that of the previous result."""
        match node:
            case plan.Call():
                return self._call(node, previous)
            case plan.Chain():
                return reduce(lambda found, step: self.type_of(step, found), node.steps, previous)
            case plan.Chord():
                return self.type_of(node.body, self.type_of(node.header, previous))
            case plan.Group():
                return self._group(node, previous)
            case plan.Each():
                return self._each(node, previous)
            case plan.Switch():
                return self._switch(node, previous)
            case plan.Skipped():
                return previous  # what its condition guards against is no fault
            case plan.Rescue():
                return _either(
                    self.type_of(node.step, previous), self.type_of(node.handler, _ERROR)
                )
            case plan.Named():
                result = self.type_of(node.step, previous)
                self._steps[node.path] = result or forms.UNKNOWN
                return result
            case plan.Given():
                item = forms.Origin(self._type_of_value(node.value, None), item=node)
                return self.type_of(node.step, item)
            case plan.Constant():
                return self._type_of_value(node.value, previous)
            case plan.Used():
                return self.type_of(node.step, previous)
            case plan.Graph():
                return self._graph(node, previous)
            case plan.Failing():
                return forms.UNKNOWN

    def _task(self, name: str) -> TaskTypes | None:
        if name not in self._tasks:
            definition = self._registry.get(name)
            self._tasks[name] = None if definition is None else task_types(definition)
        return self._tasks[name]

    def _call(self, call: plan.Call, previous: forms.Type | None) -> forms.Type:
        task = self._task(call.task)
        if task is None or not call.is_written:
            return forms.UNKNOWN
        if task.lacks_pydantic is not None:
            self._reports.no_pydantic(Argument(call, task, task.lacks_pydantic))
            return forms.UNKNOWN
        if call.kind == "task" and previous is not None and not call.immutable:
            self._previous(call, task, previous)
        self._arguments(call, task, previous)
        result = self._result(call, task)
        return result if call.kind == "task" else forms.ListOf((result,))

    def _result(self, call: plan.Call, task: TaskTypes) -> forms.Type:
        key = (id(call.location.source), call.location.start)
        if key not in self._results and task.returns != forms.UNKNOWN:
            note = f"{in_words(task.returns)} comes from {task.written} at {call.location}"
            self._results[key] = forms.Origin(task.returns, note)
        return self._results.get(key, forms.UNKNOWN)

    def _previous(self, call: plan.Call, task: TaskTypes, previous: forms.Type) -> None:
        parameter = task.parameters.at(0)
        if parameter is None:
            return
        inner = previous.type if isinstance(previous, forms.Origin) else previous
        if isinstance(inner, forms.Value) and type(inner.value) in parameter.plain:
            return  # the common case of a wide fan-out over items
        previous = self._doubted(previous)
        found = misfit(previous, parameter.wanted)
        if found is not None:
            argument = Argument(call, task, parameter, doubt=self._doubt)
            self._reports.previous(argument, previous, found)

    def _arguments(
        self,
        call: plan.Call,
        task: TaskTypes,
        previous: forms.Type | None,
        *,
        earlier: int = 0,
        named: bool = True,
    ) -> None:
        """Check written arguments; ``earlier`` counts the items of the batches before."""
        before = 0 if previous is None or call.immutable else 1
        arguments = _by_parameter(call, task.parameters, before, earlier, named=named)
        for parameter, key, item, value in arguments:
            if parameter is None or type(value) in parameter.plain or parameter.takes_any(value):
                continue
            argument = Argument(call, task, parameter, key, item, self._doubt)
            if value is UNKNOWN_VALUE:
                type_ = self._reports.values.type_of_input(argument)
            else:
                type_ = self._type_of_value(value, previous)
            found = misfit(self._doubted(type_), parameter.wanted)
            if found is not None:
                self._reports.argument(argument, type_, found)

    def _group(self, group: plan.Group, previous: forms.Type | None) -> forms.Type:
        types: list[forms.Type] = []
        for member in group.members:
            if isinstance(member, plan.Repeat):
                types += self._repeat(member, previous)
            else:
                types.append(self.type_of(member, previous) or forms.UNKNOWN)
        if group.tolerate is not None and types:
            return _list_of(*types, _TOLERATED)
        return forms.Members(tuple(types)) if len(types) <= _MOST_MEMBERS else _list_of(*types)

    def _repeat(self, repeat: plan.Repeat, previous: forms.Type | None) -> list[forms.Type]:
        """Return the calls' types; what they have in common is checked once."""
        calls = repeat.calls()
        first = next(calls, None)
        if first is None:
            return []
        task, result = self._task(first.task), self._call(first, previous)
        types = [result] * repeat.count
        if task is None or not (repeat.numbered or repeat.varying):
            return types
        parameter = task.parameters.at(int(previous is not None and not first.immutable))
        if repeat.numbered and not repeat.varying and (parameter is None or int in parameter.plain):
            return types  # the common case of a wide fan-out
        earlier, named = len(first.args), "kwargs" in repeat.varying
        for call in calls:
            offset = 0 if call.kind == "task" else earlier
            self._arguments(call, task, previous, earlier=offset, named=named)
            earlier += len(call.args)
        return types

    def _each(self, each: plan.Each, previous: forms.Type | None) -> forms.Type:
        items = self._type_of_value(each.items, previous)
        item = item_type(self._doubted(items))
        if item is None:
            place = each.items.location if isinstance(each.items, plan.Deferred) else each.location
            self._reports.no_list(place, items)
        outer = dict(self._variables)
        self._variables[each.variable] = item or forms.UNKNOWN
        found = self.type_of(each.do, item or forms.UNKNOWN) or forms.UNKNOWN
        self._variables = outer
        return _list_of(found) if each.tolerate is None else _list_of(found, _TOLERATED)

    def _switch(self, switch: plan.Switch, previous: forms.Type | None) -> forms.Type:
        outer, self._doubt = self._doubt, True
        found = [self.type_of(branch.step, previous) for branch in switch.branches]
        other = switch.otherwise
        found.append(previous if other is None else self.type_of(other, previous))
        self._doubt = outer
        return _either(*found)

    def _graph(self, graph: plan.Graph, previous: forms.Type | None) -> forms.Type:
        steps = {step.name: step for step in graph.steps}
        found: dict[str, forms.Type] = {}

        def result(name: str) -> forms.Type:
            if name not in found:
                found[name] = forms.UNKNOWN  # a cycle is told elsewhere
                needs = tuple(result(each) for each in steps[name].needs if each in steps)
                several = forms.Members(needs) if needs else previous
                input_ = needs[0] if len(needs) == 1 else several
                found[name] = self.type_of(steps[name].step, input_) or forms.UNKNOWN
            return found[name]

        for name in steps:
            result(name)
        return found.get(graph.result, forms.UNKNOWN)

    def _doubted(self, type_: forms.Type) -> forms.Type:
        return forms.doubtful(type_) if self._doubt else type_

    def _type_of_value(self, value: Any, previous: forms.Type | None) -> forms.Type:
        if isinstance(value, plan.Deferred):
            return type_of_deferred(value, previous, self._variables, self._steps)
        is_hidden = isinstance(value, plan.Secret) or value is UNKNOWN_VALUE
        return forms.UNKNOWN if is_hidden else forms.Value(value)


def _by_parameter(
    call: plan.Call, parameters: Parameters[TypedParameter], before: int, first: int, *, named: bool
) -> Iterator[tuple[TypedParameter | None, int | str, tuple[int, ...], Any]]:
    """Yield the parameter and the value of each argument, with its key and what leads to it."""
    for position, value in enumerate(call.args, first):
        if call.kind == "task":
            yield parameters.at(before + position), position, (), value
        elif call.kind == "map":
            yield parameters.at(0), 0, (position,), value
        else:
            for place, part in enumerate(value):
                yield parameters.at(place), place, (position, place), part
    for name, value in call.kwargs.items() if named else ():
        yield parameters.named(name), name, (), value


def _list_of(*items: forms.Type) -> forms.Type:
    return forms.ListOf((forms.alternatives(items),))


def _either(*types: forms.Type | None) -> forms.Type:
    return forms.alternatives(each or forms.UNKNOWN for each in types)
