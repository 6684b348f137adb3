"""Types in words, as messages call them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from inspect import formatannotation
from typing import Any, Final

from flowrunner.hints.forms import (
    NUMBER,
    WHOLE,
    Alternatives,
    AnyOf,
    DictOf,
    Kind,
    ListOf,
    Members,
    Model,
    OneOf,
    Origin,
    Plain,
    Record,
    Type,
    Unknown,
    Value,
    kind_of,
)
from flowrunner.values import shown

__all__ = ["hint_text", "in_words"]

_ONE: Final[dict[Kind, str]] = {
    "null": "null",
    "boolean": "a boolean",
    "whole": "a whole number",
    "number": "a number",
    "text": "a text",
}
_MANY: Final[dict[Kind, str]] = {
    "null": "nulls",
    "boolean": "booleans",
    "whole": "whole numbers",
    "number": "numbers",
    "text": "texts",
}
#: Words are read, so what has more parts is told by the first of them.
_MOST_PARTS: Final = 4
_MOST_DEPTH: Final = 4
_MODULES: Final = re.compile(r"('[^']*'|\"[^\"]*\")|\b(?:[^\W\d]\w*\.)+(?=[^\W\d])")


def in_words(type_: Type, depth: int = 0) -> str:
    """Return what a value of that type is called."""
    match type_:
        case Plain():
            return _ONE[type_.kind]
        case Origin():
            return in_words(type_.type, depth)
        case Value():
            return _value(type_.value)
        case OneOf():
            return " or ".join(dict.fromkeys(map(shown, type_.values[:_MOST_PARTS])))
        case AnyOf() | Alternatives():
            return _joined((in_words(each, depth) for each in type_.members), "or")
        case ListOf() | Members() | DictOf() | Record() | Model():
            return f"a {_container(type_, depth, many=False)}"
        case Unknown():
            return "a value"


def _many_in_words(type_: Type, depth: int) -> str:
    match type_:
        case Plain():
            return _MANY[type_.kind]
        case Origin():
            return _many_in_words(type_.type, depth)
        case AnyOf() | Alternatives():
            members = [
                each for each in type_.members if each != WHOLE or NUMBER not in type_.members
            ]
            return _joined((_many_in_words(each, depth) for each in members), "and")
        case ListOf() | Members() | DictOf() | Record() | Model():
            return _container(type_, depth, many=True)
        case Value() if (kind := kind_of(type_.value)) is not None:
            return _MANY[kind]
        case Value():
            return "dicts" if isinstance(type_.value, Mapping) else "lists"
        case Unknown():
            return ""
        case _:
            return in_words(type_, depth)


def _container(type_: ListOf | Members | DictOf | Record | Model, depth: int, *, many: bool) -> str:
    plural = "s" if many else ""
    if isinstance(type_, (Record, Model)):
        return f"dict{plural} ({hint_text(type_.hint)})"
    name = "dict" if isinstance(type_, DictOf) else "list"
    if depth >= _MOST_DEPTH:
        return f"{name}{plural}"
    if isinstance(type_, DictOf):
        inner = _many_in_words(type_.value, depth + 1)
    elif isinstance(type_, ListOf):
        inner = _many_in_words(type_.item, depth + 1)
    else:
        inner = _joined((_many_in_words(each, depth + 1) for each in type_.items), "and")
    return f"{name}{plural} of {inner}" if inner else f"{name}{plural}"


def _joined(words: Iterable[str], conjunction: str) -> str:
    found = list(dict.fromkeys(words))
    if "" in found:  # of something, nothing is known
        return ""
    if len(found) > _MOST_PARTS:
        found = [*found[:_MOST_PARTS], "others"]
    *first, last = found or [""]
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def _value(value: Any) -> str:
    try:
        return shown(value)
    except TypeError:  # something in it is deferred
        return "a list" if isinstance(value, (list, tuple)) else "a dict"


def hint_text(hint: Any) -> str:
    """Return a type hint as it is written, without the modules that its names come from."""
    text = hint if isinstance(hint, str) else formatannotation(hint)
    return _MODULES.sub(lambda match: match[1] or "", text).replace("NoneType", "None")
