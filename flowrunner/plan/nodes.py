"""The nodes of a plan's tree, which keeps the nesting of the file."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias

from flowrunner.plan.calls import Call, CallKind, Repeat, copied
from flowrunner.plan.policy import Tolerance
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
    "Parent",
    "Repeat",
    "Rescue",
    "Skipped",
    "Switch",
    "Used",
]


class Parent:
    """A node that contains nodes.

    ``inner`` names the fields that hold its children: a node, a tuple of nodes, or a tuple of parts
    with a node each (:class:`Branch`, :class:`GraphStep`). ``uncertain`` names those of them that
    a run may leave out. ``deferrable`` names the fields whose values may be
    :class:`~flowrunner.plan.Deferred`.
    """

    __slots__ = ()
    inner: ClassVar[tuple[str, ...]] = ()
    uncertain: ClassVar[tuple[str, ...]] = ()
    deferrable: ClassVar[tuple[str, ...]] = ()

    def children(self, *, certain: bool = False) -> tuple[Node | Repeat, ...]:
        """Return the nodes in this one, in the order of the file.

        ``certain`` leaves out those that a run may leave out.
        """
        found: list[Node | Repeat] = []
        for name in self.inner:
            if certain and name in self.uncertain:
                continue
            value = getattr(self, name)
            if isinstance(value, tuple):
                found += [part.step if isinstance(part, _PARTS) else part for part in value]
            elif value is not None:
                found.append(value)
        return tuple(found)

    def hidden_from(self, child: Node | Repeat) -> str | None:
        """Return the name that has another meaning in a child than around this node, if any."""
        return None

    def replaced(self, children: Iterable[Node | Repeat], **fields: Any) -> Self:
        """Return the node with other children, in the same order, and with other fields.

        It is the same object if nothing changes.
        """
        rest = iter(children)
        for name in self.inner:
            value = fields.get(name, getattr(self, name))
            if isinstance(value, tuple):
                fields[name] = tuple(_part_with(part, next(rest)) for part in value)
            elif value is not None:
                fields[name] = next(rest)
        for name, value in fields.items():
            if not _is_same(value, getattr(self, name)):
                break
        else:
            return self
        return copied(self, fields)


def _part_with(part: Any, step: Any) -> Any:
    if not isinstance(part, _PARTS):
        return step
    return part if part.step is step else replace(part, step=step)


def _is_same(value: Any, old: Any) -> bool:
    if value is old or type(value) is not tuple:
        return value is old
    return len(value) == len(old) and all(map(operator.is_, value, old))


@dataclass(frozen=True, slots=True)
class Chain(Parent):
    """Nodes one after the other; each gets the value of the one before."""

    inner: ClassVar[tuple[str, ...]] = ("steps",)

    path: str
    steps: tuple[Node, ...]
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group(Parent):
    """Members side by side; the value is the list of theirs in the order written.

    ``batched`` marks the batches of a ``chunks`` step. At most ``max_parallel`` members run at a
    time. Of those that fail, as many as ``tolerate`` allows give ``None``.
    """

    inner: ClassVar[tuple[str, ...]] = ("members",)

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
class Chord(Parent):
    """A group, or what becomes one, then the body with the list of its values."""

    inner: ClassVar[tuple[str, ...]] = ("header", "body")

    path: str
    header: Group | Each
    body: Node
    location: Location = field(compare=False, repr=False)

    def hidden_from(self, child: Node | Repeat) -> str | None:
        """Return ``errors`` for the body if it has errors of its own."""
        return "errors" if child is self.body and self.header.tolerate is not None else None


@dataclass(frozen=True, slots=True)
class Each(Parent):
    """The step ``do`` once for each of the items, side by side, each given its item.

    ``do`` is what the steps have in common: its paths begin with ``path[*]``, and what it says of
    ``variable``, the item, is deferred. It becomes a group when the items are known.
    """

    inner: ClassVar[tuple[str, ...]] = ("do",)
    uncertain: ClassVar[tuple[str, ...]] = ("do",)
    deferrable: ClassVar[tuple[str, ...]] = ("items",)

    path: str
    items: Any
    do: Node
    variable: str
    location: Location = field(compare=False, repr=False)
    max_parallel: int | None = None
    tolerate: Tolerance | None = None

    def hidden_from(self, child: Node | Repeat) -> str | None:
        """Return the name of the item."""
        return self.variable


@dataclass(frozen=True, slots=True)
class Branch:
    """A step, and the condition under which it is the one that runs."""

    inner: ClassVar[tuple[str, ...]] = ("step",)
    deferrable: ClassVar[tuple[str, ...]] = ("when",)

    when: Deferred
    step: Node


@dataclass(frozen=True, slots=True)
class Switch(Parent):
    """The step of the first branch whose condition holds, else ``otherwise``.

    Without one the input passes through. ``written`` is the key that it was written as.
    """

    inner: ClassVar[tuple[str, ...]] = ("branches", "otherwise")
    uncertain: ClassVar[tuple[str, ...]] = ("branches", "otherwise")

    path: str
    branches: tuple[Branch, ...]
    otherwise: Node | None
    location: Location = field(compare=False, repr=False)
    written: Literal["when", "switch"] = "switch"


@dataclass(frozen=True, slots=True)
class Skipped(Parent):
    """A step that does not run, and ``why``; its input passes through."""

    inner: ClassVar[tuple[str, ...]] = ("step",)

    path: str
    step: Node
    why: str
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rescue(Parent):
    """A step, and the ``handler`` whose value stands for the step's own when that fails.

    The handler is given the error as data.
    """

    inner: ClassVar[tuple[str, ...]] = ("step", "handler")
    uncertain: ClassVar[tuple[str, ...]] = ("handler",)

    path: str
    step: Node
    handler: Node
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Named(Parent):
    """A step whose value is used by its ``name`` in expressions that come after it."""

    inner: ClassVar[tuple[str, ...]] = ("step",)

    path: str
    name: str
    step: Node
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Given(Parent):
    """A step that is given ``value``, whatever comes before it.

    ``variable`` is the name that an ``each`` gives its items.
    """

    inner: ClassVar[tuple[str, ...]] = ("step",)
    deferrable: ClassVar[tuple[str, ...]] = ("value",)

    path: str
    value: Any
    step: Node
    location: Location = field(compare=False, repr=False)
    variable: str = field(default="item", compare=False)


@dataclass(frozen=True, slots=True)
class Constant(Parent):
    """A value, some of which may be deferred, in place of a step's."""

    deferrable: ClassVar[tuple[str, ...]] = ("value",)

    path: str
    value: Any
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Used(Parent):
    """Another file's step, with inputs some of which are deferred.

    ``schemas`` holds what the deferred ones have to satisfy, by their names.
    """

    inner: ClassVar[tuple[str, ...]] = ("step",)
    deferrable: ClassVar[tuple[str, ...]] = ("inputs",)

    path: str
    inputs: Mapping[str, Any]
    schemas: Mapping[str, Mapping[str, Any]]
    step: Node
    location: Location = field(compare=False, repr=False)

    def hidden_from(self, child: Node | Repeat) -> str | None:
        """Return ``inputs``: the other file has its own."""
        return "inputs"


@dataclass(frozen=True, slots=True)
class Failing(Parent):
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

    inner: ClassVar[tuple[str, ...]] = ("step",)
    deferrable: ClassVar[tuple[str, ...]] = ()

    name: str
    needs: tuple[str, ...]
    step: Node


@dataclass(frozen=True, slots=True)
class Graph(Parent):
    """Steps, each of which begins when those that it needs have ended.

    A step that needs one is given its value; one that needs several, the list of theirs; one that
    needs none, the graph's input. The graph's value is that of its last step, ``result``.
    """

    inner: ClassVar[tuple[str, ...]] = ("steps",)

    path: str
    steps: tuple[GraphStep, ...]
    result: str
    location: Location = field(compare=False, repr=False)


#: What holds a node in a tuple.
_PARTS: Final = (Branch, GraphStep)

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
