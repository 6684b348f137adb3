"""A plan as plain JSON data and back, without plugins and without Celery.

The data hold what was planned: the tree, the handlers' trees and the texts of the files. The normal
form is made of them anew. :mod:`~flowrunner.runs.node_data` says how nodes are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flowrunner.environment import hide
from flowrunner.errors import EngineError
from flowrunner.plan import Handler, Plan
from flowrunner.planner.continuations import sequence_of
from flowrunner.runs.node_data import NodeReader, NodeWriter, UnknownNodeError
from flowrunner.source import Source

__all__ = ["FORMAT", "PlanFormatError", "plan_from_data", "plan_to_data"]

#: Raised when data that were written before would be read as another plan; so too when the
#: normal form of a tree changes, since the ids of a run's tasks are made of its paths.
FORMAT: Final = 3


class PlanFormatError(EngineError):
    """A plan was written by another version of flowrunner, or is no plan at all."""


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON data, from which :func:`plan_from_data` makes the same again."""
    writer = NodeWriter((plan.source, *plan.used), plan.inputs)
    return {
        "format": FORMAT,
        "name": plan.name,
        "description": plan.description,
        "source": _source_to_data(plan.source),
        **({"used": list(map(_source_to_data, plan.used))} if plan.used else {}),
        **({"env": list(plan.env)} if plan.env else {}),
        "inputs": dict(plan.inputs),
        "timeout": plan.timeout,
        "root": writer.node(plan.root),
        "handlers": {handler.name: writer.node(handler.root) for handler in plan.handlers},
    }


def _source_to_data(source: Source) -> dict[str, Any]:
    path = None if source.path is None else str(source.path)
    return {"name": source.name, "text": source.text, "path": path}


def _source_of(data: Mapping[str, Any]) -> Source:
    path = data["path"]
    return Source(data["name"], data["text"], None if path is None else Path(path))


def plan_from_data(data: Mapping[str, Any]) -> Plan:
    """Return the plan that these data were made of.

    Raises :class:`PlanFormatError` for data of another version.
    """
    found = data.get("format") if isinstance(data, Mapping) else None
    if found != FORMAT:
        raise PlanFormatError(
            f"the run's plan was recorded in format {found!r} and this flowrunner reads format "
            f"{FORMAT}: use the version of flowrunner that the run was started with"
        )
    hide(data.get("env", ()))  # what the run's errors may tell
    source, *used = map(_source_of, (data["source"], *data.get("used", ())))
    reader = NodeReader((source, *used), data["inputs"])
    try:
        root = reader.node(data["root"])
        handlers = {name: reader.node(each) for name, each in data["handlers"].items()}
    except UnknownNodeError as error:
        raise PlanFormatError(f"the run's plan cannot be read: {error}") from error
    return Plan(
        data["name"],
        source,
        root,
        *sequence_of(root),
        description=data["description"],
        inputs=data["inputs"],
        timeout=data["timeout"],
        handlers=tuple(
            Handler(name, node, *sequence_of(node, has_input=True))
            for name, node in handlers.items()
        ),
        used=tuple(used),
        env=tuple(data.get("env", ())),
    )
