"""The nodes of a plan as plain JSON data and back.

A fan-out is its template and the values that vary. A location is its span, and the number of its
file if that is not the workflow's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Final, get_args

from flowrunner.plan import (
    Branch,
    Call,
    Chain,
    Chord,
    Deferred,
    Each,
    GraphStep,
    Group,
    Node,
    Repeat,
    Retry,
    Secret,
    Tolerance,
    has_secret,
)
from flowrunner.source import Location, Source

__all__ = ["NodeReader", "NodeWriter", "UnknownNodeError"]

#: What a call is unless its data say otherwise; these are left out.
_DEFAULTS: Final[dict[str, Any]] = {
    "args": [],
    "kwargs": {},
    "options": {},
    "immutable": False,
    "kind": "task",
    "index": None,
    "id": None,
    "retry": None,
    "open": False,
    "secret": False,
}

#: The key of what is no plain value, and in it that of a mapping which has such a key itself.
_MARK: Final = "$"
_PLAIN: Final = "plain"
_KIND: Final = "is"
_GIVEN: Final = "given"
NODES: Final = get_args(Node)
#: The fields that hold nodes, and those that hold several.
_NODES: Final = frozenset({"step", "do", "handler", "otherwise"})
_OF_NODES: Final = frozenset({"branches", "steps"})
_THINGS: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (*NODES, Branch, GraphStep, Deferred, Secret)
}


class UnknownNodeError(ValueError):
    """Data of a node that this version does not know."""


class NodeWriter:
    """Makes data of nodes, whose places are in these sources.

    ``inputs`` are the plan's, which stand in its data by themselves.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        inputs: Mapping[str, Any] | None = None,
        *,
        secrets: bool = False,
    ) -> None:
        self._secrets = secrets
        self._inputs = inputs or {}
        self._numbers = {source: number for number, source in enumerate(sources)}
        #: The fields of a call but its path, as data.
        self._fields: Final[dict[str, Callable[[Call], Any]]] = {
            "task": lambda call: call.task,
            "at": lambda call: self._at(call.location),
            "args": lambda call: self._values(call, list(call.args)),
            "kwargs": lambda call: self._values(call, call.kwargs),
            "options": lambda call: self._values(call, call.options),
            "immutable": lambda call: call.immutable,
            "kind": lambda call: call.kind,
            "index": lambda call: call.index,
            "id": lambda call: call.id,
            "retry": lambda call: self._retry(call.retry),
            "open": lambda call: call.open,
            "secret": self._has_secret,
        }

    def _values(self, call: Call, value: Any) -> Any:
        return self.value(value) if call.open or self._has_secret(call) else value

    def _has_secret(self, call: Call) -> bool:
        return self._secrets and has_secret((call.args, call.kwargs))

    def value(self, value: Any) -> Any:
        """Return a value as data; what looks like the data of a deferred one is marked."""
        match value:
            case Deferred() | Secret():
                return {_MARK: self._fields_of_text(value)}
            case list() | tuple():
                return list(map(self.value, value))
            case Mapping():
                data = {key: self.value(each) for key, each in value.items()}
                return {_MARK: {_PLAIN: data}} if _MARK in data else data
            case _:
                return value

    def _fields_of(self, thing: Any) -> dict[str, Any]:
        """Return the fields of a dataclass as data, its kind first."""
        data: dict[str, Any] = {_KIND: type(thing).__name__}
        for each in fields(thing):
            data[each.name] = self._field(each.name, getattr(thing, each.name))
        return data

    def _fields_of_text(self, text: Deferred | Secret) -> dict[str, Any]:
        """Return the fields of a text; the plan's inputs are named only: members hold many."""
        used = text.names.get("inputs", {})
        if not used or any(self._inputs.get(name) is not each for name, each in used.items()):
            return self._fields_of(text)
        names = {name: each for name, each in text.names.items() if name != "inputs"}
        return {**self._fields_of(replace(text, names=names)), _GIVEN: list(used)}

    def _field(self, name: str, value: Any) -> Any:
        if isinstance(value, Location):
            return self._at(value)
        if isinstance(value, Tolerance):
            return asdict(value)
        if isinstance(value, (Branch, GraphStep)):
            return self._fields_of(value)
        if isinstance(value, NODES):
            return self.node(value)
        if name in _OF_NODES and isinstance(value, tuple):
            return [self._field("", each) for each in value]
        return self.value(value)

    def _at(self, place: Location) -> list[int]:
        number = self._numbers.get(place.source, 0)
        return [place.start, place.end, number] if number else [place.start, place.end]

    def node(self, node: Node | Repeat) -> dict[str, Any]:
        """Return a node as data."""
        match node:
            case Call():
                return {"call": node.path, **self._call_fields(node)}
            case Repeat():
                return self._fan_out(node)
            case Chain():
                at, steps = self._at(node.location), list(map(self.node, node.steps))
                return {"chain": node.path, "at": at, "steps": steps}
            case Group():
                at, members = self._at(node.location), list(map(self.node, node.members))
                more: dict[str, Any] = {"batched": True} if node.batched else {}
                if node.max_parallel is not None:
                    more["max_parallel"] = node.max_parallel
                if node.tolerate is not None:
                    more["tolerate"] = asdict(node.tolerate)
                return {"group": node.path, "at": at, **more, "members": members}
            case Chord():
                at, header, body = (
                    self._at(node.location),
                    self.node(node.header),
                    self.node(node.body),
                )
                return {"chord": node.path, "at": at, "header": header, "body": body}
            case _:
                return self._fields_of(node)

    def _call_fields(self, call: Call) -> dict[str, Any]:
        fields = {name: read(call) for name, read in self._fields.items()}
        return {
            name: value
            for name, value in fields.items()
            if name not in _DEFAULTS or not _same(value, _DEFAULTS[name])
        }

    def _fan_out(self, fan_out: Repeat) -> dict[str, Any]:
        data: dict[str, Any] = {
            "repeat": fan_out.path,
            "at": self._at(fan_out.location),
            "variable": fan_out.index,
            "count": fan_out.count,
            "each": self.node(fan_out.call),
        }
        if fan_out.numbered:
            data["numbered"] = True
        if fan_out.varying:
            data["varying"] = {
                name: list(map(self._retry if name == "retry" else self.value, values))
                for name, values in fan_out.varying.items()
            }
        return data

    @staticmethod
    def _retry(retry: Retry | None) -> dict[str, Any] | None:
        return None if retry is None else asdict(retry)


def _same(one: Any, other: Any) -> bool:
    """Tell whether JSON data are the same, which ``1``, ``1.0`` and ``True`` are not."""
    return one is other or (one == other and repr(one) == repr(other))


class NodeReader:
    """Makes nodes of data, each with its place in one of the sources."""

    def __init__(self, sources: Sequence[Source], inputs: Mapping[str, Any] | None = None) -> None:
        self._sources = sources
        self._inputs = inputs or {}

    def node(self, data: Mapping[str, Any]) -> Node:
        """Return the node that these data were made of.

        Raises :class:`UnknownNodeError`.
        """
        kind = next(iter(data))
        if kind == _KIND:
            thing: Node = self._thing(data)
            return thing
        if kind == "call":
            return self._call(data)
        if kind == "chain":
            steps = tuple(map(self.node, data["steps"]))
            return Chain(data["chain"], steps, self._at(data["at"]))
        if kind == "group":
            return self._group(data)
        if kind == "chord":
            header, body = self.node(data["header"]), self.node(data["body"])
            if not isinstance(header, (Group, Each)):
                raise UnknownNodeError("it has a chord without a group")
            return Chord(data["chord"], header, body, self._at(data["at"]))
        raise UnknownNodeError(f"it has a node '{kind}'")

    def _thing(self, data: Mapping[str, Any]) -> Any:
        kind = _THINGS.get(data[_KIND])
        if kind is None:
            raise UnknownNodeError(f"it has a node '{data[_KIND]}'")
        told = (_KIND, _GIVEN)
        found = {name: self._field(name, each) for name, each in data.items() if name not in told}
        if _GIVEN in data:
            used = {name: self._inputs[name] for name in data[_GIVEN]}
            found["names"] = {**found["names"], "inputs": used}
        return kind(**found)

    def _field(self, name: str, data: Any) -> Any:
        if name == "location":
            return self._at(data)
        if name == "tolerate":
            return None if data is None else Tolerance(**data)
        if name == "retry":
            return None if data is None else _retry(data)
        if name in _OF_NODES and isinstance(data, list):
            return tuple(self._thing(each) for each in data)
        if name in _NODES:
            return None if data is None else self.node(data)
        if name == "when":
            return self.value(data)
        if name == "needs":
            return tuple(data)
        return self.value(data)

    def value(self, data: Any) -> Any:
        """Return the value that these data were made of."""
        if isinstance(data, list):
            return list(map(self.value, data))
        if not isinstance(data, dict):
            return data
        if _MARK not in data:
            return {key: self.value(each) for key, each in data.items()}
        marked = data[_MARK]
        if _PLAIN in marked:
            return {key: self.value(each) for key, each in marked[_PLAIN].items()}
        return self._thing(marked)

    def _at(self, span: list[int]) -> Location:
        start, end, *number = span
        return Location(self._sources[number[0] if number else 0], start, end)

    def _group(self, data: Mapping[str, Any]) -> Group:
        members = tuple(
            self._fan_out(each) if "repeat" in each else self.node(each) for each in data["members"]
        )
        return Group(
            data["group"],
            members,
            self._at(data["at"]),
            data.get("batched", False),
            data.get("max_parallel"),
            self._field("tolerate", data.get("tolerate")),
        )

    def _call(self, data: Mapping[str, Any]) -> Call:
        fields = {**_DEFAULTS, **data}
        return self._made(fields["call"], fields["task"], self._at(fields["at"]), fields)

    def _made(self, path: str, task: str, at: Location, fields: Mapping[str, Any]) -> Call:
        coded = fields["open"] or fields["secret"]
        args, kwargs, options = (fields[name] for name in ("args", "kwargs", "options"))
        if coded:
            args, kwargs, options = self.value(args), self.value(kwargs), self.value(options)
        return Call(
            path,
            task,
            at,
            args=tuple(args),
            kwargs=kwargs,
            options=options,
            immutable=fields["immutable"],
            kind=fields["kind"],
            index=fields["index"],
            id=fields["id"],
            retry=self._field("retry", fields["retry"]),
            open=fields["open"],
        )

    def _fan_out(self, data: Mapping[str, Any]) -> Repeat:
        return Repeat(
            data["repeat"],
            self._call(data["each"]),
            data["count"],
            data["variable"],
            self._at(data["at"]),
            {name: self._varying(name, values) for name, values in data.get("varying", {}).items()},
            data.get("numbered", False),
        )

    def _varying(self, name: str, values: list[Any]) -> tuple[Any, ...]:
        if name == "retry":
            return tuple(self._field(name, each) for each in values)
        read = map(self.value, values)
        return tuple(map(tuple, read) if name == "args" else read)


def _retry(data: Mapping[str, Any]) -> Retry:
    return Retry(**{**data, "only": tuple(data["only"]), "never": tuple(data["never"])})
