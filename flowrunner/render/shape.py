"""What nodes have to have in common to be shown as one: all but their places and values."""

from __future__ import annotations

from flowrunner.plan import (
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

__all__ = ["Shape", "shape_of"]

Shape = tuple[object, ...]


def shape_of(node: Node | Repeat) -> Shape:
    """Return a node's shape."""
    match node:
        case Call():
            arguments = (len(node.args), *node.kwargs)
            options = tuple(node.options)
            kind = (node.kind, node.task, node.immutable, node.id, node.retry)
            return (*kind, arguments, options)
        case Repeat():
            ends = node.ends()  # the last batch of chunks may be smaller
            return ("repeat", node.count, node.index, *map(shape_of, ends))
        case Chain():
            return ("chain", *map(shape_of, node.steps))
        case Group():
            limits = (node.batched, node.max_parallel, node.tolerate)
            return ("group", *limits, *map(shape_of, node.members))
        case Chord():
            return ("chord", shape_of(node.header), shape_of(node.body))
        case _:
            return _shape_of_late(node)


def _shape_of_late(
    node: Each | Switch | Skipped | Rescue | Named | Given | Constant | Used | Graph | Failing,
) -> Shape:
    match node:
        case Each():
            items = getattr(node.items, "text", None)
            limits = (node.variable, node.max_parallel, node.tolerate)
            return ("each", *limits, items, shape_of(node.do))
        case Switch():
            branches = ((branch.when.text, shape_of(branch.step)) for branch in node.branches)
            last = None if node.otherwise is None else shape_of(node.otherwise)
            return ("switch", node.written, *branches, last)
        case Skipped():
            return ("skipped", node.why, shape_of(node.step))
        case Rescue():
            return ("rescue", shape_of(node.step), shape_of(node.handler))
        case Named():
            return ("named", node.name, shape_of(node.step))
        case Given():
            return ("given", node.variable, shape_of(node.step))
        case Constant():
            names = tuple(node.value) if isinstance(node.value, dict) else None
            return ("constant", names)
        case Used():
            return ("used", tuple(node.inputs), shape_of(node.step))
        case Graph():
            steps = ((step.name, step.needs, shape_of(step.step)) for step in node.steps)
            return ("graph", *steps)
        case Failing():
            return ("failing", node.step)
