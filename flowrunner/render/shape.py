"""What nodes have to have in common to be shown as one: all but their places and values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any

from flowrunner.plan import Branch, Call, Deferred, GraphStep, Node, Repeat

__all__ = ["Shape", "shape_of"]

Shape = tuple[object, ...]


def shape_of(node: Node | Repeat) -> Shape:
    """Return a node's shape."""
    match node:
        case Call():
            arguments = (len(node.args), *node.kwargs)
            kind = (node.kind, node.task, node.immutable, node.id, node.retry)
            return (*kind, arguments, tuple(node.options))
        case Repeat():
            ends = node.ends()  # the last batch of chunks may be smaller
            return ("repeat", node.count, node.index, *map(shape_of, ends))
        case _:
            return (type(node), *_own(node), *map(shape_of, node.children()))


def _own(node: Any) -> Iterator[object]:
    """Yield what a node's own fields, and those of its parts, have in common with others."""
    kind: Any = type(node)
    own, inner, deferrable = _fields_of(kind)
    for name in own:
        value = getattr(node, name)
        yield _names(value) if isinstance(value, dict) else value
    for name in inner:
        value = getattr(node, name)
        if isinstance(value, tuple):
            for part in value:
                if isinstance(part, (Branch, GraphStep)):
                    yield tuple(_own(part))
        else:
            yield value is None  # without a child a node has another shape
    for name in deferrable:
        value = getattr(node, name)
        yield value.text if isinstance(value, Deferred) else _names(value)


@lru_cache(maxsize=64)
def _fields_of(kind: Any) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the fields of a class: its own, those of children, those of values."""
    others = (*kind.inner, *kind.deferrable, "path", "location")
    own = tuple(each.name for each in fields(kind) if each.name not in others)
    return own, kind.inner, kind.deferrable


def _names(value: Any) -> tuple[str, ...] | None:
    return tuple(value) if isinstance(value, dict) else None
