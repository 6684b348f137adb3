"""Walking a plan's tree."""

from __future__ import annotations

from collections.abc import Iterator

from flowrunner.plan.nodes import Call, Node, Repeat, Skipped

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
            waiting += reversed(inner_nodes(node, certain=certain))


def inner_nodes(node: Node, *, certain: bool = False) -> tuple[Node | Repeat, ...]:
    """Return the children of a node that may run; ``certain`` leaves out those that may not."""
    if isinstance(node, (Call, Skipped)):
        return ()
    return node.children(certain=certain)
