"""A document against ``schemas/workflow.schema.json``: jsonschema decides about each value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from flowrunner.loader.schema_part import RIGHT, Answer, document_part
from flowrunner.node import Mapping, Node, Sequence

__all__ = ["Place", "SchemaProblem", "find_problems"]


class Place(NamedTuple):
    """A node and the way to it: ``part`` is a key or a position, or ``None`` for a key itself."""

    outer: Place | None
    part: str | int | None
    node: Node

    def path(self) -> Iterator[Place]:
        """Yield the places from this one to the outermost."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.outer


class SchemaProblem(NamedTuple):
    """What a keyword of the schema finds wrong with a node.

    ``schema`` is the one that holds the keyword. ``title`` and ``instead`` (its ``errorMessage``)
    are the nearest around it; ``missing`` is the key that ``required`` finds missing.
    """

    place: Place
    keyword: str
    schema: dict[str, Any]
    title: str
    instead: str = ""
    missing: str = ""

    @property
    def wanted(self) -> Any:
        """The keyword's value."""
        return self.schema[self.keyword]


def find_problems(root: Node, most: int) -> tuple[list[SchemaProblem], bool]:
    """Return the problems of a document, and whether the list is complete.

    The problems are in the order of the file; the list has ``most`` of them at most.
    """
    problems: list[SchemaProblem] = []
    # A stack, as Python's own does not take steps that are nested deep.
    levels = [iter([(Place(None, None, root), document_part().answer(root))])]
    while levels:
        place, answer = next(levels[-1], (None, RIGHT))
        if place is None:
            levels.pop()
            continue
        problems += [SchemaProblem(place, *fault) for fault in answer.faults]
        if len(problems) > most:
            return problems[:most], False
        if answer.inside:
            levels.append(_inside(place, answer))
    return problems, True


def _inside(place: Place, answer: Answer) -> Iterator[tuple[Place, Answer]]:
    """Yield the places directly inside that have a problem or need a look inside."""
    node = place.node
    if isinstance(node, Sequence):
        for _, _, part in answer.inside:
            for position, item in enumerate(node.items):
                found = part.answer(item)
                if found is not RIGHT:
                    yield Place(place, position, item), found
    elif isinstance(node, Mapping):
        for number, of_key, part in answer.inside:
            key, value = node.entries[number]
            inner = key if of_key else value
            found = part.answer(inner)
            if found is not RIGHT:
                yield Place(place, None if of_key else str(key.value), inner), found
