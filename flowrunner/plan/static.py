"""Whether a node is a canvas as it is, or has something that only run time decides."""

from __future__ import annotations

from typing import assert_never

from flowrunner.plan.nodes import (
    Call,
    Chain,
    Chord,
    Constant,
    Each,
    Failing,
    Given,
    Graph,
    Group,
    Named,
    Node,
    Repeat,
    Rescue,
    Skipped,
    Switch,
    Used,
)
from flowrunner.plan.values import is_open

__all__ = ["is_static"]


def is_static(node: Node | Repeat) -> bool:
    """Tell whether Celery can run a node as one canvas, without a driver that looks on."""
    match node:
        case Call():
            return not node.open and node.retry is None
        case Repeat():
            return not node.count or ("retry" not in node.varying and is_static(node.call))
        case Chain() | Chord() | Given():
            return all(map(is_static, node.children()))
        case Group():
            plain = node.max_parallel is None and node.tolerate is None
            return plain and all(map(is_static, node.members))
        case Constant():
            return not is_open(node.value)
        case Skipped():
            return True
        case Each() | Switch() | Rescue() | Named() | Used() | Graph() | Failing():
            return False
        case _:
            assert_never(node)
