"""What of a plan that unfolds is the same in a later version of its file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, TypeAlias, assert_never

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
    match new:
        case plan.Chain() | plan.Chord():
            for one, other in _pairs(old, new):
                yield from _unchanged(one, other)
                if one != other:
                    return  # what follows gets another input
        case plan.Group():
            for one, other in _pairs(old, new):
                yield from _unchanged(one, other)
        case plan.Repeat():
            assert isinstance(old, plan.Repeat)  # noqa: S101
            for call, other_call in zip(old.calls(), new.calls(), strict=False):
                if call == other_call:
                    yield call.path
        case plan.Rescue() | plan.Named():
            for one, other in islice(_pairs(old, new), 1):  # not the handler
                yield from _unchanged(one, other)
        case (
            plan.Call()
            | plan.Each()
            | plan.Switch()
            | plan.Skipped()
            | plan.Given()
            | plan.Constant()
            | plan.Used()
            | plan.Graph()
            | plan.Failing()
        ):
            return
        case _:
            assert_never(new)


def _pairs(old: _Tree, new: _Tree) -> Iterator[tuple[_Tree, _Tree]]:
    return zip(old.children(), new.children(), strict=False)
