"""Whether what comes is what is wanted.

Never refused is what Python functions take in practice: a whole number for a ``float``, a
boolean for an ``int``, a float that is a whole number for an ``int`` (which gets the integer), a
list for a ``tuple``, more keys than a ``TypedDict`` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from flowrunner.hints.forms import (
    TAKEN,
    UNKNOWN,
    WHOLE,
    Alternatives,
    AnyOf,
    DictOf,
    ListOf,
    Members,
    Model,
    OneOf,
    Origin,
    Plain,
    Record,
    Type,
    Value,
    kind_of,
    kinds_of,
)
from flowrunner.hints.models import refusal_of_model
from flowrunner.hints.reading import record_fields
from flowrunner.plan import Deferred, Secret
from flowrunner.planner.scope import UNKNOWN as UNKNOWN_VALUE
from flowrunner.values import EXACT_FLOATS, whole_number

__all__ = ["Misfit", "misfit", "misfit_of_value", "plain_types"]

_NOT_KNOWN: Final = (Deferred, Secret, type(UNKNOWN_VALUE))
#: Types may hold themselves.
_DEEPEST_TYPE: Final = 12


class Misfit(Struct, frozen=True):
    """What does not fit: the innermost part of it, and what is wanted there.

    ``keys`` lead to that part of a value; ``reason`` says more where a type cannot; ``origin`` is
    what gives it, as far as that is known.
    """

    given: Type
    wanted: Type
    keys: tuple[str | int, ...] = ()
    reason: str = ""
    origin: Origin | None = None

    def within(self, key: str | int) -> Misfit:
        """Return the same, as a part of what holds it under that key."""
        return replace(self, keys=(key, *self.keys))


def misfit(given: Type, wanted: Type, depth: int = 0) -> Misfit | None:
    """Return what is wrong with giving one type where another is wanted, if anything is."""
    if given == UNKNOWN or wanted == UNKNOWN or given is wanted or depth > _DEEPEST_TYPE:
        return None
    match given:
        case Origin():
            found = misfit(given.type, wanted, depth)
            return found if found is None or found.origin else replace(found, origin=given)
        case Alternatives():
            return _first(misfit(each, wanted, depth) for each in given.members)
        case Value():
            return misfit_of_value(given.value, wanted)
        case AnyOf():
            fits = any(misfit(each, wanted, depth) is None for each in given.members)
            return None if fits else Misfit(given, wanted)
        case OneOf():
            fits = any(misfit_of_value(each, wanted) is None for each in given.values)
            return None if fits else Misfit(given, wanted)
        case Model():
            return None
        case _:
            return _misfit_with(given, wanted, depth)


def _misfit_with(given: Type, wanted: Type, depth: int) -> Misfit | None:
    match wanted:
        case Model():
            return None
        case AnyOf():
            found = [misfit(given, each, depth + 1) for each in wanted.members]
            return None if None in found else _of_union(found, given, wanted)
        case Plain():
            fits = isinstance(given, Plain) and given.kind in TAKEN[wanted.kind]
        case OneOf():
            kinds = {kind_of(each) for each in wanted.values}
            fits = isinstance(given, Plain) and any(
                kind is None or given.kind in TAKEN[kind] for kind in kinds
            )
        case ListOf() | Members():
            return _misfit_with_list(given, wanted, depth + 1)
        case DictOf():
            return _misfit_with_dict(given, wanted, depth + 1)
        case Record():
            return _misfit_with_record(given, wanted, depth + 1)
        case _:
            fits = True
    return None if fits else Misfit(given, wanted)


def _misfit_with_list(given: Type, wanted: ListOf | Members, depth: int) -> Misfit | None:
    match given, wanted:
        case ListOf(), ListOf():
            return misfit(given.item, wanted.item, depth)
        case Members(), ListOf():
            return _first(misfit(each, wanted.item, depth) for each in given.items)
        case ListOf(), Members():
            return _first(misfit(given.item, each, depth) for each in wanted.items)
        case Members(), Members():
            if len(given.items) != len(wanted.items):
                return Misfit(given, wanted, reason=_counted(len(given.items), len(wanted.items)))
            pairs = zip(given.items, wanted.items, strict=True)
            return _first(misfit(one, other, depth) for one, other in pairs)
        case _:
            return Misfit(given, wanted)


def _counted(given: int, wanted: int) -> str:
    return f"{given} item{'s' * (given != 1)} in place of {wanted}"


def _misfit_with_dict(given: Type, wanted: DictOf, depth: int) -> Misfit | None:
    if isinstance(given, DictOf):
        return misfit(given.value, wanted.value, depth)
    if isinstance(given, Record):
        fields = record_fields(given.hint).values()
        return _first(misfit(each, wanted.value, depth) for each, required in fields if required)
    return Misfit(given, wanted)


def _misfit_with_record(given: Type, wanted: Record, depth: int) -> Misfit | None:
    fields = record_fields(wanted.hint)
    if isinstance(given, DictOf):
        needed = (each for each, required in fields.values() if required)
        return _first(misfit(given.value, each, depth) for each in needed)
    if not isinstance(given, Record):
        return Misfit(given, wanted)
    known = record_fields(given.hint)
    for name, (each, required) in fields.items():
        if name in known:
            found = misfit(known[name][0], each, depth)
            if found is not None:
                return replace(found, reason=found.reason or f"the key '{name}' is another")
        elif required and known:
            return Misfit(given, wanted, reason=f"it has no key '{name}'")
    return None


def _first(found: Iterable[Misfit | None]) -> Misfit | None:
    return next((each for each in found if each is not None), None)


def _of_union(found: Iterable[Misfit | None], given: Type, wanted: AnyOf) -> Misfit:
    """Return the misfit inside the only member that comes close, else of the union as a whole."""
    misfits = [each for each in found if each is not None]
    close = [each for each in misfits if each.keys or each.reason]
    if len(close) == 1:
        return close[0]
    origin = next((each.origin for each in misfits if each.origin is not None), None)
    return Misfit(given, wanted, origin=origin)


def misfit_of_value(value: Any, wanted: Type) -> Misfit | None:
    """Return what is wrong with a value, if anything is."""
    if wanted == UNKNOWN or isinstance(value, _NOT_KNOWN):
        return None
    match wanted:
        case Plain():
            if wanted == WHOLE and type(value) is float and value.is_integer():
                exact = whole_number(value) is not None
                return None if exact else Misfit(Value(value), wanted, reason=EXACT_FLOATS)
            fits = kind_of(value) in TAKEN[wanted.kind] and not (
                wanted == WHOLE and type(value) is float
            )
        case OneOf():
            fits = any(value == each for each in wanted.values)
        case ListOf() | Members():
            return _misfit_of_list(value, wanted)
        case DictOf() | Record():
            return _misfit_of_dict(value, wanted)
        case AnyOf():
            found = [misfit_of_value(value, each) for each in wanted.members]
            return None if None in found else _of_union(found, Value(value), wanted)
        case Model():
            refused = refusal_of_model(wanted.hint, value)
            if refused is None:
                return None
            return Misfit(Value(value), wanted, refused.keys, refused.reason)
        case _:
            fits = True
    return None if fits else Misfit(Value(value), wanted)


def plain_types(wanted: Type) -> frozenset[type]:
    """Return the Python types of which every value fits."""
    if isinstance(wanted, AnyOf):
        return frozenset().union(*map(plain_types, wanted.members))
    if not isinstance(wanted, Plain):
        return frozenset()
    return kinds_of(*(TAKEN[wanted.kind] - ({"number"} if wanted.kind == "whole" else set())))


def _misfit_of_list(value: Any, wanted: ListOf | Members) -> Misfit | None:
    if not isinstance(value, (list, tuple)):
        return Misfit(Value(value), wanted)
    if isinstance(wanted, Members):
        if len(value) != len(wanted.items):
            reason = _counted(len(value), len(wanted.items))
            return Misfit(Value(value), wanted, reason=reason)
        items: Iterable[Type] = wanted.items
    else:
        if wanted.item == UNKNOWN:
            return None
        items = (wanted.item for _ in value)
    for position, (inner, item) in enumerate(zip(value, items, strict=True)):
        found = misfit_of_value(inner, item)
        if found is not None:
            return found.within(position)
    return None


def _misfit_of_dict(value: Any, wanted: DictOf | Record) -> Misfit | None:
    if not isinstance(value, Mapping):
        return Misfit(Value(value), wanted)
    if isinstance(wanted, DictOf):
        pairs = ((key, inner, wanted.value) for key, inner in value.items())
    else:
        fields = record_fields(wanted.hint)
        for name, (_, required) in fields.items():
            if required and name not in value:
                return Misfit(Value(value), wanted, reason=f"it has no key '{name}'")
        pairs = ((key, value[key], each) for key, (each, _) in fields.items() if key in value)
    for key, inner, type_ in pairs:
        found = misfit_of_value(inner, type_)
        if found is not None:
            return found.within(key)
    return None
