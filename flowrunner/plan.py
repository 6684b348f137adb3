"""A plan: a workflow with every name resolved, every call checked and every value known.

A plan knows no Celery. It has two forms. ``root`` keeps the nesting of the file and is what
people see and what :mod:`flowrunner.semantics` gives a value to. ``sequence`` is the normal
form that engines run (DESIGN section 3, *The normal form*): its steps are calls, or forks
whose members are such sequences and whose join is one call. The document's ``on_error`` and
``finally`` are handlers: each has the same two forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from flowrunner.model import HandlerName
from flowrunner.source import Location, Source

__all__ = [
    "Call",
    "Chain",
    "Chord",
    "Cost",
    "Fork",
    "Group",
    "Handler",
    "Item",
    "Node",
    "Plan",
    "Repeat",
    "Sequence",
    "calls_of",
    "parts_of",
    "without_continuations",
]

CallKind: TypeAlias = Literal["task", "map", "starmap", "builtin", "continuation"]


@dataclass(frozen=True, slots=True)
class Call:
    """One message: a call of ``task``.

    ``path`` names the call within its plan and is unique there. The previous result comes
    before ``args`` unless the call is ``immutable``. For the kinds ``map`` and ``starmap``
    ``args`` are the items. ``builtin`` calls are Celery's own ``celery.accumulate``, added by
    the normal form. A ``continuation`` passes on what it is given and publishes what comes
    after it. ``index`` is the member's number in a fan-out.
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

    @property
    def is_written(self) -> bool:
        """Whether the workflow's author wrote it; the planner adds others."""
        return self.kind not in ("builtin", "continuation")


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


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run puts on a broker when nothing is retried: messages and bytes.

    As a Redis broker receives them, without what the tasks return. ``largest`` is the size of
    the largest message.
    """

    messages: int
    bytes: int
    largest: int


@dataclass(frozen=True, slots=True)
class Handler:
    """A step of the document that runs once after its main part, given how that has ended.

    Its costs are those without what it is given.
    """

    name: HandlerName
    root: Node
    sequence: Sequence
    cost: Cost
    one_canvas: Cost

    @property
    def task_count(self) -> int:
        """The number of calls that the workflow's author wrote."""
        return sum(call.is_written for call in calls_of(self.sequence))

    @property
    def continuations(self) -> int:
        """How many continuations it has."""
        return sum(call.kind == "continuation" for call in calls_of(self.sequence))


@dataclass(frozen=True)
class Plan:
    """A workflow that is ready to run.

    ``root`` and ``sequence`` are its main part; ``handlers`` follow in the order in which they
    run. ``cost`` is what the main part puts on the broker, ``one_canvas`` what it would without
    continuations. ``inputs`` are the values that it was planned with; ``timeout`` is in seconds.
    ``part`` names the handler that was made a plan of its own.
    """

    name: str
    source: Source
    root: Node
    sequence: Sequence
    cost: Cost
    one_canvas: Cost
    description: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    handlers: tuple[Handler, ...] = ()
    part: HandlerName | None = None

    def calls(self) -> Iterator[Call]:
        """Yield every call of the main part's normal form, in the order of the file."""
        return calls_of(self.sequence)

    def every_call(self) -> Iterator[Call]:
        """Yield every call of the main part and of the handlers."""
        yield from self.calls()
        for handler in self.handlers:
            yield from calls_of(handler.sequence)

    @property
    def task_count(self) -> int:
        """The number of the main part's calls that the workflow's author wrote."""
        return sum(call.is_written for call in self.calls())

    @property
    def continuations(self) -> int:
        """How many continuations it has; without any, plain Celery workers run it."""
        return sum(call.kind == "continuation" for call in self.calls())


def calls_of(sequence: Sequence) -> Iterator[Call]:
    """Yield every call of a sequence; a fork's members come before its join."""
    for item in sequence:
        if isinstance(item, Fork):
            for member in item.members:
                yield from calls_of(member)
            yield item.join
        else:
            yield item


def without_continuations(sequence: Sequence) -> Sequence:
    """Return the same sequence as one part, however much that costs."""
    return tuple(
        Fork(tuple(map(without_continuations, item.members)), item.join)
        if isinstance(item, Fork)
        else item
        for item in sequence
        if isinstance(item, Fork) or item.kind != "continuation"
    )


def parts_of(sequence: Sequence) -> Iterator[Sequence]:
    """Yield a sequence's parts: each but the last ends with a continuation."""
    start = 0
    for position, item in enumerate(sequence, 1):
        if isinstance(item, Call) and item.kind == "continuation":
            yield sequence[start:position]
            start = position
    yield sequence[start:]
