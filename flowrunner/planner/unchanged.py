"""What of a plan that unfolds is the same in a later version of its file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, TypeAlias

from flowrunner import plan

__all__ = ["unchanged_paths"]

_Tree: TypeAlias = plan.Node | plan.Repeat

#: Where a path may end so that what stands before it is the path of a step around it.
_BOUNDARY: Final = re.compile(r"[.\[:]")


def unchanged_paths(before: plan.Plan, after: plan.Plan) -> Callable[[str], bool]:
    """Return what tells whether a call, by its path, is the same in both, with all before it."""
    nodes = frozenset(_unchanged(before.root, after.root))

    def is_unchanged(path: str) -> bool:
        # The path of a whole file's step with its outputs is empty.
        ends = (0, *(match.start() for match in _BOUNDARY.finditer(path)), len(path))
        return any(path[:end] in nodes for end in ends)

    return is_unchanged


def _unchanged(old: _Tree, new: _Tree) -> Iterator[str]:
    if old == new:
        yield new.path
        return
    if type(old) is not type(new):
        return
    match plan.reuse_of(new):
        case plan.Reuse.BEFORE_THE_CHANGE:
            for one, other in _pairs(old, new):
                yield from _unchanged(one, other)
                if one != other:
                    return
        case plan.Reuse.OF_EACH_CHILD:
            for one, other in _pairs(old, new):
                yield from _unchanged(one, other)
        case plan.Reuse.OF_THE_FIRST_CHILD:
            for one, other in islice(_pairs(old, new), 1):
                yield from _unchanged(one, other)
        case plan.Reuse.NOTHING:
            return


def _pairs(old: _Tree, new: _Tree) -> Iterator[tuple[_Tree, _Tree]]:
    if isinstance(old, plan.Repeat) and isinstance(new, plan.Repeat):
        return zip(old.calls(), new.calls(), strict=False)
    return zip(old.children(), new.children(), strict=False)
