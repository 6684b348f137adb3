"""A workflow as it is written: steps, each with its location.

Values may still hold ``${…}`` expressions, so they stay :mod:`~flowrunner.node` nodes until
the planner resolves them.
"""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from typing import Final, Literal, TypeAlias

from msgspec import Struct, field

from flowrunner.errors import Diagnostic
from flowrunner.located import Located
from flowrunner.node import Mapping, Node, Scalar, Sequence
from flowrunner.source import Location, Source

__all__ = [
    "HANDLER_NAMES",
    "Branch",
    "Broken",
    "CallKeys",
    "Chain",
    "Chord",
    "Chunks",
    "Each",
    "Graph",
    "GraphStep",
    "Group",
    "HandlerName",
    "InputDefinition",
    "ItemCalls",
    "Named",
    "Parallel",
    "Rescue",
    "RetryKeys",
    "Step",
    "Switch",
    "TaskCall",
    "Use",
    "Workflow",
]


class CallKeys(Struct, frozen=True):
    """The keys of a task call that ``defaults`` may set too; ``None`` means not said.

    ``options`` holds Celery's own option names (``queue``, ``priority``, …).
    """

    args: Sequence | None = None
    kwargs: Mapping | None = None
    immutable: bool | None = None
    options: Lookup[str, Node] = field(default_factory=dict)
    retry: RetryKeys | None = None


class RetryKeys(Located, frozen=True):
    """How often a call is made again when it fails; ``None`` means not said.

    ``maximum``, ``delay``, ``backoff`` and ``cap`` hold numbers or expressions.
    """

    maximum: Scalar
    location: Location
    delay: Scalar | None = None
    backoff: Scalar | None = None
    cap: Scalar | None = None
    jitter: Literal["none", "full"] | None = None
    only: tuple[Scalar, ...] = ()
    never: tuple[Scalar, ...] = ()


class Parallel(Struct, frozen=True):
    """What may be asked of members side by side; ``None`` means not said.

    ``max_parallel`` holds a whole number or an expression; ``tolerate`` one of those or a text
    such as ``5%``.
    """

    max_parallel: Scalar | None = None
    tolerate: Scalar | None = None


class TaskCall(Located, frozen=True):
    """A call of a task, or ``times`` of them side by side.

    ``times`` holds an integer or an expression; ``index`` names the loop variable.
    ``location`` spans the task's name.
    """

    task: str
    location: Location
    keys: CallKeys = field(default_factory=CallKeys)
    times: Scalar | None = None
    index: str = "i"
    id: Scalar | None = None
    parallel: Parallel = field(default_factory=Parallel)


class ItemCalls(Located, frozen=True):
    """Celery's ``map`` (each item one argument) or ``starmap`` (each item a list of them)."""

    kind: str
    task: str
    over: Node
    location: Location
    options: Lookup[str, Node] = field(default_factory=dict)
    id: Scalar | None = None
    retry: RetryKeys | None = None


class Chunks(Located, frozen=True):
    """Batches of ``size`` items; the batches run side by side, each as a ``starmap``."""

    task: str
    over: Node
    size: Scalar
    location: Location
    options: Lookup[str, Node] = field(default_factory=dict)
    id: Scalar | None = None
    retry: RetryKeys | None = None
    parallel: Parallel = field(default_factory=Parallel)


class Chain(Located, frozen=True):
    """Steps one after the other."""

    steps: tuple[Step, ...]
    location: Location


class Group(Located, frozen=True):
    """Steps side by side. ``listed`` is false where one step stands in place of the list."""

    members: tuple[Step, ...]
    location: Location
    listed: bool = True
    parallel: Parallel = field(default_factory=Parallel)


class Chord(Located, frozen=True):
    """A group, then the body with the list of its results."""

    header: Group
    body: Step
    location: Location


class Each(Located, frozen=True):
    """A step once for each item, side by side; ``variable`` is the item's name in expressions.

    ``items`` is a list or an expression that gives one.
    """

    items: Node
    do: Step
    location: Location
    variable: str = "item"
    parallel: Parallel = field(default_factory=Parallel)


class Branch(Struct, frozen=True):
    """A step of a ``switch`` and its condition: a bare expression, or a boolean."""

    when: Scalar
    step: Step


class Switch(Located, frozen=True):
    """The step of the first branch whose condition holds, else ``otherwise``, if there is one.

    A step with ``when`` is one with a single branch: ``written`` is the key that it was written as.
    """

    branches: tuple[Branch, ...]
    otherwise: Step | None
    location: Location
    written: Literal["when", "switch"] = "switch"


class Rescue(Located, frozen=True):
    """A step with ``on_error``: the ``handler``'s value stands for its own when it fails."""

    step: Step
    handler: Step
    location: Location


class Named(Struct, frozen=True):
    """A step with an ``id``, by which expressions after it use its value."""

    id: Scalar
    step: Step


class Use(Located, frozen=True):
    """Another workflow file as a step; ``inputs`` are what ``with`` gives it."""

    file: Scalar
    location: Location
    inputs: Mapping | None = None


class GraphStep(Struct, frozen=True):
    """One of a graph's steps, and the names of those that it needs."""

    name: Scalar
    needs: tuple[Scalar, ...]
    step: Step


class Graph(Located, frozen=True):
    """Steps by name, each of which begins when those that it needs have ended."""

    steps: tuple[GraphStep, ...]
    location: Location


class Broken(Located, frozen=True):
    """A step that the loader found something wrong with; ``task`` is its task where that is known.

    It lets the planner look at the rest of the file, so that everything wrong is said at once.
    """

    location: Location
    task: str | None = None


Step: TypeAlias = (
    TaskCall
    | ItemCalls
    | Chunks
    | Chain
    | Group
    | Chord
    | Each
    | Switch
    | Rescue
    | Named
    | Use
    | Graph
    | Broken
)

#: The document's keys for steps that run after its main part.
HandlerName: TypeAlias = Literal["on_error", "finally"]
#: In the order in which they run.
HANDLER_NAMES: Final[tuple[HandlerName, ...]] = ("on_error", "finally")


class InputDefinition(Located, frozen=True):
    """One of the workflow's inputs.

    ``schema`` is the JSON Schema that a value has to satisfy; ``default`` is ``None`` when
    the input has none and so has to be given.
    """

    name: str
    schema: Lookup[str, object]
    default: Node | None
    location: Location


class Workflow(Struct, frozen=True):
    """A whole file. ``defaults`` maps a task's name, or ``"*"``, to keys of its calls;
    ``handlers`` maps ``on_error`` and ``finally``, where the file has them, to their steps.

    ``env`` names the environment variables that expressions may use; ``outputs`` are the values by
    name that it gives, in place of its step's. ``problems`` is what the loader found wrong: with
    any, the workflow can be looked at but not run. ``work`` is what it took of the file's budget
    to load it.
    """

    name: str
    step: Step
    source: Source
    description: str = ""
    inputs: tuple[InputDefinition, ...] = ()
    defaults: Lookup[str, tuple[Location, CallKeys]] = field(default_factory=dict)
    timeout: float | None = None
    env: tuple[Scalar, ...] = ()
    outputs: Mapping | None = None
    handlers: Lookup[HandlerName, Step] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()
    work: int = 0
