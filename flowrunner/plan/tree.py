"""Walking a plan's tree."""

from __future__ import annotations

from collections.abc import Iterator

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

__all__ = ["calls_in", "inner_nodes"]


def calls_in(node: Node | Repeat, *, certain: bool = False) -> Iterator[Call]:
    """Yield the calls of a tree that the author wrote, in the order of the file.

    Those that run time may or may not make are templates; ``certain`` leaves them out.
    """
    waiting: list[Node | Repeat] = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call):
            yield node
        elif isinstance(node, Repeat):
            yield from node.calls()
        else:
            waiting += reversed(list(inner_nodes(node, certain=certain)))


def inner_nodes(node: Node, *, certain: bool = False) -> Iterator[Node | Repeat]:
    """Yield what stands in a node; ``certain`` leaves out what run time may or may not run."""
    match node:
        case Chain():
            yield from node.steps
        case Group():
            yield from node.members
        case Chord():
            yield node.header
            yield node.body
        case Each():
            if not certain:
                yield node.do
        case Switch():
            if not certain:
                yield from (branch.step for branch in node.branches)
                if node.otherwise is not None:
                    yield node.otherwise
        case Rescue():
            yield node.step
            if not certain:
                yield node.handler
        case Named() | Given() | Used():
            yield node.step
        case Graph():
            yield from (each.step for each in node.steps)
        case Call() | Constant() | Skipped() | Failing():
            return
