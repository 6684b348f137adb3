"""The types of values that an expression gives which is one name with keys and nothing else."""

from __future__ import annotations

from collections import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from flowrunner import model
from flowrunner.hints import forms
from flowrunner.hints.fitting import misfit
from flowrunner.hints.reading import record_fields
from flowrunner.node import Node, Scalar, has_expression
from flowrunner.plan import Deferred
from flowrunner.template import parsed

if TYPE_CHECKING:
    from flowrunner.expressions import Reference

__all__ = ["item_type", "type_of_deferred", "type_of_input"]

_SCHEMA_TYPES: Final[dict[Any, forms.Type]] = {
    "null": forms.NULL,
    "boolean": forms.BOOLEAN,
    "integer": forms.WHOLE,
    "number": forms.NUMBER,
    "string": forms.TEXT,
    "object": forms.DictOf((forms.UNKNOWN,)),
}


def type_of_deferred(
    deferred: Deferred,
    previous: forms.Type | None,
    variables: Mapping[str, forms.Type],
    steps: Mapping[str, forms.Type],
) -> forms.Type:
    """Return the type of ``prev``, of an item's name or an id, and of keys of it.

    ``steps`` holds the types of steps by their paths.
    """
    if not deferred.bare and not (deferred.text.startswith("${") and deferred.text.endswith("}")):
        return forms.TEXT  # there is more in it than one expression
    reference = _sole_reference(deferred.text, bare=deferred.bare)
    if reference is None or reference.name in deferred.names:
        return forms.UNKNOWN
    if reference.name in deferred.steps:
        found = steps.get(deferred.steps[reference.name], forms.UNKNOWN)
    elif reference.name == "prev":
        found = previous or forms.UNKNOWN
    else:
        found = variables.get(reference.name, forms.UNKNOWN)
    for key in reference.path:
        found = _selected(found, key)
    return found


def type_of_input(node: Node, workflow: model.Workflow) -> forms.Type:
    """Return the type of a value that is an input of the workflow and nothing else."""
    from flowrunner.expressions import ExpressionError

    if not isinstance(node, Scalar) or not has_expression(str(node.value)):
        return forms.UNKNOWN
    try:
        reference = _sole_reference(str(node.value))
    except ExpressionError:
        return forms.UNKNOWN
    if reference is None or reference.name != "inputs" or len(reference.path) != 1:
        return forms.UNKNOWN
    schemas = {each.name: each.schema for each in workflow.inputs}
    return _type_of_schema(schemas.get(reference.path[0], {}))


def _sole_reference(text: str, *, bare: bool = False) -> Reference | None:
    """Return the reference that a text is, if it is one and nothing else."""
    references = parsed(text, bare).references
    inner = text if bare else text.removeprefix("${").removesuffix("}")
    if len(references) != 1 or (inner == text and not bare):
        return None
    (reference,) = references
    written = text[reference.offset : reference.offset + reference.length]
    return reference if inner.strip() == written else None


def _type_of_schema(schema: Any) -> forms.Type:
    if not isinstance(schema, Mapping):
        return forms.UNKNOWN
    named = schema.get("type")
    names = named if isinstance(named, (list, tuple)) else [named]
    items = forms.ListOf((_type_of_schema(schema.get("items")),)) if "array" in names else None
    types = {**_SCHEMA_TYPES, "array": items or forms.UNKNOWN}
    return forms.any_of(types.get(name, forms.UNKNOWN) for name in names)


def _selected(type_: forms.Type, key: str) -> forms.Type:
    match type_:
        case forms.Origin():
            return replace(type_, type=_selected(type_.type, key))
        case forms.DictOf():
            return type_.parts[0]
        case forms.Record():
            return record_fields(type_.hint).get(key, (forms.UNKNOWN, False))[0]
        case forms.Value(value=abc.Mapping() as value) if key in value:
            return forms.Value(value[key])
        case _:
            return forms.UNKNOWN


def item_type(type_: forms.Type) -> forms.Type | None:
    """Return the type of a list's items; ``None`` where it certainly is no list."""
    match type_:
        case forms.Origin():
            item = item_type(type_.type)
            return item and replace(type_, type=item)
        case forms.ListOf() | forms.Members():
            return forms.alternatives(type_.parts)
        case forms.Value(value=list() | tuple() as value):
            return forms.alternatives(map(forms.Value, value))
        case forms.Alternatives() | forms.AnyOf():
            items = list(map(item_type, type_.parts))
            lists = [each for each in items if each is not None]
            if isinstance(type_, forms.Alternatives):
                return None if None in items else forms.alternatives(lists)
            if forms.UNKNOWN in lists:
                return forms.UNKNOWN
            return forms.AnyOf(tuple(lists)) if lists else None
        case forms.Value():
            return None
        case _:
            fits = misfit(type_, forms.ListOf((forms.UNKNOWN,))) is None
            return forms.UNKNOWN if fits else None
