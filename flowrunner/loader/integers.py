"""Integers that come as floats: ``3.0`` and ``1e6`` for an input of ``type: integer``.

Helm, Terraform and JavaScript write them so. JSON Schema takes ``3.0`` for an integer; expressions
and tasks would see the float.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flowrunner.values import whole_number

__all__ = ["inexact_integers", "with_integers"]


def with_integers(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value that fits a schema, with whole floats as the integers that it wants."""
    if type(value) is float:
        number = whole_number(value) if _is_integer(value, schema) else None
        return value if number is None else number
    items = schema.get("items")
    if isinstance(value, list):
        if not isinstance(items, Mapping):
            return value
        return [with_integers(each, items) for each in value]
    parts = list(_parts(value, schema))
    if not parts:
        return value
    converted = {key: with_integers(value[key], inner) for key, inner in parts}
    return {key: converted.get(key, each) for key, each in value.items()}


def inexact_integers(
    value: Any, schema: Mapping[str, Any], path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], float]]:
    """Yield the floats for integers that are too large to be exact, and the ways to them."""
    if type(value) is float and _is_integer(value, schema) and whole_number(value) is None:
        yield path, value
    for key, inner in _parts(value, schema):
        yield from inexact_integers(value[key], inner, (*path, key))


def _is_integer(value: float, schema: Mapping[str, Any]) -> bool:
    named = schema.get("type")
    types = named if isinstance(named, (list, tuple)) else [named]
    return value.is_integer() and "integer" in types and "number" not in types


def _parts(value: Any, schema: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Yield the keys of a value that its schema says something of, with what it says."""
    if isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, Mapping):
            yield from ((position, items) for position in range(len(value)))
    elif isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key in value:
            inner = known.get(key, others)
            if isinstance(inner, Mapping):
                yield key, inner
