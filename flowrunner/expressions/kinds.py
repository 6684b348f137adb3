"""The kinds of JSON values."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any, Final

from flowrunner.expressions.errors import OperandError
from flowrunner.expressions.limits import LONGEST_LIST, LONGEST_TEXT, Work

__all__ = [
    "BOOLEAN",
    "DICT",
    "LIST",
    "NULL",
    "NUMBER",
    "TEXT",
    "kind_of",
    "kinds_in",
    "require_carriable",
    "require_number",
]

NULL: Final = "null"
BOOLEAN: Final = "a boolean"
NUMBER: Final = "a number"
TEXT: Final = "a string"
LIST: Final = "a list"
DICT: Final = "a mapping"

# bool comes before int, which it is a subclass of.
_KINDS: Final[dict[type, str]] = {
    type(None): NULL,
    bool: BOOLEAN,
    int: NUMBER,
    float: NUMBER,
    str: TEXT,
    list: LIST,
    dict: DICT,
}

_STEPS_PER_ITEM: Final = 2


def kind_of(value: Any) -> str:
    """Return the kind of a value, as messages call it.

    Raises :class:`OperandError` for what JSON does not have.
    """
    return _KINDS.get(type(value)) or _kind_of_type(type(value))


def kinds_in(values: Iterable[Any]) -> set[str]:
    """Return the kinds that occur among the values."""
    return {_KINDS.get(each) or _kind_of_type(each) for each in set(map(type, values))}


def _kind_of_type(type_: type) -> str:
    for base, kind in _KINDS.items():
        if issubclass(type_, base):
            return kind
    raise OperandError(f"'{type_.__name__}' is not a JSON type")


def require_number(value: Any) -> None:
    """Raise :class:`OperandError` for NaN and the infinities."""
    if isinstance(value, float) and not isfinite(value):
        raise OperandError(f"JSON has no number {value}")


def require_carriable(value: Any, work: Work) -> None:
    """Raise :class:`OperandError` unless a value is JSON and below the caps when written out.

    A part that is used twice counts twice: sharing ends where a value becomes JSON.
    """
    items = characters = 0
    pending = [value]
    while pending:
        value = pending.pop()
        kind = kind_of(value)
        if kind is TEXT:
            characters += len(value)
        elif kind is NUMBER:
            require_number(value)
        elif kind is LIST or kind is DICT:
            items += len(value)
            if items > LONGEST_LIST:
                raise OperandError(
                    f"the value has more than {LONGEST_LIST:,} items, "
                    "including those of inner lists"
                )
            work.spend(len(value) * _STEPS_PER_ITEM)
            pending.extend(value if kind is LIST else value.values())
            if kind is DICT:
                if kinds_in(value) - {TEXT}:
                    raise OperandError("the value has a mapping whose keys are not strings")
                characters += sum(map(len, value))
        if characters > LONGEST_TEXT:
            raise OperandError(f"the value has strings of more than {LONGEST_TEXT:,} characters")
