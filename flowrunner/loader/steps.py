"""Nodes to the steps of a workflow."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from flowrunner import model
from flowrunner.errors import Diagnostic
from flowrunner.loader.call_text import parse_call
from flowrunner.loader.language import OPTIONS, RESERVED_NAMES, STEP_KEYS
from flowrunner.node import Mapping, Node, Scalar, Sequence
from flowrunner.source import Location

__all__ = ["StepBuilder", "call_keys"]


class StepBuilder:
    """Builds steps, and :class:`~flowrunner.model.Broken` ones where the schema found problems.

    ``tainted`` holds the ids of the nodes that lead to a problem; ``problems`` collects what
    the schema cannot see.
    """

    def __init__(self, tainted: Collection[int]) -> None:
        self.problems: list[Diagnostic] = []
        self._tainted = tainted
        self._builders: Final[dict[str, Callable[[Mapping, Node], model.Step]]] = {
            "task": self._task_call,
            "chain": self._chain,
            "group": lambda _, value: self._group(value),
            "chord": self._chord,
            "map": lambda _, value: self._item_calls(value, "map"),
            "starmap": lambda _, value: self._item_calls(value, "starmap"),
            "chunks": lambda _, value: self._chunks(value),
        }

    def build(self, node: Node) -> model.Step:
        """Return the step that a node stands for."""
        if isinstance(node, Mapping):
            for key in STEP_KEYS:
                value = node.get(key)
                if value is not None:
                    return self._builders[key](node, value)
        elif isinstance(node, Scalar) and isinstance(node.value, str):
            return self._call(node, node.value)
        return model.Broken(node.location)

    def _call(self, node: Scalar, text: str) -> model.Step:
        call = parse_call(text)
        if call is None:
            return model.Broken(node.location)
        quoted = node.location.text[:1] in ('"', "'")
        name = node.location.part(int(quoted), len(call.name))
        if call.count is None:
            return model.TaskCall(call.name, name)
        count = node.location.part(int(quoted) + call.count_offset, len(str(call.count)))
        return model.TaskCall(call.name, name, times=Scalar(call.count, count))

    def _task_call(self, mapping: Mapping, value: Node) -> model.Step:
        name = value.value if isinstance(value, Scalar) else None
        if not isinstance(name, str) or id(mapping) in self._tainted:
            called = name if isinstance(name, str) and id(value) not in self._tainted else None
            return model.Broken(value.location, called)
        times, index = mapping.get("times"), mapping.get("as")
        if index is not None and times is None:
            self._report("'as' names the index of 'times', and there is none", mapping.key("as"))
        return model.TaskCall(
            name,
            value.location,
            call_keys(mapping),
            times=times if isinstance(times, Scalar) else None,
            index=self._variable(index, "the index") or "i",
            id=self._id(mapping),
        )

    def _variable(self, node: Node | None, what: str) -> str | None:
        if not isinstance(node, Scalar) or node.value is None:
            return None
        name = str(node.value)
        if name in RESERVED_NAMES:
            self._report(
                f"{what} cannot be called '{name}'", node, "the name is taken in expressions"
            )
        return name

    def _id(self, mapping: Mapping) -> Scalar | None:
        node = mapping.get("id")
        self._variable(node, "a step")
        return node if isinstance(node, Scalar) else None

    def _report(self, message: str, node: Node | None, label: str = "") -> None:
        self.problems.append(Diagnostic(message, node.location if node else None, label))

    def _chain(self, mapping: Mapping, value: Node) -> model.Step:
        if not isinstance(value, Sequence):
            return model.Broken(value.location)
        place = _key_place(mapping, "chain")
        return model.Chain(tuple(self.build(item) for item in value.items), place)

    def _group(self, value: Node) -> model.Group:
        if isinstance(value, Sequence):
            return model.Group(tuple(self.build(item) for item in value.items), value.location)
        return model.Group((self.build(value),), value.location, listed=False)

    def _chord(self, mapping: Mapping, value: Node) -> model.Step:
        if not isinstance(value, Mapping):
            return model.Broken(value.location)
        place = _key_place(mapping, "chord")
        header, body = value.get("header"), value.get("body")
        return model.Chord(
            model.Group((), place) if header is None else self._group(header),
            model.Broken(place) if body is None else self.build(body),
            place,
        )

    def _item_calls(self, value: Node, kind: str) -> model.Step:
        called = self._called(value)
        if isinstance(called, model.Broken):
            return called
        task, over, mapping = called
        return model.ItemCalls(
            kind, str(task.value), over, task.location, _options(mapping), self._id(mapping)
        )

    def _chunks(self, value: Node) -> model.Step:
        called = self._called(value)
        if isinstance(called, model.Broken):
            return called
        task, over, mapping = called
        size = mapping.get("size")
        if not isinstance(size, Scalar):
            return model.Broken(task.location, str(task.value))
        return model.Chunks(
            str(task.value), over, size, task.location, _options(mapping), self._id(mapping)
        )

    def _called(self, value: Node) -> tuple[Scalar, Node, Mapping] | model.Broken:
        if not isinstance(value, Mapping):
            return model.Broken(value.location)
        task, over = value.get("task"), value.get("over")
        if not isinstance(task, Scalar) or not isinstance(task.value, str):
            return model.Broken(value.location)
        if over is None or id(value) in self._tainted:
            known = task.value if id(task) not in self._tainted else None
            return model.Broken(task.location, known)
        return task, over, value


def call_keys(mapping: Mapping) -> model.CallKeys:
    """Return the keys of a call that ``defaults`` may hold too."""
    args, kwargs, immutable = (mapping.get(key) for key in ("args", "kwargs", "immutable"))
    return model.CallKeys(
        args=args if isinstance(args, Sequence) else None,
        kwargs=kwargs if isinstance(kwargs, Mapping) else None,
        immutable=bool(immutable.value) if isinstance(immutable, Scalar) else None,
        options=_options(mapping),
    )


def _options(mapping: Mapping) -> dict[str, Node]:
    found = ((name, mapping.get(name)) for name in OPTIONS)
    return {name: node for name, node in found if node is not None}


def _key_place(mapping: Mapping, key: str) -> Location:
    node = mapping.key(key)
    return mapping.location if node is None else node.location
