"""The nodes of a plan as plain JSON data and back.

A node is its kind and its fields, without those that have their default. The node's class says
which fields hold nodes and which hold values. A location is its span, and the number of its file if
that is not the workflow's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, fields, replace
from functools import lru_cache
from typing import Any, Final, get_args

from flowrunner.plan import (
    Branch,
    Deferred,
    GraphStep,
    Node,
    Repeat,
    Retry,
    Secret,
    Tolerance,
)
from flowrunner.source import Location, Source

__all__ = ["NodeReader", "NodeWriter", "UnknownNodeError"]

#: The key of what is no plain value, and in it that of a mapping which has such a key itself.
_MARK: Final = "$"
_PLAIN: Final = "plain"
_KIND: Final = "is"
_GIVEN: Final = "given"
_AT: Final = "location"
_NODES: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (*get_args(Node), Repeat, Branch, GraphStep)
}
_TEXTS: Final[dict[str, Any]] = {kind.__name__: kind for kind in (Deferred, Secret)}
#: Most values: they are JSON as they are.
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


class UnknownNodeError(ValueError):
    """Data of a node that this version does not know."""


@lru_cache(maxsize=64)
def _fields_of(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Return the names of a class's fields, each with its default."""
    return tuple(
        (each.name, each.default if each.default_factory is MISSING else each.default_factory())
        for each in fields(kind)
    )


class NodeWriter:
    """Makes data of nodes, whose locations are in these sources.

    ``inputs`` are the plan's, which the data of the plan hold once.
    """

    def __init__(self, sources: Iterable[Source], inputs: Mapping[str, Any] | None = None) -> None:
        self._inputs = inputs or {}
        self._numbers = {source: number for number, source in enumerate(sources)}

    def node(self, node: Node | Repeat | Branch | GraphStep) -> dict[str, Any]:
        """Return a node as data."""
        kind: Any = type(node)
        data: dict[str, Any] = {_KIND: kind.__name__}
        for name, default in _fields_of(kind):
            value = getattr(node, name)
            if value is default or (type(value) is type(default) and value == default):
                continue
            if name in kind.inner:
                data[name] = self._inner(value)
            elif name in kind.deferrable:
                data[name] = self.value(value)
            else:
                data[name] = self._own(name, value)
        return data

    def _inner(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return list(map(self.node, value))
        return None if value is None else self.node(value)

    def _own(self, name: str, value: Any) -> Any:
        """Return a field that holds neither nodes nor what may be deferred."""
        if name == _AT:
            return self._at(value)
        if name == "varying":
            return {field: [self._varying(each) for each in value[field]] for field in value}
        return asdict(value) if isinstance(value, (Retry, Tolerance)) else value

    def _varying(self, value: Any) -> Any:
        return asdict(value) if isinstance(value, Retry) else self.value(value)

    def value(self, value: Any) -> Any:
        """Return a value as data; what looks like the data of a deferred one is marked."""
        if type(value) in _SCALARS:
            return value
        match value:
            case Deferred() | Secret():
                return {_MARK: self._text(value)}
            case list() | tuple():
                return list(map(self.value, value))
            case Mapping():
                data = {key: self.value(each) for key, each in value.items()}
                return {_MARK: {_PLAIN: data}} if _MARK in data else data
            case _:
                return value

    def _text(self, text: Deferred | Secret) -> dict[str, Any]:
        """Return a text as data; the plan's inputs are named only: members hold many."""
        more: dict[str, Any] = {}
        used = text.names.get("inputs", {})
        if used and all(self._inputs.get(name) is each for name, each in used.items()):
            names = {name: each for name, each in text.names.items() if name != "inputs"}
            text, more = replace(text, names=names), {_GIVEN: list(used)}
        kind: Any = type(text)
        data = {name: getattr(text, name) for name, _ in _fields_of(kind)}
        own = {_AT: self._at(text.location), "names": self.value(text.names)}
        return {_KIND: kind.__name__, **data, **own, **more}

    def _at(self, place: Location) -> list[int]:
        number = self._numbers.get(place.source, 0)
        return [place.start, place.end, number] if number else [place.start, place.end]


class NodeReader:
    """Makes nodes of data, each with its location in one of the sources."""

    def __init__(self, sources: Sequence[Source], inputs: Mapping[str, Any] | None = None) -> None:
        self._sources = sources
        self._inputs = inputs or {}

    def node(self, data: Mapping[str, Any]) -> Any:
        """Return the node that these data were made of.

        Raises :class:`UnknownNodeError`.
        """
        kind = _NODES.get(data[_KIND])
        if kind is None:
            raise UnknownNodeError(f"it has a node '{data[_KIND]}'")
        found = {name: self._field(kind, name, data[name]) for name in data if name != _KIND}
        return kind(**found)

    def _field(self, kind: Any, name: str, data: Any) -> Any:
        if name in kind.inner:
            if isinstance(data, list):
                return tuple(map(self.node, data))
            return None if data is None else self.node(data)
        if name in kind.deferrable:
            value = self.value(data)
            return tuple(value) if name == "args" else value
        match name:
            case "location":
                return self._at(data)
            case "retry":
                return _retry(data)
            case "tolerate":
                return None if data is None else Tolerance(**data)
            case "needs":
                return tuple(data)
            case "varying":
                return {field: self._varying(field, data[field]) for field in data}
            case _:
                return data

    def _varying(self, name: str, data: list[Any]) -> tuple[Any, ...]:
        if name == "retry":
            return tuple(map(_retry, data))
        values = map(self.value, data)
        return tuple(map(tuple, values) if name == "args" else values)

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
        return self._text(marked)

    def _text(self, data: Mapping[str, Any]) -> Deferred | Secret:
        found = {name: each for name, each in data.items() if name not in (_KIND, _GIVEN)}
        found |= {_AT: self._at(data[_AT]), "names": self.value(data["names"])}
        if _GIVEN in data:
            used = {name: self._inputs[name] for name in data[_GIVEN]}
            found["names"] = {**found["names"], "inputs": used}
        text: Deferred | Secret = _TEXTS[data[_KIND]](**found)
        return text

    def _at(self, span: list[int]) -> Location:
        start, end, *number = span
        return Location(self._sources[number[0] if number else 0], start, end)


def _retry(data: Mapping[str, Any] | None) -> Retry | None:
    if data is None:
        return None
    return Retry(**{**data, "only": tuple(data["only"]), "never": tuple(data["never"])})
