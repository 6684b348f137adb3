"""Leaving out the names of steps that no expression uses: what nobody asks for costs nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from flowrunner import plan

__all__ = ["without_unused_names"]

_Node = TypeVar("_Node", plan.Node, plan.Node | plan.Repeat)


def without_unused_names(node: _Node, used: Collection[str]) -> _Node:
    """Return the tree without the names of steps whose paths are not used."""
    node = node.replaced(without_unused_names(each, used) for each in node.children())
    return node.step if isinstance(node, plan.Named) and node.path not in used else node
