"""A workflow as it is written: steps, each with its location.

Values may still hold ``${…}`` expressions, so they stay :mod:`~flowrunner.node` nodes until
the planner resolves them.
"""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from flowrunner.errors import Diagnostic
from flowrunner.node import Mapping, Node, Scalar, Sequence
from flowrunner.source import Location, Source

__all__ = [
    "HANDLER_NAMES",
    "Broken",
    "CallKeys",
    "Chain",
    "Chord",
    "Chunks",
    "Group",
    "HandlerName",
    "InputDefinition",
    "ItemCalls",
    "Step",
    "TaskCall",
    "Workflow",
]


@dataclass(frozen=True)
class CallKeys:
    """The keys of a task call that ``defaults`` may set too; ``None`` means not said.

    ``options`` holds Celery's own option names (``queue``, ``priority``, …).
    """

    args: Sequence | None = None
    kwargs: Mapping | None = None
    immutable: bool | None = None
    options: Lookup[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskCall:
    """A call of a task, or ``times`` of them side by side.

    ``times`` holds an integer or an expression; ``index`` names the loop variable.
    ``location`` spans the task's name.
    """

    task: str
    location: Location = field(compare=False, repr=False)
    keys: CallKeys = field(default_factory=CallKeys)
    times: Scalar | None = None
    index: str = "i"
    id: Scalar | None = None


@dataclass(frozen=True)
class ItemCalls:
    """Celery's ``map`` (each item one argument) or ``starmap`` (each item a list of them)."""

    kind: str
    task: str
    over: Node
    location: Location = field(compare=False, repr=False)
    options: Lookup[str, Node] = field(default_factory=dict)
    id: Scalar | None = None


@dataclass(frozen=True)
class Chunks:
    """Batches of ``size`` items; the batches run side by side, each as a ``starmap``."""

    task: str
    over: Node
    size: Scalar
    location: Location = field(compare=False, repr=False)
    options: Lookup[str, Node] = field(default_factory=dict)
    id: Scalar | None = None


@dataclass(frozen=True)
class Chain:
    """Steps one after the other."""

    steps: tuple[Step, ...]
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True)
class Group:
    """Steps side by side. ``listed`` is false where one step stands in place of the list."""

    members: tuple[Step, ...]
    location: Location = field(compare=False, repr=False)
    listed: bool = True


@dataclass(frozen=True)
class Chord:
    """A group, then the body with the list of its results."""

    header: Group
    body: Step
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True)
class Broken:
    """A step that the loader found something wrong with; ``task`` is its task where that is known.

    It lets the planner look at the rest of the file, so that everything wrong is said at once.
    """

    location: Location = field(compare=False, repr=False)
    task: str | None = None


Step: TypeAlias = TaskCall | ItemCalls | Chunks | Chain | Group | Chord | Broken

#: The document's keys for steps that run after its main part.
HandlerName: TypeAlias = Literal["on_error", "finally"]
#: In the order in which they run.
HANDLER_NAMES: Final[tuple[HandlerName, ...]] = ("on_error", "finally")


@dataclass(frozen=True)
class InputDefinition:
    """One of the workflow's inputs.

    ``schema`` is the JSON Schema that a value has to satisfy; ``default`` is ``None`` when
    the input has none and so has to be given.
    """

    name: str
    schema: Lookup[str, object]
    default: Node | None
    location: Location = field(compare=False, repr=False)


@dataclass(frozen=True)
class Workflow:
    """A whole file. ``defaults`` maps a task's name, or ``"*"``, to keys of its calls;
    ``handlers`` maps ``on_error`` and ``finally``, where the file has them, to their steps.

    ``problems`` is what the loader found wrong: with any, the workflow can be looked at but
    not run.
    """

    name: str
    step: Step
    source: Source
    description: str = ""
    inputs: tuple[InputDefinition, ...] = ()
    defaults: Lookup[str, tuple[Location, CallKeys]] = field(default_factory=dict)
    timeout: float | None = None
    handlers: Lookup[HandlerName, Step] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()
