"""A document against ``schemas/workflow.schema.json``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowrunner.errors import Diagnostic
from flowrunner.loader.validator import workflow_validator
from flowrunner.node import Mapping, Node, Scalar, Sequence, node_at, plain

__all__ = ["check_document"]

#: More are not looked for: a file that is wrong all over is told so soon.
MOST_ERRORS: Final = 200


def check_document(root: Mapping) -> tuple[list[Diagnostic], frozenset[int]]:
    """Return what is wrong with a document, and the ids of the nodes that lead to a problem."""
    diagnostics: dict[Diagnostic, None] = {}
    tainted: set[int] = set()
    for number, error in enumerate(workflow_validator().iter_errors(plain(root))):
        if number == MOST_ERRORS:
            return list(diagnostics), frozenset(_every_node(root))
        from flowrunner.loader.schema_words import explain_error

        path = list(error.absolute_path)
        tainted.update(id(node_at(root, path[:length])) for length in range(len(path) + 1))
        diagnostics.update(dict.fromkeys(explain_error(root, error)))
    return list(diagnostics), frozenset(tainted)


def _every_node(node: Node) -> Iterator[int]:
    yield id(node)
    if isinstance(node, Scalar):
        return
    inner = node.items if isinstance(node, Sequence) else (value for _, value in node.entries)
    for each in inner:
        yield from _every_node(each)
