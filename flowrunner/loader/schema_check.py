"""A document against ``schemas/workflow.schema.json``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowrunner.errors import Diagnostic
from flowrunner.node import Mapping, Node, Scalar, Sequence

__all__ = ["check_document"]

#: More are not looked for: a file that is wrong all over is told so soon.
MOST_ERRORS: Final = 200


def check_document(root: Mapping) -> tuple[list[Diagnostic], frozenset[int]]:
    """Return what is wrong with a document, and the ids of the nodes that lead to a problem."""
    # Imported here, as jsonschema takes a tenth of the time that a command needs to start.
    from flowrunner.loader.validator import find_problems

    problems, are_all = find_problems(root, MOST_ERRORS)
    if not problems:
        return [], frozenset()
    from flowrunner.loader.schema_words import explain_problem

    said = {each: None for problem in problems for each in explain_problem(problem)}
    if not are_all:
        return list(said), frozenset(_every_node(root))
    return list(said), frozenset(
        id(place.node) for problem in problems for place in problem.place.path()
    )


def _every_node(node: Node) -> Iterator[int]:
    yield id(node)
    if isinstance(node, Scalar):
        return
    inner = node.items if isinstance(node, Sequence) else (value for _, value in node.entries)
    for each in inner:
        yield from _every_node(each)
