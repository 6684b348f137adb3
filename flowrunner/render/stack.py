"""What stands side by side in a plan and looks alike is shown once: a stack.

A stack holds nodes of one *shape*: the same steps in the same places with the same options,
whose values alone may differ. The steps of stacked chains are stacks again, so a renderer
walks a stack just as it would walk one node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias, TypeVar

from msgspec import Struct

from flowrunner.plan import Chain, Given, Group, Node, Repeat
from flowrunner.render.shape import shape_of

__all__ = ["More", "Stack", "abridged", "is_each", "members_of", "steps_of"]

#: Fewer steps of one shape than this are shown one by one.
SMALLEST_STACK = 5

#: A longer list of siblings is abridged to this many.
MOST_SIBLINGS = 20

_Member: TypeAlias = Node | Repeat
_Entry = TypeVar("_Entry")


class Stack(Struct, frozen=True):
    """Nodes of one shape. ``count`` of them stand side by side; ``None`` for a lone step.

    There are more nodes than ``count`` when the parent is a stack itself: ``count`` for each
    of its nodes. ``index`` names the loop variable where the nodes are calls of one fan-out.
    """

    nodes: tuple[Node, ...]
    count: int | None = None
    index: str = ""

    @property
    def multiplier(self) -> str:
        """The count as people read it, ``" ×10"``, or nothing for a lone step."""
        return "" if self.count is None else f" ×{self.count:,}"

    def of(self, nodes: Iterable[Node]) -> Stack:
        """Return a stack of so many of what stands in its nodes."""
        return Stack(tuple(nodes), self.count, self.index)


class More(Struct, frozen=True):
    """Siblings that are left out to keep a list short."""

    count: int

    def __str__(self) -> str:
        return f"… {self.count:,} more"


def is_each(group: Group) -> bool:
    """Tell whether a group was written as an ``each``."""
    return bool(group.members) and all(isinstance(member, Given) for member in group.members)


def members_of(groups: Sequence[Group], *, expand: bool) -> list[Stack]:
    """Return the members of groups that have one shape, stacked unless ``expand``."""
    if expand:
        return [Stack((node,)) for group in groups for node in group.flat()]
    alone = len(groups[0].members) == 1
    return [
        _stack(
            [member for group in groups for member in group.members[start:end]],
            end - start,
            counts_one=alone,
        )
        for start, end in _runs(groups[0].members)
    ]


def steps_of(chains: Sequence[Chain]) -> list[Stack]:
    """Return the steps of chains that have one shape, each step a stack."""
    return [Stack(steps) for steps in zip(*(chain.steps for chain in chains), strict=True)]


def abridged(
    entries: Sequence[_Entry], *, expand: bool, size: Callable[[_Entry], int] = lambda entry: 1
) -> list[_Entry | More]:
    """Return the entries, those before the last left out where there are too many.

    ``size`` says how many siblings an entry stands for.
    """
    if expand or len(entries) <= MOST_SIBLINGS:
        return list(entries)
    shown = MOST_SIBLINGS - 2
    return [*entries[:shown], More(sum(map(size, entries[shown:-1]))), entries[-1]]


def _stack(members: Sequence[_Member], side_by_side: int, *, counts_one: bool) -> Stack:
    first = members[0]
    if isinstance(first, Repeat):
        calls = (call for each in members if isinstance(each, Repeat) for call in each.calls())
        return Stack(tuple(calls), first.count, first.index)
    nodes = tuple(each for each in members if not isinstance(each, Repeat))
    is_one = side_by_side == 1 and not (counts_one and isinstance(first, Given))
    return Stack(nodes, None if is_one else side_by_side)


def _runs(members: Sequence[_Member]) -> Iterator[tuple[int, int]]:
    """Yield where to cut a group: a long run of one shape stays whole, the rest stands alone."""
    end = 0
    for _, run in groupby(members, _run_key):
        start, end = end, end + sum(1 for _ in run)
        is_long = end - start >= SMALLEST_STACK or isinstance(members[start], Given)
        step = end - start if is_long else 1
        yield from ((position, position + step) for position in range(start, end, step))


def _run_key(member: _Member) -> object:
    # Fan-outs never join a run: each has a range of its own.
    return id(member) if isinstance(member, Repeat) else shape_of(member)
