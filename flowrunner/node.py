"""YAML values that know where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, TypeAlias

from flowrunner.located import Located
from flowrunner.source import Location

__all__ = ["Mapping", "Node", "Scalar", "Sequence", "has_expression", "node_at", "plain"]


class Scalar(Located, frozen=True):
    """A string, number, boolean or null."""

    value: str | int | float | bool | None
    location: Location


class Sequence(Located, frozen=True):
    """A list of nodes."""

    items: tuple[Node, ...]
    location: Location


class Mapping(Located, frozen=True, dict=True):
    """Entries in the order written; every key is a string and stands once."""

    entries: tuple[tuple[Scalar, Node], ...]
    location: Location

    @cached_property
    def _by_key(self) -> dict[str, tuple[Scalar, Node]]:
        return {str(key.value): (key, value) for key, value in self.entries}

    def get(self, key: str) -> Node | None:
        """Return the value of ``key``, or ``None`` when it is not there."""
        entry = self._by_key.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Scalar | None:
        """Return the node of the key itself, or ``None`` when it is not there."""
        entry = self._by_key.get(key)
        return entry[0] if entry else None

    def names(self) -> tuple[str, ...]:
        """Return the keys in the order written."""
        return tuple(self._by_key)

    def __contains__(self, key: str) -> bool:
        return key in self._by_key


Node: TypeAlias = Scalar | Sequence | Mapping


def node_at(node: Node, path: Iterable[str | int]) -> Node:
    """Return the node that a path of keys and positions leads to."""
    for part in path:
        match node:
            case Mapping():
                inner = node.get(str(part))
            case Sequence():
                inner = node.items[int(part)]
            case Scalar():
                inner = None
        if inner is None:
            return node
        node = inner
    return node


def has_expression(text: str) -> bool:
    """Tell whether a text is a template: it holds ``${…}``, or an escaped ``$${``."""
    return "${" in text


def plain(node: Node) -> Any:
    """Return the node as plain JSON data (``dict``, ``list`` and scalars)."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key.value: plain(value) for key, value in node.entries}
