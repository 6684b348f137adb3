"""A plan as a JSON document, for programs. The types below are its contract.

Fields are never left out: what was not said is ``null``, ``{}`` or ``[]``. Every node has a
``kind``, which decides its other fields, a ``path`` (no two calls share one) and its place in
the file, line and column counted from 1. New fields may come; these stay.
"""

from __future__ import annotations

import json
from typing import Any, Literal, TypeAlias, TypedDict

from flowrunner.environment import shown_secrets
from flowrunner.model import HandlerName
from flowrunner.plan import Call, CallKind, Chain, Chord, Group, Node, Plan, Repeat
from flowrunner.render.stack import member_count

__all__ = [
    "CallDocument",
    "ChainDocument",
    "ChordDocument",
    "GroupDocument",
    "HandlerDocument",
    "NodeDocument",
    "PlanDocument",
    "RepeatDocument",
    "plan_document",
    "render_json",
]


class _Place(TypedDict):
    path: str
    line: int
    column: int


class CallDocument(_Place):
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


class ChainDocument(_Place):
    """Steps one after the other."""

    kind: Literal["chain"]
    steps: list[NodeDocument]


class RepeatDocument(_Place):
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


class GroupDocument(_Place):
    """Members side by side; ``count`` counts each call of a fan-out.

    ``batched`` groups are ``chunks`` steps: their calls are ``starmap`` calls.
    """

    kind: Literal["group"]
    batched: bool
    count: int
    members: list[NodeDocument | RepeatDocument]


class ChordDocument(_Place):
    """A group, then ``body`` with the list of its values."""

    kind: Literal["chord"]
    header: GroupDocument
    body: NodeDocument


NodeDocument: TypeAlias = CallDocument | ChainDocument | GroupDocument | ChordDocument


class HandlerDocument(TypedDict):
    """A step that runs once after the main part, with what it takes besides it."""

    tasks: int
    messages: int
    root: NodeDocument


class PlanDocument(TypedDict):
    """A plan. ``messages`` exceeds ``tasks`` by the calls of ``celery.accumulate`` that join
    results and by the ``continuations``. ``bytes`` are of all messages, ``largest_message`` of
    one; ``one_canvas_bytes`` are what it would be without continuations. ``timeout`` is in
    seconds. ``handlers`` has ``on_error`` and ``finally``, where the file has them.
    """

    workflow: str
    description: str
    file: str
    inputs: dict[str, Any]
    timeout: float | None
    tasks: int
    messages: int
    bytes: int
    largest_message: int
    continuations: int
    one_canvas_bytes: int
    root: NodeDocument
    handlers: dict[HandlerName, HandlerDocument]


def render_json(plan: Plan, expand: bool = False) -> str:
    """Return the plan's document as text; ``expand`` lists every call of each fan-out."""
    return json.dumps(plan_document(plan, expand=expand), ensure_ascii=False, indent=2)


def plan_document(plan: Plan, *, expand: bool = False) -> PlanDocument:
    """Return the plan's document."""
    return {
        "workflow": plan.name,
        "description": plan.description,
        "file": plan.source.name,
        "inputs": dict(plan.inputs),
        "timeout": plan.timeout,
        "tasks": plan.task_count,
        "messages": plan.cost.messages,
        "bytes": plan.cost.bytes,
        "largest_message": plan.cost.largest,
        "continuations": plan.continuations,
        "one_canvas_bytes": plan.one_canvas.bytes,
        "root": _node(plan.root, expand),
        "handlers": {
            handler.name: {
                "tasks": handler.task_count,
                "messages": handler.cost.messages,
                "root": _node(handler.root, expand),
            }
            for handler in plan.handlers
        },
    }


def _node(node: Node, expand: bool) -> NodeDocument:
    match node:
        case Call():
            return _call(node)
        case Chain():
            steps = [_node(step, expand) for step in node.steps]
            return {"kind": "chain", **_place(node), "steps": steps}
        case Group():
            return _group(node, expand)
        case Chord(header=Group() as header):
            return {
                "kind": "chord",
                **_place(node),
                "header": _group(header, expand),
                "body": _node(node.body, expand),
            }
        case _:
            raise AssertionError(f"BUG: {type(node).__name__} is not known here")


def _call(call: Call) -> CallDocument:
    return {
        "kind": call.kind,
        **_place(call),
        "task": call.task,
        "args": list(shown_secrets(call.args)),
        "kwargs": dict(shown_secrets(call.kwargs)),
        "options": dict(call.options),
        "immutable": call.immutable,
        "index": call.index,
        "id": call.id,
    }


def _group(group: Group, expand: bool) -> GroupDocument:
    return {
        "kind": "group",
        **_place(group),
        "batched": group.batched,
        "count": member_count(group),
        "members": [
            _repeat(member, expand) if isinstance(member, Repeat) else _node(member, expand)
            for member in group.members
        ],
    }


def _repeat(repeat: Repeat, expand: bool) -> RepeatDocument:
    calls = repeat.calls
    return {
        "kind": "repeat",
        **_place(repeat),
        "variable": repeat.index,
        "count": len(calls),
        "first": _call(calls[0]) if calls else None,
        "last": _call(calls[-1]) if calls else None,
        "calls": [_call(call) for call in calls] if expand else None,
    }


def _place(node: Node | Repeat) -> _Place:
    location = node.location
    line, column = location.source.position(location.start)
    return {"path": node.path, "line": line, "column": column}
