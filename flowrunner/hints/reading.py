"""Type hints to types: what JSON a parameter takes, or a function returns.

Whatever is not understood for sure is unknown, and unknown types fit everything.
"""

from __future__ import annotations

import types
import typing
from collections import abc
from functools import cache
from types import NoneType
from typing import Any, Final, TypeAlias

from flowrunner.hints import forms
from flowrunner.hints.models import has_model, is_model, named_hint

__all__ = ["Fields", "has_model_within", "read_hint", "record_fields"]

_DICTS: Final = (dict, abc.Mapping, abc.MutableMapping)
_ANY_DICT: Final = forms.DictOf((forms.UNKNOWN,))
#: A dict and a text are iterables too: of its keys, and of its characters.
_LISTS: Final[dict[Any, tuple[forms.Type, ...]]] = {
    list: (),
    abc.MutableSequence: (),
    abc.Sequence: (forms.TEXT,),
    abc.Iterable: (forms.TEXT, _ANY_DICT),
    abc.Collection: (forms.TEXT, _ANY_DICT),
    abc.Reversible: (forms.TEXT, _ANY_DICT),
}
_QUALIFIERS: Final = {"Required": True, "NotRequired": False}

#: The fields of a ``TypedDict``: the type of each, and whether it is required.
Fields: TypeAlias = abc.Mapping[str, tuple[forms.Type, bool]]


def read_hint(hint: Any, depth: int = 0) -> forms.Type:
    """Return the type that a hint stands for."""
    if depth > forms.DEEPEST:
        return forms.UNKNOWN
    hint = {None: NoneType, typing.LiteralString: str}.get(hint, hint)
    if hint in forms.TAKEN:
        return forms.Plain(hint)
    if (named := named_hint(hint)) is not None:
        return read_hint(named, depth + 1)
    if typing.is_typeddict(hint):
        return forms.Record(hint)
    if is_model(hint):
        return forms.Model(hint)
    return _read_generic(hint, depth + 1)


def _read_generic(hint: Any, depth: int) -> forms.Type:
    origin: Any = typing.get_origin(hint) or hint
    arguments = typing.get_args(hint)
    if origin is typing.Annotated:
        return read_hint(arguments[0], depth)
    if origin in (typing.Union, types.UnionType):
        if has_model(hint) and len([each for each in arguments if each is not type(None)]) > 1:
            return forms.Model(hint)  # only pydantic can tell which alternative it chooses
        return forms.any_of(read_hint(each, depth) for each in arguments)
    if origin is typing.Literal:
        readable = forms.TAKEN.keys() >= set(map(type, arguments))
        return forms.OneOf(tuple(map(forms.Value, arguments))) if readable else forms.UNKNOWN
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return forms.ListOf((read_hint(arguments[0], depth),))
    parts = tuple(read_hint(each, depth) for each in arguments)
    if origin is tuple:
        of_any = not parts or any(map(_is_variable, arguments))
        return forms.ListOf((forms.UNKNOWN,)) if of_any else forms.Members(parts)
    if origin in _DICTS:
        return forms.DictOf(parts[1:]) if len(parts) == 2 else _ANY_DICT
    if origin in _LISTS:
        item = parts[0] if len(parts) == 1 else forms.UNKNOWN
        more = _LISTS[origin] if _takes_text(item) else ()
        return forms.any_of((forms.ListOf((item,)), *more))
    return forms.UNKNOWN


def _is_variable(hint: Any) -> bool:
    unpacked = typing.get_origin(hint) is typing.Unpack or getattr(hint, "__unpacked__", False)
    return bool(unpacked) or isinstance(hint, typing.TypeVar)


def _takes_text(item: forms.Type) -> bool:
    members = item.parts if isinstance(item, forms.AnyOf) else (item,)
    return any(
        each in (forms.UNKNOWN, forms.TEXT) or isinstance(each, forms.OneOf) for each in members
    )


@cache
def record_fields(hint: Any) -> Fields:
    """Return the fields of a ``TypedDict``: the type of each, and whether it is required."""
    try:
        hints = typing.get_type_hints(hint, include_extras=True)
    except Exception:  # any expression can stand in an annotation, and fail
        return {}
    fields = {}
    for name, each in hints.items():
        required = name in hint.__required_keys__
        while (qualifier := getattr(typing.get_origin(each), "_name", None)) in (
            *_QUALIFIERS,
            "ReadOnly",
        ):
            # Where annotations are texts, __required_keys__ knows nothing of these.
            required = _QUALIFIERS.get(str(qualifier), required)
            each = typing.get_args(each)[0]
        fields[name] = (read_hint(each), required)
    return fields


def has_model_within(hint: Any) -> bool:
    """Tell whether a hint has models, also in the fields of a ``TypedDict``."""
    return has_model(hint) or _holds_model(read_hint(hint), 0)


def _holds_model(type_: forms.Type, depth: int) -> bool:
    if depth > forms.DEEPEST:
        return False
    inner = type_.parts
    if isinstance(type_, forms.Record):
        inner = tuple(each for each, _ in record_fields(type_.hint).values())
    return isinstance(type_, forms.Model) or any(_holds_model(each, depth + 1) for each in inner)
