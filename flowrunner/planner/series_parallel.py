"""Steps that need each other as steps one after the other and side by side, where that is exact.

Exact means that every step is given what the graph gives it: the graph's input, the value of the
one step that it needs, or the list of the values of those that it needs; and that every step runs
once and waits for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Final, TypeAlias

from msgspec import Struct

__all__ = ["MOST_NESTED", "SideBySide", "in_order", "series_parallel"]

#: How deep groups may stand in groups: what is deeper stays a graph.
MOST_NESTED: Final = 16

#: What each step needs, in the order written, by name.
Needs: TypeAlias = Mapping[str, tuple[str, ...]]
#: Steps, by name, and groups of them, one after the other; none pass their input on.
Series: TypeAlias = "tuple[str | SideBySide, ...]"


class SideBySide(Struct, frozen=True):
    """Members side by side whose values, as a list, are what the step ``needed_by`` needs."""

    needed_by: str
    members: tuple[Series, ...]


def series_parallel(needs: Needs, result: str) -> Series | None:
    """Return steps that need each other as a tree whose value is that of ``result``.

    ``None`` where no tree has the graph's flow of data. Every step is needed, directly or not, by
    ``result``, and there is no cycle.
    """
    try:
        return _Tree(needs).series(result, None, 0)
    except _NoTreeError:
        return None


def in_order(needs: Needs) -> list[str]:
    """Return the steps, each after those that it needs, without those behind a circle or in it."""
    waiting = {name: len(needed) for name, needed in needs.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, needed in needs.items():
        for each in needed:
            needed_by[each].append(name)
    order = [name for name, count in waiting.items() if not count]
    for name in order:  # grows
        for each in needed_by[name]:
            waiting[each] -= 1
            if not waiting[each]:
                order.append(each)
    return order


class _NoTreeError(Exception):
    """The flow of data is that of no tree."""


class _Tree:
    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._gates = _Gates(needs, in_order(needs))

    def series(self, step: str, source: str | None, depth: int) -> Series:
        """Return what leads to ``step`` from ``source``, through which everything before it goes.

        A source of ``None`` is the graph's input.
        """
        if depth > MOST_NESTED:
            raise _NoTreeError
        items: list[str | SideBySide] = []  # from the end
        at: str | None = step
        while at is not None and at != source:
            items.append(at)
            needed = self._needs[at]
            gate = self._gates.common(needed)
            if len(needed) > 1:
                self._require_apart(needed, gate)
                members = tuple(self.series(each, gate, depth + 1) for each in needed)
                items.append(SideBySide(at, members))
            at = gate
        return tuple(reversed(items))

    def _require_apart(self, needed: tuple[str, ...], gate: str | None) -> None:
        """Raise where a step after ``gate`` leads to more than one of these."""
        leads_to: dict[str, str] = {}
        for each in needed:
            waiting = [each]
            while waiting:
                name = waiting.pop()
                if name == gate:
                    continue
                known = leads_to.get(name)
                if known is None:
                    leads_to[name] = each
                    waiting += self._needs[name]
                elif known != each:
                    raise _NoTreeError


class _Gates:
    """The last step, or the graph's input (``None``), through which all that leads to steps goes.

    Such a step is the dominator of a flow graph (Cooper, Harvey and Kennedy, *A simple, fast
    dominance algorithm*, 2001), which one pass finds where there is no cycle. Gates of gates are
    found by jumps over many of them (Myers, *An applicative random-access stack*, 1983).
    """

    def __init__(self, needs: Needs, order: list[str]) -> None:
        self._gate: dict[str | None, str | None] = {None: None}
        self._jump: dict[str | None, str | None] = {None: None}
        self._depth: dict[str | None, int] = {None: 0}
        for name in order:
            gate = self.common(needs[name])
            self._gate[name] = gate
            self._depth[name] = self._depth[gate] + 1
            jump = self._jump[gate]
            far = self._jump[jump]
            is_even = self._depth[gate] - self._depth[jump] == self._depth[jump] - self._depth[far]
            self._jump[name] = far if is_even else gate

    def common(self, names: tuple[str, ...]) -> str | None:
        """Return the nearest gate of all these, each of which may be it itself."""
        gates: Iterator[str | None] = iter(names)
        return reduce(self._common, gates) if names else None

    def _common(self, one: str | None, other: str | None) -> str | None:
        if self._depth[one] < self._depth[other]:
            one, other = other, one
        while self._depth[one] > self._depth[other]:
            jump = self._jump[one]
            one = jump if self._depth[jump] >= self._depth[other] else self._gate[one]
        while one != other:
            if self._jump[one] != self._jump[other]:
                one, other = self._jump[one], self._jump[other]
            else:
                one, other = self._gate[one], self._gate[other]
        return one
