"""Which line of a plan's tree a call belongs to, also one that comes into being at run time.

Such a call's path has numbers where that of its template has ``[*]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from flowrunner.plan import Call, Group, Node, has_own_expression
from flowrunner.render.tree import TreeLine

__all__ = ["LineIndex"]

_NUMBER: Final = re.compile(r"\[(?:\d+|\*)\]")
_ANY: Final = "[*]"


class LineIndex:
    """Finds the line of a call by its path.

    ``planned`` are, line by line, the paths of the calls that a run has whatever run time says of
    their number; ``is_counted`` says whether a line stands for calls at all, not only for what is
    beneath it.
    """

    def __init__(self, lines: Sequence[TreeLine]) -> None:
        paths = [tuple(_paths_of(line)) for line in lines]
        self.planned = [tuple(path for path in each if _ANY not in path) for each in paths]
        self.is_counted = [bool(each) for each in paths]
        self._lines: dict[str, int | None] = {}
        for number, each in enumerate(paths):
            self._lines |= dict.fromkeys(each, number)
        # What fails before its first call is known by the path of its step.
        for number, line in enumerate(lines):
            for node in line.nodes:
                if has_own_expression(node):
                    self._lines.setdefault(node.path, number)
        self._stars = self._places_of_stars()

    def _places_of_stars(self) -> dict[str, set[frozenset[int]]]:
        """Return for the templates' paths, all numbers in them left out, which of these are any."""
        found: dict[str, set[frozenset[int]]] = {}
        for path in self._lines:
            if _ANY in path:
                parts = _NUMBER.findall(path)
                stars = frozenset(place for place, part in enumerate(parts) if part == _ANY)
                found.setdefault(_NUMBER.sub(_ANY, path), set()).add(stars)
        return found

    def line_of(self, path: str) -> int | None:
        """Return the number of the line that a call belongs to, from 0."""
        try:
            return self._lines[path]
        except KeyError:
            found = self._lines[path] = self._line_of_template(path)
            return found

    def _line_of_template(self, path: str) -> int | None:
        for stars in self._stars.get(_NUMBER.sub(_ANY, path), ()):
            found = self._lines.get(_with_stars(path, stars))
            if found is not None:
                return found
        return None


def _with_stars(path: str, stars: frozenset[int]) -> str:
    places = count()
    return _NUMBER.sub(lambda match: _ANY if next(places) in stars else match[0], path)


def _paths_of(line: TreeLine) -> Iterator[str]:
    for node in line.nodes:
        for call in _calls(node):
            yield call.path


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
    elif isinstance(node, Group) and node.batched:
        yield from (call for call in node.flat() if isinstance(call, Call))
