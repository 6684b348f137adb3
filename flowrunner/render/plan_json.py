"""A plan as a JSON document, for programs. The types below are its contract.

Fields are never left out: what was not said is ``null``, ``{}`` or ``[]``. New fields may come;
these stay. What nodes are is told in :mod:`flowrunner.render.node_documents`.
"""

from __future__ import annotations

from typing import Any, TypedDict

from flowrunner.model import HandlerName
from flowrunner.plan import Plan, is_static
from flowrunner.printable import json_text
from flowrunner.render.node_documents import NodeDocument
from flowrunner.render.node_json import node_document
from flowrunner.render.value_json import value_document

__all__ = ["HandlerDocument", "PlanDocument", "plan_document", "render_json"]


class HandlerDocument(TypedDict):
    """A step that runs once after the main part, with what it takes besides it.

    As for a plan, one that ``unfolds`` takes at least that.
    """

    unfolds: bool
    tasks: int
    messages: int
    root: NodeDocument


class PlanDocument(TypedDict):
    """A plan. ``messages`` exceeds ``tasks`` by the calls of ``celery.accumulate`` that join
    results and by the ``continuations``. ``bytes`` are of all messages, ``largest_message`` of
    one; ``one_canvas_bytes`` are what it would be without continuations. ``timeout`` is in
    seconds. ``handlers`` has ``on_error`` and ``finally``, where the file has them.

    Of a plan that ``unfolds``, run time decides some: ``tasks``, ``messages``, ``bytes`` and
    ``largest_message`` are what it takes at least, an ``each`` of run time counted with one item.
    ``uses`` are the files that it uses, and ``env`` the environment's variables.
    """

    workflow: str
    description: str
    file: str
    uses: list[str]
    env: list[str]
    inputs: dict[str, Any]
    timeout: float | None
    unfolds: bool
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
    return json_text(plan_document(plan, expand=expand), indent=2)


def plan_document(plan: Plan, *, expand: bool = False) -> PlanDocument:
    """Return the plan's document."""
    return {
        "workflow": plan.name,
        "description": plan.description,
        "file": plan.source.name,
        "uses": [source.name for source in plan.used],
        "env": list(plan.env),
        "inputs": value_document(plan.inputs),
        "timeout": plan.timeout,
        "unfolds": plan.unfolds,
        "tasks": plan.cost.messages if plan.unfolds else plan.task_count,
        "messages": plan.cost.messages,
        "bytes": plan.cost.bytes,
        "largest_message": plan.cost.largest,
        "continuations": plan.continuations,
        "one_canvas_bytes": plan.one_canvas.bytes,
        "root": node_document(plan.root, expand=expand),
        "handlers": {
            handler.name: {
                "unfolds": not is_static(handler.root),
                "tasks": handler.task_count if is_static(handler.root) else handler.cost.messages,
                "messages": handler.cost.messages,
                "root": node_document(handler.root, expand=expand),
            }
            for handler in plan.handlers
        },
    }
