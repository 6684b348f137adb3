"""Where the file has the values that a call of the plan is given.

A plan does not store the locations of its values. The file has them: it is read only if something
is wrong, from the location of the call's name.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from flowrunner import model, plan
from flowrunner.errors import WorkflowError
from flowrunner.hints import forms
from flowrunner.node import Mapping, Node, Scalar, Sequence, has_expression
from flowrunner.planner.defaults import with_defaults
from flowrunner.planner.proof import inner_steps
from flowrunner.planner.types.expression_types import type_of_input
from flowrunner.planner.types.signatures import TaskTypes, TypedParameter
from flowrunner.source import Location, Source

__all__ = ["Argument", "WrittenValue", "WrittenValues"]

_Keys: TypeAlias = tuple[int | str, ...]
_WITH_VALUES = (model.TaskCall, model.ItemCalls, model.Chunks, model.Each)


class Argument(Struct, frozen=True):
    """An argument of a call, by position or by name.

    ``item`` leads to it within the items of a ``map``, ``starmap`` or ``chunks``. ``doubt`` tells
    that the call may never be made: an expression in it may depend on the same as the condition
    does, and is not reported.
    """

    call: plan.Call
    task: TaskTypes
    parameter: TypedParameter
    key: int | str = 0
    item: tuple[int, ...] = ()
    doubt: bool = False


class WrittenValue(Struct, frozen=True):
    """Where a value is written, and whether it is a literal or the result of an expression."""

    location: Location
    is_literal: bool


class WrittenValues:
    """Finds values in the files that a workflow is made of."""

    def __init__(self, workflow: model.Workflow) -> None:
        self._workflow = workflow
        self._steps: dict[int, tuple[model.Workflow, dict[int, model.Step]]] = {}

    def of_argument(self, argument: Argument, keys: _Keys) -> WrittenValue | None:
        """Return where a part of an argument is written.

        ``None`` if the argument is written nowhere: the index of ``xN``, for instance.
        """
        node = self._argument(argument, (*argument.item, *keys))
        return None if node is None else _written(node)

    def type_of_input(self, argument: Argument) -> forms.Type:
        """Return the type of an argument that is an input without a value."""
        node = self._argument(argument, argument.item)
        workflow, _ = self._file(argument.call.location.source)
        return forms.UNKNOWN if node is None else type_of_input(node, workflow)

    def of_item(self, location: Location, keys: _Keys) -> WrittenValue | None:
        """Return where a part of the items of the ``each`` at a location is written."""
        step = self._step(location)
        return _written(_part(step.items, keys)) if isinstance(step, model.Each) else None

    def _argument(self, argument: Argument, keys: _Keys) -> Node | None:
        step = self._step(argument.call.location)
        if isinstance(step, (model.ItemCalls, model.Chunks)):
            return _part(step.over, keys)
        if not isinstance(step, model.TaskCall):
            return None
        workflow, _ = self._file(argument.call.location.source)
        written = with_defaults(workflow, argument.task.definition, step.keys)
        held: Node | None = written.args if isinstance(argument.key, int) else written.kwargs
        node = None if held is None else _inner(held, argument.key)
        return None if node is None else _part(node, keys)

    def _step(self, location: Location) -> model.Step | None:
        _, steps = self._file(location.source)
        return steps.get(location.start)

    def _file(self, source: Source) -> tuple[model.Workflow, dict[int, model.Step]]:
        if id(source) not in self._steps:
            self._steps[id(source)] = self._read(source)
        return self._steps[id(source)]

    def _read(self, source: Source) -> tuple[model.Workflow, dict[int, model.Step]]:
        workflow = self._workflow
        if source is not workflow.source:
            from flowrunner.loader import load_workflow

            try:
                workflow = load_workflow(source)
            except WorkflowError:
                return workflow, {}
        steps = [workflow.step, *workflow.handlers.values()]
        found: dict[int, model.Step] = {}
        while steps:
            step = steps.pop()
            steps += inner_steps(step)
            if isinstance(step, _WITH_VALUES):
                found[step.location.start] = step
        return workflow, found


def _part(node: Node, keys: _Keys) -> Node:
    for key in keys:
        inner = _inner(node, key)
        if inner is None:
            break
        node = inner
    return node


def _inner(node: Node, key: int | str) -> Node | None:
    if isinstance(node, Sequence) and isinstance(key, int):
        return node.items[key] if key < len(node.items) else None
    return node.get(str(key)) if isinstance(node, Mapping) else None


def _written(node: Node) -> WrittenValue:
    is_expression = isinstance(node, Scalar) and has_expression(str(node.value))
    return WrittenValue(node.location, not is_expression)
