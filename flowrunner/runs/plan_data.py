"""A plan as plain JSON data and back, without plugins and without Celery.

The data hold what was planned: the tree, the handlers' trees and the texts of the files. The normal
form is made of them anew. Calls of a fan-out are kept by what tells them apart. A place is its
span, and the number of its file where that is not the workflow's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from flowrunner import plan
from flowrunner.errors import EngineError
from flowrunner.plan import Call, Chain, Chord, Group, Handler, Node, Plan, Repeat
from flowrunner.planner.continuations import sequence_of
from flowrunner.source import Location, Source

__all__ = ["FORMAT", "PlanFormatError", "plan_from_data", "plan_to_data"]

#: Raised when data that were written before would be read as another plan; so too when the
#: normal form of a tree changes, since the ids of a run's tasks are made of its paths.
FORMAT: Final = 1

#: What a call is unless its data say otherwise; these are left out.
_DEFAULTS: Final[dict[str, Any]] = {
    "args": [],
    "kwargs": {},
    "options": {},
    "immutable": False,
    "kind": "task",
    "index": None,
    "id": None,
}


class PlanFormatError(EngineError):
    """A plan was written by another version of flowrunner, or is no plan at all."""


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON data, from which :func:`plan_from_data` makes the same again."""
    writer = _Writer((plan.source, *plan.used))
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
    source, *used = map(_source_of, (data["source"], *data.get("used", ())))
    reader = _Reader((source, *used))
    root = reader.node(data["root"])
    handlers = {name: reader.node(each) for name, each in data["handlers"].items()}
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


class _Writer:
    """Makes data of nodes, whose places are in these sources."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._numbers = {source: number for number, source in enumerate(sources)}
        #: The fields of a call but its path, as data.
        self._fields: Final[dict[str, Callable[[Call], Any]]] = {
            "task": lambda call: call.task,
            "at": lambda call: self._at(call.location),
            "args": lambda call: list(call.args),
            "kwargs": lambda call: call.kwargs,
            "options": lambda call: call.options,
            "immutable": lambda call: call.immutable,
            "kind": lambda call: call.kind,
            "index": lambda call: call.index,
            "id": lambda call: call.id,
        }

    def _at(self, place: Location) -> list[int]:
        number = self._numbers.get(place.source, 0)
        return [place.start, place.end, number] if number else [place.start, place.end]

    def node(self, node: Node | Repeat) -> dict[str, Any]:
        match node:
            case Call():
                return {"call": node.path, **self._call_fields(node)}
            case Repeat():
                return {
                    "repeat": node.path,
                    "at": self._at(node.location),
                    "variable": node.index,
                    "count": len(node.calls),
                    **self._fan_out(node),
                }
            case Chain():
                at, steps = self._at(node.location), list(map(self.node, node.steps))
                return {"chain": node.path, "at": at, "steps": steps}
            case Group():
                at, members = self._at(node.location), list(map(self.node, node.members))
                batched = {"batched": True} if node.batched else {}
                return {"group": node.path, "at": at, **batched, "members": members}
            case Chord():
                at, header, body = (
                    self._at(node.location),
                    self.node(node.header),
                    self.node(node.body),
                )
                return {"chord": node.path, "at": at, "header": header, "body": body}
            case _:
                raise AssertionError(f"BUG: {type(node).__name__} is not known here")

    def _call_fields(self, call: Call) -> dict[str, Any]:
        fields = {name: read(call) for name, read in self._fields.items()}
        return {
            name: value
            for name, value in fields.items()
            if name not in _DEFAULTS or not _same(value, _DEFAULTS[name])
        }

    def _fan_out(self, fan_out: Repeat) -> dict[str, Any]:
        """Return what all calls of a fan-out have in common, and what each has of its own.

        A path of ``NAME[number]``, an index that is the number, and arguments that are the index
        alone stand in neither.
        """
        calls = fan_out.calls
        if not calls:
            return {"common": {}, "each": {}}
        common: dict[str, Any] = {}
        each: dict[str, list[Any]] = {}
        paths = [call.path for call in calls]
        if any(path != f"{fan_out.path}[{number}]" for number, path in enumerate(paths)):
            each["call"] = paths
        for name, read in self._fields.items():
            if name == "index" and _is_numbered(call.index for call in calls):
                continue
            if name == "args" and _is_numbered(
                call.args[0] if len(call.args) == 1 else None for call in calls
            ):
                continue
            values = [read(call) for call in calls]
            if all(_same(value, values[0]) for value in values):
                common[name] = values[0]
            else:
                each[name] = values
        return {"common": common, "each": each}


def _is_numbered(values: Iterator[Any]) -> bool:
    return all(type(value) is int and value == number for number, value in enumerate(values))


def _same(one: Any, other: Any) -> bool:
    """Tell whether JSON data are the same, which ``1``, ``1.0`` and ``True`` are not."""
    return one is other or (one == other and repr(one) == repr(other))


class _Reader:
    """Makes nodes of data, each with its place in one of the sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def node(self, data: Mapping[str, Any]) -> Node:
        kind = next(iter(data))
        if kind == "call":
            return self._call(data)
        if kind == "chain":
            steps = tuple(map(self.node, data["steps"]))
            return Chain(data["chain"], steps, self._at(data["at"]))
        if kind == "group":
            return self._group(data)
        if kind == "chord":
            header, body = self._group(data["header"]), self.node(data["body"])
            return Chord(data["chord"], header, body, self._at(data["at"]))
        raise PlanFormatError(f"the run's plan cannot be read: it has a node '{kind}'")

    def _at(self, span: list[int]) -> Location:
        start, end, *number = span
        return Location(self._sources[number[0] if number else 0], start, end)

    def _group(self, data: Mapping[str, Any]) -> Group:
        members = tuple(
            self._fan_out(each) if "repeat" in each else self.node(each) for each in data["members"]
        )
        return Group(data["group"], members, self._at(data["at"]), data.get("batched", False))

    def _call(self, data: Mapping[str, Any]) -> Call:
        fields = {**_DEFAULTS, **data}
        return plan.Call(
            fields["call"],
            fields["task"],
            self._at(fields["at"]),
            args=tuple(fields["args"]),
            kwargs=fields["kwargs"],
            options=fields["options"],
            immutable=fields["immutable"],
            kind=fields["kind"],
            index=fields["index"],
            id=fields["id"],
        )

    def _fan_out(self, data: Mapping[str, Any]) -> Repeat:
        path, count, common, each = data["repeat"], data["count"], data["common"], data["each"]
        at = self._at(common["at"]) if "at" in common else None

        def column(name: str) -> Iterator[Any]:
            return iter(each[name]) if name in each else repeat(common.get(name, _DEFAULTS[name]))

        numbered = "index" not in common and "index" not in each
        given = "args" in common or "args" in each
        calls = tuple(
            plan.Call(
                each["call"][number] if "call" in each else f"{path}[{number}]",
                each["task"][number] if "task" in each else common["task"],
                at or self._at(each["at"][number]),
                args=tuple(args) if given else (number,),
                kwargs=kwargs,
                options=options,
                immutable=immutable,
                kind=kind,
                index=number if numbered else index,
                id=identifier,
            )
            for number, args, kwargs, options, immutable, kind, index, identifier in zip(
                range(count), *(column(name) for name in _DEFAULTS), strict=False
            )
        )
        return Repeat(path, calls, data["variable"], self._at(data["at"]))
