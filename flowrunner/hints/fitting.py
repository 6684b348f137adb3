"""Whether a value or a type fits a hint.

Values that Python functions accept in practice fit as well: an integer for a ``float``, a
boolean for an ``int``, a float without a fraction for an ``int`` (which gets the integer), a list
for a ``tuple``, and more keys than a ``TypedDict`` names. Values that are not JSON always fit: a
deferred value, or an instance that pydantic has made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from flowrunner.hints import forms
from flowrunner.hints.models import refusal_of_model
from flowrunner.hints.reading import Fields, record_fields
from flowrunner.values import EXACT_FLOATS, whole_number

__all__ = ["Misfit", "all_fit", "misfit"]

_CONTAINERS: Final = (dict, list, tuple, Mapping)


class Misfit(Struct, frozen=True):
    """What does not fit: the innermost part of it, and what is wanted there.

    ``keys`` lead to that part of a value; ``reason`` says more where a type cannot; ``origin`` is
    what produces it, as far as that is known.
    """

    given: forms.Type
    wanted: forms.Type
    keys: tuple[str | int, ...] = ()
    reason: str = ""
    origin: forms.Origin | None = None

    def within(self, key: str | int) -> Misfit:
        """Return the same, as a part of what holds it under that key."""
        return replace(self, keys=(key, *self.keys))


def misfit(given: forms.Type, wanted: forms.Type, depth: int = 0) -> Misfit | None:
    """Return why one type does not fit where another is wanted, or ``None`` if it may fit."""
    if given is forms.UNKNOWN or wanted is forms.UNKNOWN or given is wanted:
        return None
    match given:
        case forms.Value():
            if type(given.value) not in forms.TAKEN and not isinstance(given.value, _CONTAINERS):
                return None
            if isinstance(wanted, forms.Plain) and type(given.value) in forms.plain_types(wanted):
                return None
            depth = 0  # a value ends somewhere
        case forms.Origin():
            found = misfit(given.type, wanted, depth)
            return found if found is None or found.origin else replace(found, origin=given)
        case forms.Alternatives():
            return _first(misfit(each, wanted, depth) for each in given.parts)
        case forms.AnyOf() | forms.OneOf():
            fits = any(misfit(each, wanted, depth) is None for each in given.parts)
            return None if fits else Misfit(given, wanted)
        case forms.Model():
            return None
    return None if depth > forms.DEEPEST else _misfit_with(given, wanted, depth + 1)


def _misfit_with(given: forms.Type, wanted: forms.Type, depth: int) -> Misfit | None:
    match wanted:
        case forms.Plain() | forms.OneOf():
            return _misfit_with_plain(given, wanted)
        case forms.ListOf() | forms.Members():
            return _misfit_with_list(given, wanted, depth)
        case forms.DictOf() | forms.Record():
            return _misfit_with_dict(given, wanted, depth)
        case forms.AnyOf():
            found = [misfit(given, each, depth) for each in wanted.parts]
            return None if None in found else _of_union(found, given, wanted)
        case forms.Model() if type(given) is forms.Value:
            refused = refusal_of_model(wanted.hint, given.value)
            return refused and Misfit(given, wanted, *refused)
        case _:
            return None


def _misfit_with_plain(given: forms.Type, wanted: forms.Plain | forms.OneOf) -> Misfit | None:
    value = given.value if isinstance(given, forms.Value) else None
    if type(value) is float and wanted == forms.WHOLE:
        fits = value.is_integer()
        if fits and whole_number(value) is None:
            return Misfit(given, wanted, reason=EXACT_FLOATS)
    elif isinstance(given, forms.Value) and isinstance(wanted, forms.OneOf):
        fits = forms.Value(value) in wanted.parts
    else:
        kinds = map(_kind, wanted.parts or (wanted,))
        fits = any(_kind(given) in forms.TAKEN[kind] for kind in kinds if kind)
    return None if fits else Misfit(given, wanted)


def _kind(type_: forms.Type) -> type | None:
    value_kind = type(type_.value) if isinstance(type_, forms.Value) else None
    return type_.kind if isinstance(type_, forms.Plain) else value_kind


def _misfit_with_list(
    given: forms.Type, wanted: forms.ListOf | forms.Members, depth: int
) -> Misfit | None:
    value = given.value if isinstance(given, forms.Value) else None
    if isinstance(given, forms.Value) and isinstance(value, (list, tuple)):
        if isinstance(wanted, forms.ListOf) and all_fit(value, wanted):
            return None
        items: tuple[forms.Type, ...] = tuple(map(type(given), value))
    elif isinstance(given, (forms.ListOf, forms.Members)):
        items = given.parts
    else:
        return Misfit(given, wanted)
    wants = wanted.parts
    if isinstance(given, forms.ListOf):
        items *= len(wants)
    elif isinstance(wanted, forms.ListOf):
        wants *= len(items)
    if len(items) != len(wants):
        reason = f"{len(items)} item{'s' * (len(items) != 1)} in place of {len(wants)}"
        return Misfit(given, wanted, reason=reason)
    for position, (item, want) in enumerate(zip(items, wants, strict=True)):
        found = misfit(item, want, depth)
        if found is not None:
            return found if value is None else found.within(position)
    return None


def _misfit_with_dict(
    given: forms.Type, wanted: forms.DictOf | forms.Record, depth: int
) -> Misfit | None:
    value = given.value if isinstance(given, forms.Value) else None
    wants = record_fields(wanted.hint) if isinstance(wanted, forms.Record) else {}
    if isinstance(given, forms.DictOf):
        needed = [want for want, required in wants.values() if required] or list(wanted.parts)
        return _first(misfit(given.parts[0], want, depth) for want in needed)
    if isinstance(given, forms.Value) and isinstance(value, (dict, Mapping)):
        if isinstance(wanted, forms.DictOf) and all_fit(value.values(), wanted):
            return None
        of = type(given)
        fields: Fields = {key: (of(each), True) for key, each in value.items()}
    elif isinstance(given, forms.Record):
        fields = record_fields(given.hint)
    else:
        return Misfit(given, wanted)
    if isinstance(wanted, forms.DictOf):
        wants = {key: (wanted.parts[0], True) for key, (_, required) in fields.items() if required}
    for key, (_, required) in wants.items():
        if required and key not in fields and (fields or value is not None):
            return Misfit(given, wanted, reason=f"it has no key '{key}'")
    for key, (want, _) in wants.items():
        found = misfit(fields[key][0], want, depth) if key in fields else None
        if found is not None and value is not None:
            return found.within(key)
        if found is not None:
            is_other = f"the key '{key}' is another" if isinstance(wanted, forms.Record) else ""
            return replace(found, reason=found.reason or is_other)
    return None


def all_fit(values: Iterable[Any], wanted: forms.Compound) -> bool:
    """Tell whether values without parts fit; quick for many thousands of values."""
    return forms.plain_types(wanted.parts[0]).issuperset(map(type, values))


def _first(found: Iterable[Misfit | None]) -> Misfit | None:
    return next((each for each in found if each is not None), None)


def _of_union(found: Iterable[Misfit | None], given: forms.Type, wanted: forms.AnyOf) -> Misfit:
    """Return the misfit inside the only member that comes close, else of the union as a whole."""
    misfits = [each for each in found if each is not None]
    close = [each for each in misfits if each.keys or each.reason]
    if len(close) == 1:
        return close[0]
    origin = next((each.origin for each in misfits if each.origin is not None), None)
    return Misfit(given, wanted, origin=origin)
