"""A plan: a workflow with every name resolved, every call checked and every value known.

A plan knows no Celery. It has two forms. ``root`` keeps the nesting of the file and is what
people see and what :mod:`flowrunner.semantics` gives a value to. ``sequence`` is the normal
form that engines run (DESIGN section 3, *The normal form*): its steps are calls, or forks
whose members are such sequences and whose join is one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from flowrunner.source import Location, Source

__all__ = ["Call", "Chain", "Chord", "Fork", "Group", "Item", "Node", "Plan", "Repeat", "Sequence"]

CallKind: TypeAlias = Literal["task", "map", "starmap", "builtin"]


@dataclass(frozen=True, slots=True)
class Call:
    """One message: a call of ``task``.

    ``path`` names the call within its plan and is unique there. The previous result comes
    before ``args`` unless the call is ``immutable``. For the kinds ``map`` and ``starmap``
    ``args`` are the items. ``builtin`` calls are Celery's own ``celery.accumulate``, added by
    the normal form. ``index`` is the member's number in a fan-out.
    """

    path: str
    task: str
    location: Location = field(compare=False, repr=False)
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    immutable: bool = False
    kind: CallKind = "task"
    index: int | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Nodes one after the other; each gets the value of the one before."""

    path: str
    steps: tuple[Node, ...]
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Calls of one fan-out (``NAME xN``), members of the group that they stand in."""

    path: str
    calls: tuple[Call, ...]
    index: str
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Members side by side; the value is the list of theirs in the order written.

    ``batched`` marks the batches of a ``chunks`` step.
    """

    path: str
    members: tuple[Node | Repeat, ...]
    location: Location = field(compare=False, repr=False)
    batched: bool = False

    def flat(self) -> Iterator[Node]:
        """Yield the members with each fan-out's calls in its place."""
        for member in self.members:
            if isinstance(member, Repeat):
                yield from member.calls
            else:
                yield member


@dataclass(frozen=True, slots=True)
class Chord:
    """A group, then the body with the list of its values."""

    path: str
    header: Group
    body: Node
    location: Location = field(compare=False, repr=False)


Node: TypeAlias = Call | Chain | Group | Chord


@dataclass(frozen=True, slots=True)
class Fork:
    """Sequences side by side, none of them empty, then one call with the list of their values."""

    members: tuple[Sequence, ...]
    join: Call


Item: TypeAlias = Call | Fork
Sequence: TypeAlias = tuple[Item, ...]


@dataclass(frozen=True)
class Plan:
    """A workflow that is ready to run.

    ``inputs`` are the values that it was planned with; ``timeout`` is in seconds.
    """

    name: str
    source: Source
    root: Node
    sequence: Sequence
    description: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None

    def calls(self) -> Iterator[Call]:
        """Yield every call of the normal form, in the order of the file."""
        return calls_of(self.sequence)

    @property
    def task_count(self) -> int:
        """The number of calls that the workflow's author wrote."""
        return sum(call.kind != "builtin" for call in self.calls())

    @property
    def message_count(self) -> int:
        """The number of messages that a run queues when nothing is retried."""
        return sum(1 for _ in self.calls())


def calls_of(sequence: Sequence) -> Iterator[Call]:
    """Yield every call of a sequence; a fork's members come before its join."""
    for item in sequence:
        if isinstance(item, Fork):
            for member in item.members:
                yield from calls_of(member)
            yield item.join
        else:
            yield item
