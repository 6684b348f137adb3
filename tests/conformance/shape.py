"""Shapes: workflows as small trees, in a language of their own that knows nothing of flowrunner.

Every task call has a label of its own, the last of its arguments (``tag`` gives what it got), so
that a value tells how it was made and a count tells how often each call was executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tests.conformance.expression import Expression

#: ``sometimes`` fails by what it is given; ``fail_once`` and ``fail_twice`` when it is new.
Behaviour: TypeAlias = Literal["tag", "fail", "retry_once", "sometimes", "fail_once", "fail_twice"]
ItemKind: TypeAlias = Literal["map", "starmap", "chunks"]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is made again when it fails; of which errors, by their types' names."""

    maximum: int
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def applies(self, error: str, attempts: int) -> bool:
        if attempts > self.maximum or error in self.never:
            return False
        return not self.only or error in self.only


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of members side by side; ``tolerate`` is a number or a text such as ``50%``."""

    max_parallel: int | None = None
    tolerate: int | str | None = None

    def tolerated(self, members: int) -> int:
        """Return how many of so many members may fail."""
        if isinstance(self.tolerate, str):
            return members * int(self.tolerate.removesuffix("%")) // 100
        return self.tolerate or 0


@dataclass(frozen=True, slots=True)
class Task:
    """A call with its label, after the previous result (unless immutable) and ``literals``.

    There may be expressions in the literals.
    """

    label: str = ""
    behaviour: Behaviour = "tag"
    immutable: bool = False
    literals: tuple[Any, ...] = ()
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """``times: N``: calls with their index, and the label as a keyword argument."""

    times: int
    label: str = ""
    behaviour: Behaviour = "tag"
    immutable: bool = False
    retry: Retry | None = None
    limits: Limits = Limits()

    def labels(self) -> list[str]:
        return [f"{self.label}.{index}" for index in range(self.times)]


@dataclass(frozen=True, slots=True)
class Items:
    """``map``, ``starmap`` or ``chunks`` of a task over ``count`` items; ``size`` is of a chunk."""

    kind: ItemKind
    count: int
    size: int = 1
    label: str = ""
    behaviour: Behaviour = "tag"
    retry: Retry | None = None
    limits: Limits = Limits()

    def labels(self) -> list[str]:
        return [f"{self.label}.{index}" for index in range(self.count)]

    def items(self) -> list[Any]:
        """Return what the items are: labels, or lists of arguments with the label at the end."""
        labels = self.labels()
        return labels if self.kind == "map" else [[n, label] for n, label in enumerate(labels)]

    def batches(self) -> list[list[Any]]:
        items = self.items()
        return [items[start : start + self.size] for start in range(0, len(items), self.size)]


@dataclass(frozen=True, slots=True)
class Chain:
    steps: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    members: tuple[Shape, ...] = ()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Chord:
    header: tuple[Shape, ...]
    body: Shape
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Keyed:
    """A step with an ``id``, its label, and perhaps with ``when`` and ``on_error``."""

    label: str
    step: Shape
    when: Expression | None = None
    on_error: Shape | None = None


@dataclass(frozen=True, slots=True)
class Each:
    """A step once for each of the items: a list, or an expression that gives one."""

    items: Any
    do: Shape
    variable: str = "item"
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Switch:
    branches: tuple[tuple[Expression, Shape], ...]
    otherwise: Shape | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """Another file as a step."""

    document: Document
    inputs: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A step of a graph."""

    name: str
    needs: tuple[str, ...]
    step: Shape


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file: a step, the defaults of its inputs, and what it gives in place of its value."""

    step: Shape
    inputs: tuple[tuple[str, Any], ...] = ()
    outputs: tuple[tuple[str, Any], ...] = ()


Call: TypeAlias = Task | Repeat | Items
Shape: TypeAlias = Call | Chain | Group | Chord | Keyed | Each | Switch | Use | Graph | Document
