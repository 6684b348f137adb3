"""JSON to what a hint wants: integers for whole floats, instances for models.

JSON has one kind of number, so that ``3.0`` may come where an ``int`` is wanted. What a hint does
not tell for sure stays as it is; a ``TypedDict`` is checked as a model is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from flowrunner.hints import forms
from flowrunner.hints.fitting import Misfit, all_fit, misfit
from flowrunner.hints.models import has_model, made
from flowrunner.hints.reading import read_hint, record_fields
from flowrunner.values import EXACT_FLOATS, whole_number

__all__ = ["Converter", "UnfitValueError", "converter_of", "optional"]

#: Returns what a function gets for a value; raises :class:`UnfitValueError`.
Converter: TypeAlias = Callable[[Any], Any]


class UnfitValueError(Exception):
    """A value that a hint refuses."""

    def __init__(self, misfit: Misfit) -> None:
        super().__init__(misfit)
        self.misfit = misfit


def converter_of(hint: Any, context: dict[str, Any] | None) -> Converter | None:
    """Return what converts values for a hint; ``None`` if it takes every value as it is.

    Without a ``context`` for pydantic only numbers are converted, and nothing is checked.
    """
    if has_model(hint):
        return None if context is None else lambda value: made(hint, value, context)
    wanted = read_hint(hint)
    conversion = _Conversion(context, checks=context is not None)
    return partial(conversion.of, wanted) if _converts(wanted) else None


def optional(convert: Converter | None) -> Converter | None:
    """Return the same, which takes ``None`` as well."""
    return convert and (lambda value: None if value is None else convert(value))


def _converts(wanted: forms.Type) -> bool:
    if wanted == forms.WHOLE or isinstance(wanted, (forms.Record, forms.Model)):
        return True
    is_integer = isinstance(wanted, forms.Value) and type(wanted.value) is int
    return is_integer or any(map(_converts, wanted.parts))


class _Conversion:
    """``checks`` makes a ``TypedDict`` refuse what does not fit, at its outermost."""

    def __init__(self, context: dict[str, Any] | None, *, checks: bool) -> None:
        self._context = context
        self._checks = checks
        self._within_record = _Conversion(context, checks=False) if checks else self

    def of(self, wanted: forms.Type, value: Any) -> Any:
        match wanted:
            case forms.Plain():
                return _whole(value) if wanted.kind is int else value
            case forms.OneOf() if type(value) is float:
                integers = [each for each in wanted.parts if _converts(each)]
                return int(value) if forms.Value(value) in integers else value
            case forms.ListOf() | forms.Members() if isinstance(value, (list, tuple)):
                return self._list(wanted, value)
            case forms.DictOf() if isinstance(value, dict):
                (want,) = wanted.parts
                if all_fit(value.values(), wanted):
                    return value
                return {key: self._part(key, want, part) for key, part in value.items()}
            case forms.Record():
                return self._record(wanted, value)
            case forms.AnyOf():
                return self._union(wanted, value)
            case forms.Model() if self._context is not None:
                return made(wanted.hint, value, self._context)
            case _:
                return value

    def _part(self, key: str | int, wanted: forms.Type, value: Any) -> Any:
        try:
            return self.of(wanted, value)
        except UnfitValueError as error:
            raise UnfitValueError(error.misfit.within(key)) from None

    def _list(self, wanted: forms.Compound, value: Sequence[Any]) -> Any:
        wants = wanted.parts * len(value) if isinstance(wanted, forms.ListOf) else wanted.parts
        plain = isinstance(wanted, forms.ListOf) and all_fit(value, wanted)
        if plain or len(wants) != len(value) or not _converts(wanted):
            return value
        return list(map(self._part, range(len(value)), wants, value))

    def _record(self, wanted: forms.Record, value: Any) -> Any:
        found = misfit(forms.Unmade(value), wanted) if self._checks else None
        if found is not None:
            raise UnfitValueError(found)
        if not isinstance(value, dict):
            return value
        fields = record_fields(wanted.hint)
        inner = self._within_record
        return {
            key: inner._part(key, fields[key][0], part) if key in fields else part
            for key, part in value.items()
        }

    def _union(self, wanted: forms.AnyOf, value: Any) -> Any:
        others = [each for each in wanted.parts if each != forms.NULL]
        if len(others) < len(wanted.parts) and (value is None or len(others) == 1):
            return None if value is None else self.of(others[0], value)
        if not _converts(wanted):
            return value
        if all(isinstance(each, forms.Plain) for each in others):
            return value if forms.NUMBER in others else _whole(value)
        found = [misfit(forms.Unmade(value), each) for each in others]
        fits = zip(others, found, strict=True)
        fitting = [self.of(each, value) for each, misfits in fits if misfits is None]
        inexact = [each for each in found if each is not None and each.reason == EXACT_FLOATS]
        if inexact and not fitting:
            raise UnfitValueError(inexact[-1])
        # Two alternatives that differ leave open what is wanted: `list[int] | list[float]`.
        alike = fitting and all(repr(each) == repr(fitting[0]) for each in fitting[1:])
        return fitting[0] if alike else value


def _whole(value: Any) -> Any:
    if type(value) is not float or not value.is_integer():
        return value
    number = whole_number(value)
    if number is None:
        raise UnfitValueError(Misfit(forms.Value(value), forms.WHOLE, reason=EXACT_FLOATS))
    return number
