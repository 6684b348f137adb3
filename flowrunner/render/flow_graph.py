"""Nodes and edges: the graph that the mermaid and dot formats draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["EdgeKind", "Flow", "FlowEdge", "FlowNode", "NodeShape", "Origin", "Value", "either"]

#: A call, calls drawn as one, values (a list of results, items, outputs), siblings that were left
#: out, the outcome that a handler is given, a choice between steps, a step that does not run.
NodeShape: TypeAlias = Literal["call", "stack", "list", "more", "handler", "choice", "skipped"]

#: A value goes along it; its target only waits; its target uses the value by its id; its target
#: runs under a condition, or when its source fails.
EdgeKind: TypeAlias = Literal["data", "order", "id", "condition", "failure"]


class FlowNode(Struct, frozen=True):
    """A node; ``key`` is a letter and a number, safe as an identifier in any format."""

    key: str
    shape: NodeShape
    lines: tuple[str, ...]


class FlowEdge(Struct, frozen=True):
    """An edge between two keys, and what stands beside it."""

    source: str
    target: str
    kind: EdgeKind = "data"
    label: str = ""


class Flow(Struct, frozen=True):
    """The graph of a workflow."""

    name: str
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]


class Origin(Struct, frozen=True):
    """A node that a value comes from, and what an edge from there is."""

    key: str
    kind: EdgeKind = "data"
    label: str = ""


class Value(Struct, frozen=True):
    """Where a value comes from; one that is ``listed`` is a list of what comes from there.

    The text of ``listed`` says of how many.
    """

    origins: tuple[Origin, ...] = ()
    listed: str = ""

    @property
    def waited_for(self) -> Value:
        """The same, where nothing is taken of it."""
        return Value(
            tuple(
                Origin(each.key, "order") if each.kind == "data" else each for each in self.origins
            ),
            self.listed,
        )

    def when_it_fails(self, label: str) -> Value:
        """Return what is given to a step that runs when its origins fail."""
        keys = dict.fromkeys(each.key for each in self.origins)
        return Value(tuple(Origin(key, "failure", label) for key in keys))


def either(values: Iterable[Value]) -> Value:
    """Return a value that is one of these, none of them a list of its origins."""
    origins = (origin for value in values for origin in value.origins)
    return Value(tuple(dict.fromkeys(origins)))
