"""The types of inputs that have no value yet, as far as their definitions tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowrunner import model
from flowrunner.hints.forms import (
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    WHOLE,
    DictOf,
    ListOf,
    Type,
    any_of,
)
from flowrunner.node import Node, Scalar, has_expression

__all__ = ["type_of_input"]

_TYPES: Final[dict[str, Type]] = {
    "null": NULL,
    "boolean": BOOLEAN,
    "integer": WHOLE,
    "number": NUMBER,
    "string": TEXT,
    "object": DictOf(UNKNOWN),
}


def type_of_input(node: Node, workflow: model.Workflow) -> Type:
    """Return the type of a value that is an input of the workflow and nothing else."""
    if not isinstance(node, Scalar) or not has_expression(str(node.value)):
        return UNKNOWN
    from flowrunner.expressions import ExpressionError, parse_template

    text = str(node.value)
    try:
        references = parse_template(text).references
    except ExpressionError:
        return UNKNOWN
    if len(references) != 1 or references[0].name != "inputs" or len(references[0].path) != 1:
        return UNKNOWN
    reference = references[0]
    written = text[reference.offset : reference.offset + reference.length]
    if not text.startswith("${") or text[2:-1].strip() != written:
        return UNKNOWN
    schemas = {each.name: each.schema for each in workflow.inputs}
    return _type_of_schema(schemas.get(reference.path[0], {}))


def _type_of_schema(schema: Mapping[str, Any]) -> Type:
    named = schema.get("type")
    names = named if isinstance(named, (list, tuple)) else [named]
    return any_of(_named(name, schema) for name in names)


def _named(name: Any, schema: Mapping[str, Any]) -> Type:
    if name == "array":
        items = schema.get("items")
        return ListOf(_type_of_schema(items) if isinstance(items, Mapping) else UNKNOWN)
    return _TYPES.get(str(name), UNKNOWN)
