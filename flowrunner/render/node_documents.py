"""The types of a plan's nodes as JSON documents: their contract.

Fields are never left out: what was not said is ``null``, ``{}`` or ``[]``. Every node has a
``kind``, which decides its other fields, a ``path`` (no two calls share one) and its place:
``file``, and line and column counted from 1. New fields may come; these stay. Values are those
of :func:`~flowrunner.render.value_json.value_document`; conditions are the texts of expressions.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict

from flowrunner.plan import CallKind

__all__ = [
    "BranchDocument",
    "CallDocument",
    "ChainDocument",
    "ChordDocument",
    "ConstantDocument",
    "EachDocument",
    "FailingDocument",
    "GivenDocument",
    "GraphDocument",
    "GraphStepDocument",
    "GroupDocument",
    "NamedDocument",
    "NodeDocument",
    "PlaceDocument",
    "RepeatDocument",
    "RescueDocument",
    "RetryDocument",
    "SkippedDocument",
    "SwitchDocument",
    "UsedDocument",
]


class PlaceDocument(TypedDict):
    """Where a node stands."""

    path: str
    file: str
    line: int
    column: int


class RetryDocument(TypedDict):
    """How often a call is made again; ``delay`` and ``cap`` are in seconds."""

    max: int
    delay: float
    backoff: float
    cap: float | None
    jitter: Literal["none", "full"]
    only: list[str]
    never: list[str]


class CallDocument(PlaceDocument):
    """A call. For ``map`` and ``starmap`` ``args`` are the items.

    ``index`` is the call's number in its fan-out, ``null`` outside of one.
    """

    kind: CallKind
    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    immutable: bool
    index: int | None
    id: str | None
    retry: RetryDocument | None


class ChainDocument(PlaceDocument):
    """Steps one after the other."""

    kind: Literal["chain"]
    steps: list[NodeDocument]


class RepeatDocument(PlaceDocument):
    """A fan-out of ``count`` calls: members of the group that it stands in.

    ``variable`` is the loop's name. ``first`` and ``last`` are ``null`` when ``count`` is 0,
    ``calls`` unless the plan was expanded.
    """

    kind: Literal["repeat"]
    variable: str
    count: int
    first: CallDocument | None
    last: CallDocument | None
    calls: list[CallDocument] | None


class GroupDocument(PlaceDocument):
    """Members side by side; ``count`` counts each call of a fan-out.

    ``batched`` groups are ``chunks`` steps: their calls are ``starmap`` calls. Those of an
    ``each`` whose items are known have ``given`` nodes as their members. ``tolerate`` is a number
    or per cent, as text: ``"2"``, ``"5%"``.
    """

    kind: Literal["group"]
    batched: bool
    count: int
    max_parallel: int | None
    tolerate: str | None
    members: list[NodeDocument | RepeatDocument]


class ChordDocument(PlaceDocument):
    """A group, or an ``each`` of run time, then ``body`` with the list of its values."""

    kind: Literal["chord"]
    header: NodeDocument
    body: NodeDocument


class EachDocument(PlaceDocument):
    """A fan-out whose ``items`` run time says: ``step`` is what is done with each of them.

    Its paths have ``[*]`` where those of a run's calls have the item's number.
    """

    kind: Literal["each"]
    items: Any
    variable: str
    max_parallel: int | None
    tolerate: str | None
    step: NodeDocument


class BranchDocument(TypedDict):
    """A step that runs when ``when`` holds and no earlier branch's condition does."""

    when: str
    step: NodeDocument


class SwitchDocument(PlaceDocument):
    """A choice of run time; without ``otherwise`` the input may pass through.

    ``written`` is the key that it was written as.
    """

    kind: Literal["switch"]
    written: Literal["when", "switch"]
    branches: list[BranchDocument]
    otherwise: NodeDocument | None


class SkippedDocument(PlaceDocument):
    """A step that does not run, and why."""

    kind: Literal["skipped"]
    why: str
    step: NodeDocument


class RescueDocument(PlaceDocument):
    """A step, and what runs in its place when it fails."""

    kind: Literal["rescue"]
    step: NodeDocument
    on_error: NodeDocument


class NamedDocument(PlaceDocument):
    """A step whose value others use by its ``name``."""

    kind: Literal["named"]
    name: str
    step: NodeDocument


class GivenDocument(PlaceDocument):
    """A member of an ``each``: ``step``, given ``value``, which is named ``variable``."""

    kind: Literal["given"]
    variable: str
    value: Any
    step: NodeDocument


class ConstantDocument(PlaceDocument):
    """A value in place of a step: a file's outputs."""

    kind: Literal["constant"]
    value: Any


class UsedDocument(PlaceDocument):
    """Another file's step, whose ``inputs`` run time says some of."""

    kind: Literal["use"]
    inputs: dict[str, Any]
    step: NodeDocument


class GraphStepDocument(TypedDict):
    """One of a graph's steps; it begins when those named in ``needs`` have ended."""

    name: str
    needs: list[str]
    step: NodeDocument


class GraphDocument(PlaceDocument):
    """Steps that need each other; the value is that of the step named ``result``."""

    kind: Literal["graph"]
    result: str
    steps: list[GraphStepDocument]


class FailingDocument(PlaceDocument):
    """A step that cannot run. No plan that has not begun has one."""

    kind: Literal["failing"]
    step: str
    message: str


NodeDocument: TypeAlias = (
    CallDocument
    | ChainDocument
    | GroupDocument
    | ChordDocument
    | EachDocument
    | SwitchDocument
    | SkippedDocument
    | RescueDocument
    | NamedDocument
    | GivenDocument
    | ConstantDocument
    | UsedDocument
    | GraphDocument
    | FailingDocument
)
