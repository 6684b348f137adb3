"""The nodes of a plan's tree, which keeps the nesting of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, Literal, TypeAlias

from flowrunner.plan.policy import Retry, Tolerance
from flowrunner.plan.values import Deferred
from flowrunner.source import Location

__all__ = [
    "Branch",
    "Call",
    "CallKind",
    "Chain",
    "Chord",
    "Constant",
    "Each",
    "Failing",
    "Given",
    "Graph",
    "GraphStep",
    "Group",
    "Named",
    "Node",
    "Repeat",
    "Rescue",
    "Skipped",
    "Switch",
    "Used",
]

CallKind: TypeAlias = Literal["task", "map", "starmap", "builtin", "continuation"]


@dataclass(frozen=True, slots=True)
class Call:
    """One message: a call of ``task``.

    ``path`` names the call within its plan and is unique there. The previous result comes
    before ``args`` unless the call is ``immutable``. For the kinds ``map`` and ``starmap``
    ``args`` are the items. ``builtin`` calls are Celery's own ``celery.accumulate``, added by
    the normal form. A ``continuation`` passes on what it is given and publishes what comes
    after it. ``index`` is the member's number in a fan-out. An ``open`` call has something
    :class:`~flowrunner.plan.Deferred` in its arguments or options. ``tries`` is how often it has
    failed and is to be made again.
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
    retry: Retry | None = None
    open: bool = False
    tries: int = 0

    def as_member(self, path: str) -> Call:
        """Return the same call at another path.

        Spelt out: dataclasses.replace() took half of the time of a wide fan-out.
        """
        return Call(
            path,
            self.task,
            self.location,
            self.args,
            self.kwargs,
            self.options,
            self.immutable,
            self.kind,
            self.index,
            self.id,
            self.retry,
            self.open,
            self.tries,
        )

    def given(self, value: Any) -> Call:
        """Return the same call with a value before its arguments, whatever comes before it."""
        return Call(
            self.path,
            self.task,
            self.location,
            (value, *self.args),
            self.kwargs,
            self.options,
            True,
            self.kind,
            self.index,
            self.id,
            self.retry,
            self.open,
            self.tries,
        )

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
    """Calls of one fan-out (``NAME xN``), members of the group that contains it.

    ``call`` is their template: a member has its number where the template's path has ``*``.
    ``varying`` holds the fields in which members differ (``args``, ``kwargs``, ``options``,
    ``retry``), each with one value for each member. If ``numbered`` is true, the only argument of
    a member is its number. ``index`` names the loop variable.
    """

    path: str
    call: Call
    count: int
    index: str
    location: Location = field(compare=False, repr=False)
    varying: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    numbered: bool = False

    def calls(self) -> Iterator[Call]:
        """Yield the members, each made when it is asked for."""
        call, numbers = self.call, range(self.count)
        args = zip(numbers) if self.numbered else self.values("args")
        others = map(self.values, ("kwargs", "options", "retry"))
        prefix = f"{self.path}["
        for number, own_args, kwargs, options, retry in zip(numbers, args, *others, strict=False):
            yield Call(
                f"{prefix}{number}]",
                call.task,
                call.location,
                own_args,
                kwargs,
                options,
                call.immutable,
                call.kind,
                number,
                call.id,
                retry,
                call.open,
            )

    def values(self, name: str) -> Iterator[Any]:
        """Yield each member's value of a field: one of those that may vary."""
        own = self.varying.get(name)
        return repeat(getattr(self.call, name), self.count) if own is None else iter(own)

    def ends(self) -> tuple[Call, ...]:
        """Return the first member and the last one, if there are any."""
        if self.count < 2:
            return tuple(self.calls())
        last = self.count - 1
        own = {name: values[last] for name, values in self.varying.items()}
        if self.numbered:
            own["args"] = (last,)
        return next(self.calls()), replace(
            self.call, path=f"{self.path}[{last}]", index=last, **own
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Members side by side; the value is the list of theirs in the order written.

    ``batched`` marks the batches of a ``chunks`` step. At most ``max_parallel`` members run at a
    time. Of those that fail, as many as ``tolerate`` allows give ``None``.
    """

    path: str
    members: tuple[Node | Repeat, ...]
    location: Location = field(compare=False, repr=False)
    batched: bool = False
    max_parallel: int | None = None
    tolerate: Tolerance | None = None

    def flat(self) -> Iterator[Node]:
        """Yield the members with each fan-out's calls in its place."""
        for member in self.members:
            if isinstance(member, Repeat):
                yield from member.calls()
            else:
                yield member

    @property
    def count(self) -> int:
        """The number of the members, each call of a fan-out counted."""
        return sum(member.count if isinstance(member, Repeat) else 1 for member in self.members)


@dataclass(frozen=True, slots=True)
class Chord:
    """A group, or what becomes one, then the body with the list of its values."""

    path: str
    header: Group | Each
    body: Node
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Each:
    """The step ``do`` once for each of the items, side by side, each given its item.

    ``do`` is what the steps have in common: its paths begin with ``path[*]``, and what it says of
    ``variable``, the item, is deferred. It becomes a group when the items are known.
    """

    path: str
    items: Any
    do: Node
    variable: str
    location: Location = field(compare=False, repr=False)
    max_parallel: int | None = None
    tolerate: Tolerance | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A step, and the condition under which it is the one that runs."""

    when: Deferred
    step: Node


@dataclass(frozen=True, slots=True)
class Switch:
    """The step of the first branch whose condition holds, else ``otherwise``.

    Without one the input passes through. ``written`` is the key that it was written as.
    """

    path: str
    branches: tuple[Branch, ...]
    otherwise: Node | None
    location: Location = field(compare=False, repr=False)
    written: Literal["when", "switch"] = "switch"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step that does not run, and ``why``; its input passes through."""

    path: str
    step: Node
    why: str
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rescue:
    """A step, and the ``handler`` whose value stands for the step's own when that fails.

    The handler is given the error as data.
    """

    path: str
    step: Node
    handler: Node
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Named:
    """A step whose value is used by its ``name`` in expressions that come after it."""

    path: str
    name: str
    step: Node
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """A step that is given ``value``, whatever comes before it.

    ``variable`` is the name that an ``each`` gives its items.
    """

    path: str
    value: Any
    step: Node
    location: Location = field(compare=False, repr=False)
    variable: str = field(default="item", compare=False)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value, some of which may be deferred, in place of a step's."""

    path: str
    value: Any
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Used:
    """Another file's step, with inputs some of which are deferred.

    ``schemas`` holds what the deferred ones have to satisfy, by their names.
    """

    path: str
    inputs: Mapping[str, Any]
    schemas: Mapping[str, Mapping[str, Any]]
    step: Node
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Failing:
    """A step that cannot run: an expression of its has failed. Only run time makes one.

    ``step`` is the key that it was written as, or its task.
    """

    path: str
    step: str
    message: str
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GraphStep:
    """One of a graph's steps and the names of those whose values it needs, in their order."""

    name: str
    needs: tuple[str, ...]
    step: Node


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps, each of which begins when those that it needs have ended.

    A step that needs one is given its value; one that needs several, the list of theirs; one that
    needs none, the graph's input. The graph's value is that of its last step, ``result``.
    """

    path: str
    steps: tuple[GraphStep, ...]
    result: str
    location: Location = field(compare=False, repr=False)


Node: TypeAlias = (
    Call
    | Chain
    | Group
    | Chord
    | Each
    | Switch
    | Skipped
    | Rescue
    | Named
    | Given
    | Constant
    | Used
    | Graph
    | Failing
)
