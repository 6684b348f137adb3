"""What of a plan that unfolds is the same in a later version of its file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Final

from flowrunner import plan

__all__ = ["unchanged_paths"]

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


def _unchanged(old: plan.Node | plan.Repeat, new: plan.Node | plan.Repeat) -> Iterator[str]:
    if old == new:
        yield new.path
        return
    match old, new:
        case plan.Chain(), plan.Chain():
            for pair in zip(old.steps, new.steps, strict=False):
                yield from _unchanged(*pair)
                if pair[0] != pair[1]:
                    return
        case plan.Group(), plan.Group():
            for one, other in zip_longest(old.members, new.members):
                if one is not None and other is not None:
                    yield from _unchanged(one, other)
        case plan.Repeat(), plan.Repeat():
            for call, other in zip(old.calls(), new.calls(), strict=False):
                if call == other:
                    yield call.path
        case plan.Chord(), plan.Chord():
            yield from _unchanged(old.header, new.header)
            if old.header == new.header:
                yield from _unchanged(old.body, new.body)
        case plan.Rescue(), plan.Rescue():
            yield from _unchanged(old.step, new.step)
        case plan.Named(), plan.Named():
            yield from _unchanged(old.step, new.step)
        case _:
            return
