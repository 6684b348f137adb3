"""Where in the file something stands that a call of the plan is given.

A plan keeps no places of its values. The file has them: it is looked into only where something
is wrong, by the place of the call's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from flowrunner import model, plan
from flowrunner.errors import WorkflowError
from flowrunner.hints.forms import UNKNOWN, Type
from flowrunner.node import Mapping, Node, Scalar, Sequence, has_expression
from flowrunner.planner.defaults import with_defaults
from flowrunner.planner.types.expression_types import type_of_input
from flowrunner.source import Location, Source
from flowrunner.tasks import TaskDefinition

__all__ = ["Place", "Places"]


class Place(Struct, frozen=True):
    """Where a value is written; ``written`` tells a literal from what an expression gives."""

    location: Location
    written: bool


class Places:
    """Finds the places of values in the files that a workflow is made of."""

    def __init__(self, workflow: model.Workflow) -> None:
        self._workflow = workflow
        self._indexes: dict[int, tuple[model.Workflow, dict[int, Any]] | None] = {}

    def of_argument(
        self, call: plan.Call, definition: TaskDefinition, key: int | str, keys: tuple[Any, ...]
    ) -> Place | None:
        """Return the place of a part of an argument, given by position or by name.

        ``None`` where the argument is written nowhere: the index of ``xN``, for instance.
        """
        found = self._argument(call, definition, key, keys)
        return found and _place(found[1])

    def type_of_input(
        self, call: plan.Call, definition: TaskDefinition, key: int | str, keys: tuple[Any, ...]
    ) -> Type:
        """Return the type of an argument without a value yet, where an input alone gives it."""
        found = self._argument(call, definition, key, keys)
        return UNKNOWN if found is None else type_of_input(found[1], found[0])

    def _argument(
        self, call: plan.Call, definition: TaskDefinition, key: int | str, keys: tuple[Any, ...]
    ) -> tuple[model.Workflow, Node] | None:
        found = self._step(call.location)
        if found is None:
            return None
        workflow, step = found
        if isinstance(step, (model.ItemCalls, model.Chunks)):
            return workflow, _led_to(step.over, keys)
        if not isinstance(step, model.TaskCall):
            return None
        written = with_defaults(workflow, definition, step.keys)
        held: Node | None = written.args if isinstance(key, int) else written.kwargs
        if held is None:
            return None
        node = _inner(held, key)
        return None if node is None else (workflow, _led_to(node, keys))

    def of_item(self, location: Location, keys: tuple[Any, ...]) -> Place | None:
        """Return the place of a part of the items of an ``each``, which stands at a location."""
        found = self._step(location)
        step = found and found[1]
        return _place(_led_to(step.items, keys)) if isinstance(step, model.Each) else None

    def _step(self, location: Location) -> tuple[model.Workflow, Any] | None:
        source = location.source
        if id(source) not in self._indexes:
            self._indexes[id(source)] = self._indexed(source)
        found = self._indexes[id(source)]
        if found is None:
            return None
        workflow, steps = found
        step = steps.get(location.start)
        return None if step is None else (workflow, step)

    def _indexed(self, source: Source) -> tuple[model.Workflow, dict[int, Any]] | None:
        workflow = self._workflow
        if source is not workflow.source:
            from flowrunner.loader import load_workflow

            try:
                workflow = load_workflow(source)
            except WorkflowError:
                return None
        steps = (workflow.step, *workflow.handlers.values())
        return workflow, {each.location.start: each for step in steps for each in _steps_in(step)}


def _steps_in(part: Any) -> Iterator[Any]:
    """Yield the calls and fan-outs in a part of a workflow."""
    if isinstance(part, (model.TaskCall, model.ItemCalls, model.Chunks)):
        yield part
        return
    if isinstance(part, tuple):
        for each in part:
            yield from _steps_in(each)
    elif isinstance(part, Struct) and not isinstance(part, (Scalar, Sequence, Mapping)):
        if isinstance(part, model.Each):
            yield part
        for name in part.__struct_fields__:
            yield from _steps_in(getattr(part, name))


def _led_to(node: Node, keys: tuple[Any, ...]) -> Node:
    for key in keys:
        inner = _inner(node, key)
        if inner is None:
            break
        node = inner
    return node


def _place(node: Node) -> Place:
    expression = isinstance(node, Scalar) and has_expression(str(node.value))
    return Place(node.location, not expression)


def _inner(node: Node, key: int | str) -> Node | None:
    if isinstance(node, Sequence) and isinstance(key, int):
        return node.items[key] if key < len(node.items) else None
    return node.get(str(key)) if isinstance(node, Mapping) else None
