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
    if isinstance(node, Repeat):
        ends = node.ends()  # the last batch of chunks may be smaller
        return ("repeat", node.count, node.index, *map(shape_of, ends))
    return (type(node), *_own(node), *map(shape_of, node.children()))


def _own(node: Node) -> Shape:
    """Return what a node has in common with others of its shape, without its children."""
    match node:
        case Call():
            arguments = (len(node.args), *node.kwargs)
            return (
                node.kind,
                node.task,
                node.immutable,
                node.id,
                node.retry,
                arguments,
                tuple(node.options),
            )
        case Group():
            return (node.batched, node.max_parallel, node.tolerate)
        case Each():
            items = getattr(node.items, "text", None)
            return (node.variable, node.max_parallel, node.tolerate, items)
        case Switch():
            conditions = (branch.when.text for branch in node.branches)
            return (node.written, *conditions, node.otherwise is None)
        case Skipped():
            return (node.why,)
        case Named():
            return (node.name,)
        case Given():
            return (node.variable,)
        case Constant():
            return (tuple(node.value) if isinstance(node.value, dict) else None,)
        case Used():
            return tuple(node.inputs)
        case Graph():
            return tuple((step.name, step.needs) for step in node.steps)
        case Failing():
            return (node.step,)
        case Chain() | Chord() | Rescue():
            return ()
