"""The types of values that run time says, where they are a name with keys and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flowrunner.hints.forms import (
    TEXT,
    UNKNOWN,
    Alternatives,
    AnyOf,
    DictOf,
    ListOf,
    Members,
    Origin,
    Record,
    Type,
    Value,
    alternatives,
)
from flowrunner.hints.reading import record_fields
from flowrunner.plan import Deferred
from flowrunner.planner.types.fitting import misfit
from flowrunner.template import parsed

__all__ = ["item_type", "type_of_deferred"]


def type_of_deferred(
    deferred: Deferred, given: Type | None, variables: Mapping[str, Type], steps: Mapping[str, Type]
) -> Type:
    """Return what an expression gives: ``prev``, an item's name or an id, and keys of it.

    ``steps`` holds the types of steps by their paths.
    """
    if not deferred.bare and not (deferred.text.startswith("${") and deferred.text.endswith("}")):
        return TEXT  # there is more in it than one expression
    references = parsed(deferred.text, deferred.bare).references
    if len(references) != 1 or references[0].name in deferred.names:
        return UNKNOWN
    reference = references[0]
    written = deferred.text[reference.offset : reference.offset + reference.length]
    inner = deferred.text if deferred.bare else deferred.text[2:-1]
    if inner.strip() != written:
        return UNKNOWN
    if reference.name in deferred.steps:
        found = steps.get(deferred.steps[reference.name], UNKNOWN)
    elif reference.name == "prev":
        found = given or UNKNOWN
    else:
        found = variables.get(reference.name, UNKNOWN)
    for key in reference.path:
        found = _selected(found, key)
    return found


def _selected(type_: Type, key: str) -> Type:
    match type_:
        case Origin():
            return replace(type_, type=_selected(type_.type, key))
        case DictOf():
            return type_.value
        case Record():
            return record_fields(type_.hint).get(key, (UNKNOWN, False))[0]
        case Value() if isinstance(type_.value, Mapping) and key in type_.value:
            return Value(type_.value[key])
        case _:
            return UNKNOWN


def item_type(type_: Type) -> Type | None:
    """Return the type of a list's items; ``None`` where it certainly is no list."""
    match type_:
        case Origin():
            item = item_type(type_.type)
            return item and replace(type_, type=item)
        case ListOf():
            return type_.item
        case Members():
            return alternatives(type_.items)
        case Alternatives():
            items = [item_type(each) for each in type_.members]
            return None if None in items else alternatives(each for each in items if each)
        case AnyOf():
            found = [item_type(each) for each in type_.members]
            lists = [each for each in found if each is not None]
            if UNKNOWN in lists:
                return UNKNOWN
            return AnyOf(tuple(lists)) if lists else None
        case Value():
            if not isinstance(type_.value, (list, tuple)):
                return None
            return alternatives(map(Value, type_.value))
        case _:
            return UNKNOWN if misfit(type_, ListOf(UNKNOWN)) is None else None
