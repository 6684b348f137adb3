"""The cost of a plan: how many messages a broker receives, and how many bytes.

Celery sends with every task all that comes after it: the rest of its chain, and the body of
each chord that it is a member of. The cost follows every message of a run. Messages are exact;
bytes are within 10 % if results are small, as each result counts as ``null``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowrunner.message_format import (
    CHAIN_SIZE,
    CHORD_BODY_SIZE,
    CHORD_SIZE,
    LAST_OF_MEMBER_SIZE,
    MEMBER_SIZE,
    ROOT_ID_SIZE,
)
from flowrunner.plan import (
    Call,
    Cost,
    Each,
    Fork,
    Item,
    Node,
    Repeat,
    Sequence,
    Switch,
    inner_nodes,
    parts_of,
)
from flowrunner.planner.message_size import NULL, CallSize, size_of_results

__all__ = ["Costing", "cost_of_calls", "minimum_cost"]


class Costing:
    """Computes costs in bytes and remembers the size of each call."""

    def __init__(self) -> None:
        # With each size its object: no other object has its id as long as it is kept.
        self._calls: dict[int, tuple[Call, CallSize]] = {}
        self._chords: dict[tuple[int, bool], tuple[Fork, int]] = {}

    def cost(self, sequence: Sequence) -> Cost:
        """Return the cost of a normal form."""
        return _total(self._messages(sequence, None, 0, by_worker=False))

    def waiting_size(self, item: Item, *, by_worker: bool = False) -> int:
        """Return the size of an item in the chain of a message.

        ``by_worker`` says that a worker publishes the chord that the item is in.
        """
        if isinstance(item, Call):
            return self._call_size(item).signature + (ROOT_ID_SIZE if by_worker else 0)
        key = id(item), by_worker
        if key not in self._chords:
            self._chords[key] = item, self._chord_size(item, by_worker)
        return self._chords[key][1]

    def _chord_size(self, fork: Fork, by_worker: bool) -> int:
        size = CHORD_SIZE + (ROOT_ID_SIZE if by_worker else 0)
        size += self.waiting_size(fork.join, by_worker=by_worker)
        for member in fork.members:
            part = next(parts_of(member))
            size += MEMBER_SIZE + (CHAIN_SIZE if len(part) > 1 else 0)
            size += sum(self.waiting_size(item, by_worker=by_worker) for item in part)
        return size

    def _call_size(self, call: Call) -> CallSize:
        if id(call) not in self._calls:
            self._calls[id(call)] = call, CallSize.of(call)
        return self._calls[id(call)][1]

    def _messages(
        self, sequence: Sequence, result: int | None, body: int, *, by_worker: bool
    ) -> Iterator[int]:
        """Yield the size of each message. ``body`` is that of the chord, in a member."""
        for part in parts_of(sequence):
            for item, carried in zip(part, self._carried(part, body, by_worker), strict=True):
                call = item.join if isinstance(item, Fork) else item
                if isinstance(item, Fork):
                    own_body = (
                        CHORD_BODY_SIZE + carried + self.waiting_size(call, by_worker=by_worker)
                    )
                    for member in item.members:
                        yield from self._messages(member, result, own_body, by_worker=by_worker)
                    result, by_worker = size_of_results(len(item.members)), True
                yield self._call_size(call).message(result, carried, by_worker=by_worker)
                result, by_worker = _result_size(call, result), True
            by_worker = False  # a continuation publishes like the driver

    def _carried(self, part: Sequence, body: int, by_worker: bool) -> list[int]:
        """Return for each item the size of the chain and the chord that its message carries."""
        sizes, more = [body], LAST_OF_MEMBER_SIZE if body else 0
        for item in reversed(part[1:]):
            sizes.append(sizes[-1] + self.waiting_size(item, by_worker=by_worker) + more)
            more = 0
        return sizes[::-1]


def minimum_cost(root: Node) -> Cost:
    """Return the minimum cost of a dynamic plan: that of its calls, each queued alone.

    A fan-out over a result counts with one member, a switch with the branch of the fewest calls
    (none, if its input may pass through); a step's ``on_error`` does not count.
    """
    return cost_of_calls(_fewest_calls(root))


def cost_of_calls(calls: Iterable[Call]) -> Cost:
    """Return the cost of calls that are queued alone."""
    return _total(CallSize.of(call).message(None, 0, by_worker=False) for call in calls)


def _total(messages: Iterable[int]) -> Cost:
    sizes = list(messages)
    return Cost(len(sizes), sum(sizes), max(sizes, default=0))


def _fewest_calls(node: Node | Repeat) -> Iterator[Call]:
    match node:
        case Call():
            yield node
        case Repeat():
            yield from node.calls()
        case Each():
            yield from _fewest_calls(node.do)
        case Switch():
            if node.otherwise is not None:
                steps = (node.otherwise, *(branch.step for branch in node.branches))
                yield from min((list(_fewest_calls(step)) for step in steps), key=len)
        case _:  # the node says which children certainly run
            for inner in inner_nodes(node, certain=True):
                yield from _fewest_calls(inner)


def _result_size(call: Call, previous: int | None) -> int | None:
    """Return the size of what a call returns, as far as the plan tells it."""
    if call.kind == "continuation":
        return previous
    if call.kind in ("map", "starmap"):
        return size_of_results(len(call.args))
    if call.kind == "builtin" and not call.immutable and previous is not None:
        return previous + (0 if "index" in call.kwargs else len("[]"))
    return NULL
