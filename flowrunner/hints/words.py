"""Types in words, as messages call them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from inspect import formatannotation
from types import NoneType
from typing import Any, Final

from flowrunner.hints import forms
from flowrunner.values import shown

__all__ = ["hint_text", "in_words", "path_text"]

_NOUNS: Final[dict[type, str]] = {
    NoneType: "null",
    bool: "boolean",
    int: "whole number",
    float: "number",
    str: "text",
}
#: Words are read, so what has more parts is told by the first of them.
_MOST_PARTS: Final = 4
_MOST_DEPTH: Final = 4
_MODULES: Final = re.compile(r"('[^']*'|\"[^\"]*\")|\b(?:[^\W\d]\w*\.)+(?=[^\W\d])")


def in_words(type_: forms.Type, depth: int = 0, *, many: bool = False) -> str:
    """Return what a value of that type is called, or ``many`` of them."""
    match type_:
        case forms.Origin():
            return in_words(type_.type, depth, many=many)
        case forms.OneOf():
            shown = (in_words(each) for each in type_.parts[:_MOST_PARTS])
            return " or ".join(dict.fromkeys(shown))
        case forms.AnyOf() | forms.Alternatives():
            is_said = forms.WHOLE if many and forms.NUMBER in type_.parts else None
            members = [each for each in type_.parts if each != is_said]
            return _joined(members, depth, "and" if many else "or", many=many)
        case forms.Value() if not many:
            return _value(type_.value)
        case forms.UNKNOWN:
            return "" if many else "a value"
        case _:
            noun = _noun(type_, depth, "s" * many)
            return noun if many or type_ == forms.NULL else f"a {noun}"


def _noun(type_: forms.Type, depth: int, plural: str) -> str:
    match type_:
        case forms.Plain():
            return _NOUNS[type_.kind] + plural
        case forms.Hinted():
            return f"dict{plural} ({hint_text(type_.hint)})"
        case forms.Value():
            container = "dict" if isinstance(type_.value, Mapping) else "list"
            return _NOUNS.get(type(type_.value), container) + plural
        case _:
            container = ("dict" if isinstance(type_, forms.DictOf) else "list") + plural
            parts = type_.parts if depth < _MOST_DEPTH else ()
            inner = _joined(parts, depth + 1, "and", many=True)
            return f"{container} of {inner}" if inner else container


def _joined(members: Iterable[forms.Type], depth: int, conjunction: str, *, many: bool) -> str:
    words = list(dict.fromkeys(in_words(each, depth, many=many) for each in members))
    if "" in words:  # of something, nothing is known
        return ""
    if len(words) > _MOST_PARTS:
        words = [*words[:_MOST_PARTS], "others"]
    *first, last = words or [""]
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def _value(value: Any) -> str:
    try:
        return shown(value)
    except TypeError:  # something in it is deferred
        return "a list" if isinstance(value, (list, tuple)) else "a dict"


def path_text(keys: Iterable[str | int]) -> str:
    """Return keys as they are written behind a name: ``[0].key``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)


def hint_text(hint: Any) -> str:
    """Return a type hint as it is written, without the modules that its names come from."""
    text = hint if isinstance(hint, str) else formatannotation(hint)
    return _MODULES.sub(lambda match: match[1] or "", text).replace("NoneType", "None")
