"""JSON to what a hint wants: integers for whole floats, instances for models.

JSON has one kind of number, so that ``3.0`` may come where an ``int`` is wanted. What a hint does
not tell for sure stays as it is; a ``TypedDict`` is checked as a model is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, TypeAlias

from flowrunner.hints.forms import (
    NULL,
    NUMBER,
    TAKEN,
    WHOLE,
    AnyOf,
    DictOf,
    ListOf,
    Members,
    Model,
    OneOf,
    Plain,
    Record,
    Type,
    kind_of,
)
from flowrunner.hints.models import has_model, made
from flowrunner.hints.reading import read_hint, record_fields
from flowrunner.hints.words import hint_text, in_words
from flowrunner.values import EXACT_FLOATS, shown, whole_number

__all__ = ["Converter", "UnfitValueError", "converter_of", "optional"]

#: Gives what a function gets for a value; raises :class:`UnfitValueError`.
Converter: TypeAlias = Callable[[Any], Any]

_SCALARS: Final = frozenset([str, int, bool, type(None)])


class UnfitValueError(Exception):
    """A value that a hint refuses; ``keys`` lead to it.

    ``certain`` says that no alternative of a union can take the value either.
    """

    def __init__(self, reason: str, keys: str = "", *, certain: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.keys = keys
        self.certain = certain

    def within(self, key: str | int) -> UnfitValueError:
        """Return the same, as a part of what holds it under that key."""
        written = f"[{key}]" if isinstance(key, int) else f".{key}"
        return UnfitValueError(self.reason, written + self.keys, certain=self.certain)


def converter_of(hint: Any, context: dict[str, Any] | None) -> Converter | None:
    """Return what converts values for a hint; ``None`` if it takes every value as it is.

    Without a ``context`` for pydantic only numbers are converted, and nothing is checked.
    """
    if has_model(hint):
        return None if context is None else lambda value: made(hint, value, context)
    return _Conversion(context).of(read_hint(hint))


class _Conversion:
    """Makes converters of types. ``strict`` ones refuse what does not fit."""

    def __init__(self, context: dict[str, Any] | None) -> None:
        self._context = context

    def of(self, type_: Type, *, strict: bool = False) -> Converter | None:
        match type_:
            case Plain():
                return self._plain(type_, strict=strict)
            case OneOf():
                return _one_of(type_, strict=strict)
            case ListOf():
                return self._list(type_, strict=strict)
            case Members():
                return self._members(type_, strict=strict)
            case DictOf():
                return self._dict(type_, strict=strict)
            case AnyOf():
                return self._union(type_, strict=strict)
            case Record():
                return self._record(type_, strict=strict)
            case Model() if (context := self._context) is not None:
                hint = type_.hint
                return lambda value: made(hint, value, context)
            case _:
                return None

    def _plain(self, type_: Plain, *, strict: bool) -> Converter | None:
        if type_ == WHOLE and not strict:
            return _whole
        if not strict:
            return None
        taken = TAKEN[type_.kind]

        def checked(value: Any) -> Any:
            value = _whole(value) if type_ == WHOLE else value
            if kind_of(value) not in taken or (type_ == WHOLE and type(value) is float):
                raise _misfit(value, type_)
            return value

        return checked

    def _list(self, type_: ListOf, *, strict: bool) -> Converter | None:
        item = self.of(type_.item, strict=strict)
        if item is None and not strict:
            return None

        def items(value: Any) -> Any:
            if not isinstance(value, (list, tuple)):
                return _unfit(value, type_, strict=strict)
            if item is None or (item is _whole and float not in set(map(type, value))):
                return value
            return _each(value, (item for _ in value))

        return items

    def _members(self, type_: Members, *, strict: bool) -> Converter | None:
        items = [self.of(each, strict=strict) for each in type_.items]
        if not strict and not any(items):
            return None

        def members(value: Any) -> Any:
            if not isinstance(value, (list, tuple)) or len(value) != len(items):
                return _unfit(value, type_, strict=strict)
            return _each(value, items)

        return members

    def _dict(self, type_: DictOf, *, strict: bool) -> Converter | None:
        item = self.of(type_.value, strict=strict)
        if item is None and not strict:
            return None

        def values(value: Any) -> Any:
            if not isinstance(value, dict):
                return _unfit(value, type_, strict=strict)
            return value if item is None else {k: _at(k, item, v) for k, v in value.items()}

        return values

    def _record(self, type_: Record, *, strict: bool) -> Converter:
        strict = strict or self._context is not None

        @cache
        def fields() -> dict[str, tuple[Converter | None, bool]]:
            # Of the first value: a TypedDict may hold itself.
            found = record_fields(type_.hint).items()
            return {name: (self.of(each, strict=strict), need) for name, (each, need) in found}

        def record(value: Any) -> Any:
            if not isinstance(value, dict):
                return _unfit(value, type_, strict=strict)
            converted = dict(value)
            for name, (convert, needed) in fields().items():
                if name in value and convert is not None:
                    converted[name] = _at(name, convert, value[name])
                elif strict and needed and name not in value:
                    raise UnfitValueError(
                        f"has no key '{name}', which {hint_text(type_.hint)} needs"
                    )
            return converted

        return record

    def _union(self, type_: AnyOf, *, strict: bool) -> Converter | None:
        others = [each for each in type_.members if each != NULL]
        if len(others) == 1 and len(type_.members) == 2:
            return optional(self.of(others[0], strict=strict))
        lenient = [self.of(each) for each in type_.members]
        if not strict and not any(lenient):
            return None
        if not strict and set(lenient) == {_whole, None} and _are_plain(type_):
            return None if NUMBER in type_.members else _whole
        members = [self.of(each, strict=True) for each in type_.members]

        def chosen(value: Any) -> Any:
            found, certain = [], None
            for member in members:
                try:
                    found.append(value if member is None else member(value))
                except UnfitValueError as misfit:
                    certain = misfit if misfit.certain else certain
            if not found:
                if certain is not None:
                    raise certain
                return _unfit(value, type_, strict=strict)
            # Two alternatives that differ leave open what is wanted: `list[int] | list[float]`.
            return found[0] if all(repr(each) == repr(found[0]) for each in found[1:]) else value

        return chosen


def optional(convert: Converter | None) -> Converter | None:
    """Return the same, which takes ``None`` as well."""
    return convert and (lambda value: None if value is None else convert(value))


def _are_plain(type_: AnyOf) -> bool:
    return all(isinstance(each, Plain) for each in type_.members)


def _whole(value: Any) -> Any:
    if type(value) is not float or not value.is_integer():
        return value
    number = whole_number(value)
    if number is None:
        raise UnfitValueError(f"is {value!r}: {EXACT_FLOATS}", certain=True)
    return number


def _one_of(type_: OneOf, *, strict: bool) -> Converter | None:
    numbers: dict[float, int] = {each: each for each in type_.values if type(each) is int}
    if not strict and not numbers:
        return None

    def one(value: Any) -> Any:
        if type(value) is float and value in numbers:
            return numbers[value]
        if strict and value not in type_.values:
            raise _misfit(value, type_)
        return value

    return one


def _each(values: Any, converters: Iterable[Converter | None]) -> list[Any]:
    pairs = zip(values, converters, strict=True)
    return [
        value if convert is None else _at(position, convert, value)
        for position, (value, convert) in enumerate(pairs)
    ]


def _at(key: str | int, convert: Converter, value: Any) -> Any:
    try:
        return convert(value)
    except UnfitValueError as misfit:
        raise misfit.within(key) from None


def _unfit(value: Any, type_: Type, *, strict: bool) -> Any:
    if strict:
        raise _misfit(value, type_)
    return value


def _misfit(value: Any, type_: Type) -> UnfitValueError:
    return UnfitValueError(f"is {_short(value)}, not {in_words(type_)}")


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "a dict"
    return "a list" if isinstance(value, (list, tuple)) else shown(value)
