"""Whether a node is a canvas as it is, or has something that only run time decides."""

from __future__ import annotations

from flowrunner.plan.nodes import Call, Chain, Chord, Constant, Given, Group, Node, Repeat, Skipped
from flowrunner.plan.values import is_open

__all__ = ["is_static"]


def is_static(node: Node | Repeat) -> bool:
    """Tell whether Celery can run a node as one canvas, without a driver that looks on."""
    match node:
        case Call():
            return not node.open and node.retry is None
        case Repeat():
            return not node.count or ("retry" not in node.varying and is_static(node.call))
        case Chain():
            return all(map(is_static, node.steps))
        case Group():
            plain = node.max_parallel is None and node.tolerate is None
            return plain and all(map(is_static, node.members))
        case Chord():
            return is_static(node.header) and is_static(node.body)
        case Given():
            return is_static(node.step)
        case Constant():
            return not is_open(node.value)
        case Skipped():
            return True
        case _:
            return False
