"""A plan as nodes and edges: the graph that the mermaid and dot formats draw.

An edge says that a value goes from one call to the next. Members of a group start from what
came before it and meet in the call that takes their list, or in a small node for the list
where no single call does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from flowrunner.plan import Call, Chain, Chord, Group, Handler, Plan
from flowrunner.render.label import IGNORES_INPUT, call_label, chunks_label, ignores_input
from flowrunner.render.stack import More, Stack, abridged, member_count, members_of, steps_of

__all__ = ["Flow", "FlowEdge", "FlowNode", "NodeShape", "flow_of"]

#: A call, calls drawn as one, a list of results, siblings that were left out, or the outcome
#: that a handler is given.
NodeShape: TypeAlias = Literal["call", "stack", "list", "more", "handler"]


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A node; ``key`` is a letter and a number, safe as an identifier in any format."""

    key: str
    shape: NodeShape
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowEdge:
    """An edge between two keys. Without ``data`` the target waits but takes no value."""

    source: str
    target: str
    data: bool = True


@dataclass(frozen=True, slots=True)
class Flow:
    """The graph of a workflow."""

    name: str
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]


def flow_of(plan: Plan, *, expand: bool = False) -> Flow:
    """Return the plan's graph; ``expand`` gives every call a node of its own."""
    builder = _FlowBuilder(expand)
    end = builder.join(builder.add(Stack((plan.root,)), _Value(()), ""), "")
    for handler in plan.handlers:
        builder.add_handler(handler, end)
    return Flow(plan.name, tuple(builder.nodes), tuple(builder.edges))


@dataclass(frozen=True, slots=True)
class _Value:
    """The nodes that a value comes from; with ``length`` it is the list of theirs."""

    keys: tuple[str, ...]
    length: int | None = None


class _FlowBuilder:
    """Adds nodes and edges along the way of the values.

    ``multiplier`` is how many of a node there are: that of each stack it is inside, outermost
    first.
    """

    def __init__(self, expand: bool) -> None:
        self.expand = expand
        self.nodes: list[FlowNode] = []
        self.edges: list[FlowEdge] = []

    def add(self, stack: Stack, given: _Value, multiplier: str) -> _Value:
        """Add a stack and what is inside it; return the value that it gives."""
        multiplier += stack.multiplier
        match stack.nodes:
            case ():
                return _Value(())
            case (Call(), *_):
                return self._add_call(stack, given, multiplier)
            case (Chain(), *_):
                chains = [node for node in stack.nodes if isinstance(node, Chain)]
                return self._add_steps(steps_of(chains), given, multiplier)
            case (Group(), *_):
                groups = [node for node in stack.nodes if isinstance(node, Group)]
                return self._add_groups(groups, given, multiplier)
            case _:
                chords = [node for node in stack.nodes if isinstance(node, Chord)]
                headers = [each.header for each in chords if isinstance(each.header, Group)]
                results = self._add_groups(headers, given, multiplier)
                return self.add(Stack(tuple(each.body for each in chords)), results, multiplier)

    def add_handler(self, handler: Handler, end: _Value) -> None:
        """Add a handler, which waits for the end of the main part."""
        outcome = self._add_node(end, "handler", handler.name, data=False)
        self.join(self.add(Stack((handler.root,)), outcome, ""), "")

    def join(self, value: _Value, multiplier: str) -> _Value:
        """Return a value that comes from its own nodes alone, adding one for an open list."""
        if value.length is None:
            return value
        return self._add_node(value, "list", f"list of {value.length:,}{multiplier}")

    def _add_call(self, stack: Stack, given: _Value, multiplier: str) -> _Value:
        calls = [node for node in stack.nodes if isinstance(node, Call)]
        label = call_label(stack, calls)
        shape: NodeShape = "stack" if multiplier else "call"
        lines = (label.text + multiplier, *label.notes)
        if not ignores_input(calls[0]):
            return self._add_node(given, shape, *lines)
        if given.keys:
            lines += (IGNORES_INPUT,)
        return self._add_node(given, shape, *lines, data=False)

    def _add_steps(self, steps: Sequence[Stack], given: _Value, multiplier: str) -> _Value:
        for entry in abridged(steps, expand=self.expand):
            if isinstance(entry, More):
                given = self._add_node(self.join(given, multiplier), "more", str(entry))
            else:
                given = self.add(entry, given, multiplier)
        return given

    def _add_groups(self, groups: Sequence[Group], given: _Value, multiplier: str) -> _Value:
        count = member_count(groups[0])
        given = self.join(given, multiplier)
        if not count:
            return self._add_node(given, "list", f"[]{multiplier}", data=False)
        if groups[0].batched and not self.expand:
            label = chunks_label(groups)
            arrival = (IGNORES_INPUT,) if given.keys else ()
            lines = (label.text + multiplier, *label.notes, *arrival)
            return _Value(self._add_node(given, "stack", *lines, data=False).keys, count)
        members = members_of(groups, expand=self.expand)
        keys: list[str] = []
        for entry in abridged(members, expand=self.expand, size=lambda each: each.count or 1):
            if isinstance(entry, More):
                value = self._add_node(given, "more", str(entry))
            else:
                own = self.add(entry, given, multiplier)
                value = self.join(own, multiplier + entry.multiplier)
            keys += value.keys
        return _Value(tuple(keys), count)

    def _add_node(self, given: _Value, shape: NodeShape, *lines: str, data: bool = True) -> _Value:
        key = f"n{len(self.nodes) + 1}"
        self.nodes.append(FlowNode(key, shape, lines))
        self.edges += [FlowEdge(source, key, data) for source in given.keys]
        return _Value((key,))
