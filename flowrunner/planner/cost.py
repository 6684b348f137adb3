"""What a plan's messages cost: how many there are, and how many bytes a broker receives.

Celery sends with every task whatever comes after it: the rest of its chain, and the body of
each chord that it is a member of. This follows every message of a run, as Celery 5.7 fills it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from flowrunner.plan import Call, Cost, Fork, Item, Sequence, parts_of
from flowrunner.planner.message_size import (
    CHAIN,
    CHORD,
    NULL,
    RESULT,
    SEPARATOR,
    UUID,
    Given,
    call_size,
    message_size,
    options_size,
    results,
    wrapped,
)

__all__ = ["Costing"]

_EMPTY: Final = len("[]")
#: What a worker adds to each call and to each header when it readies what waits in a member.
_CALL_ROOT: Final = options_size(root_id=UUID)
_HEADER_ROOT: Final = len(f'"{UUID}"') - NULL


class _Waiting(Struct, frozen=True):
    """An item that waits in the message of what comes before it: its size, in bytes.

    ``growth`` comes on top when a worker has readied it.
    """

    size: int
    growth: int


class _Member(Struct, frozen=True):
    """The place of a sequence in a header: its number there, and the size of the body."""

    index: int
    body: int

    @property
    def size(self) -> int:
        """What it adds to the member's last call where that waits in a chain."""
        number = options_size(group_index=self.index)
        return number + options_size(group_id=UUID, chord=0) - len("0") + self.body


class _Publisher(Struct, frozen=True):
    """Who publishes: the producer, or a worker on behalf of a task.

    ``names_root`` says that it gives what it publishes the id of the run's first task: Celery
    does for what comes next in a chain, a continuation leaves it to each message.
    """

    in_worker: bool = False
    names_root: bool = False


_CONTINUATION: Final = _Publisher(in_worker=True)
_CHAIN_STEP: Final = _Publisher(in_worker=True, names_root=True)


class Costing:
    """Tells sizes in bytes; what it has measured once it remembers."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Item, _Waiting]] = {}

    def cost(self, sequence: Sequence) -> Cost:
        """Return what a run of a normal form costs."""
        messages = list(self._messages(sequence, None, None, _Publisher()))
        return Cost(len(messages), sum(messages), max(messages))

    def waiting_size(self, item: Item) -> int:
        """Return the size of an item where it waits in the message of what comes before it."""
        return self._waiting_item(item).size

    def _waiting_item(self, item: Item) -> _Waiting:
        known = self._waiting.get(id(item))
        if known is None:
            # With the item: as long as it is kept, no other one has its id.
            known = self._waiting[id(item)] = (item, self._measured(item))
        return known[1]

    def _measured(self, item: Item) -> _Waiting:
        if isinstance(item, Call):
            return _Waiting(call_size(item), _CALL_ROOT)
        size, growth = CHORD + call_size(item.join) - SEPARATOR, _CALL_ROOT + _HEADER_ROOT
        for index, member in enumerate(item.members):
            part = next(parts_of(member))
            inner = [self._waiting_item(each) for each in part]
            size += options_size(group_index=index) + sum(each.size + SEPARATOR for each in inner)
            growth += sum(each.growth for each in inner)
            if len(part) > 1:
                size += CHAIN
        return _Waiting(size, growth)

    def _messages(
        self,
        sequence: Sequence,
        given: Given | None,
        member: _Member | None,
        publisher: _Publisher,
    ) -> Iterator[int]:
        for part in parts_of(sequence):
            starts_member = member is not None and publisher is not _CONTINUATION
            chains = self._chains(part, member, publisher)
            for position, (item, chain) in enumerate(zip(part, chains, strict=True)):
                if isinstance(item, Fork):
                    yield from self._fork_messages(
                        item, given, chain, publisher, starts_member=starts_member
                    )
                    given = _after(item.join, results(len(item.members)))
                else:
                    own = member if position == len(part) - 1 else None
                    yield _call_message(item, given, chain, own, publisher)
                    given = _after(item, given)
                publisher, starts_member = _CHAIN_STEP, False
            publisher = _CONTINUATION

    def _chains(self, part: Sequence, member: _Member | None, publisher: _Publisher) -> list[int]:
        """Return for each item the size of the chain that its message carries."""
        if len(part) == 1:
            return [NULL]
        sizes = [_EMPTY]
        for item in reversed(part[1:]):
            waiting = self._waiting_item(item)
            size = waiting.size + (waiting.growth if publisher.names_root else 0)
            if len(sizes) > 1:
                size += SEPARATOR
            elif member is not None:
                size += member.size
            sizes.append(sizes[-1] + size)
        return sizes[::-1]

    def _fork_messages(
        self,
        fork: Fork,
        given: Given | None,
        chain: int,
        publisher: _Publisher,
        *,
        starts_member: bool,
    ) -> Iterator[int]:
        body = call_size(fork.join) + options_size(group_id=UUID)
        if chain != NULL:
            body += options_size(chain=0) - len("0") + chain
        if starts_member:
            body += options_size(add_to_parent=False)
        if publisher.names_root:
            body += options_size(root_id=UUID, priority=None)
        for index, sequence in enumerate(fork.members):
            yield from self._messages(sequence, given, _Member(index, body), publisher)
        yield message_size(
            fork.join, results(len(fork.members)), chain=chain, in_group=True, in_worker=True
        )


def _call_message(
    call: Call, given: Given | None, chain: int, member: _Member | None, publisher: _Publisher
) -> int:
    if member is None:
        return message_size(call, given, chain=chain, in_worker=publisher.in_worker)
    return message_size(
        call,
        given,
        chain=chain,
        chord=member.body,
        in_group=True,
        group_index=member.index,
        in_worker=publisher.in_worker,
    )


def _after(call: Call, given: Given | None) -> Given | None:
    """Return what a call gives, as far as that is known before it is run."""
    if call.kind == "continuation":
        return given
    if call.kind in ("map", "starmap"):
        return results(len(call.args))
    if call.kind == "builtin" and not call.immutable and given is not None:
        return given if "index" in call.kwargs else wrapped(given)
    return RESULT
