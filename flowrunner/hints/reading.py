"""Type hints to types: what JSON a parameter takes, or a function returns.

Whatever is not understood for sure is unknown, and unknown types fit everything.
"""

from __future__ import annotations

import collections.abc
import enum
import types
import typing
from typing import Any, Final

from flowrunner.hints.forms import (
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    UNKNOWN,
    WHOLE,
    AnyOf,
    DictOf,
    ListOf,
    Members,
    Model,
    OneOf,
    Record,
    Type,
    any_of,
)
from flowrunner.hints.models import has_model, is_model

__all__ = ["has_model_within", "read_hint", "record_fields", "resolved"]

_PLAIN: Final[dict[Any, Type]] = {
    int: WHOLE,
    float: NUMBER,
    bool: BOOLEAN,
    str: TEXT,
    None: NULL,
    type(None): NULL,
    typing.LiteralString: TEXT,
}
_LISTS: Final = (list, collections.abc.MutableSequence)
_DICTS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
#: What a dict and a text are as well: of its keys, and of its characters.
_ITERABLES: Final = (
    collections.abc.Iterable,
    collections.abc.Collection,
    collections.abc.Reversible,
)
_QUALIFIERS: Final = {"Required": True, "NotRequired": False}
#: Aliases may stand for themselves.
_DEEPEST_HINT: Final = 12


def resolved(hint: Any, namespace: dict[str, Any]) -> Any:
    """Return a hint with the names in it looked up, where a part of it is a text.

    Raises whatever the text raises: any expression can stand in an annotation.
    """
    holder = types.SimpleNamespace(__annotations__={"hint": hint})
    return typing.get_type_hints(holder, namespace, include_extras=True)["hint"]


def read_hint(hint: Any, depth: int = 0) -> Type:
    """Return the type that a hint stands for."""
    if depth > _DEEPEST_HINT:
        return UNKNOWN
    try:
        plain = _PLAIN.get(hint)
    except TypeError:  # no hint at all: it has no hash
        return UNKNOWN
    if plain is not None:
        return plain
    if isinstance(hint, typing.NewType):
        return read_hint(hint.__supertype__, depth + 1)
    if type(hint).__name__ == "TypeAliasType":  # Python 3.12: type X = …
        return read_hint(hint.__value__, depth + 1)
    if typing.is_typeddict(hint):
        return Record(hint)
    if is_model(hint):
        return Model(hint)
    return _read_generic(hint, depth + 1)


def _read_generic(hint: Any, depth: int) -> Type:
    origin: Any = typing.get_origin(hint) or hint
    arguments = typing.get_args(hint)
    if origin is typing.Annotated:
        return read_hint(arguments[0], depth)
    if origin in (typing.Union, types.UnionType):
        if has_model(hint) and len([each for each in arguments if each is not type(None)]) > 1:
            return Model(hint)  # only pydantic can tell which alternative it chooses
        return any_of(read_hint(each, depth) for each in arguments)
    if origin is typing.Literal:
        return _read_literal(arguments)
    if origin is tuple:
        return _read_tuple(arguments, depth)
    if origin in _DICTS:
        return DictOf(read_hint(arguments[1], depth) if len(arguments) == 2 else UNKNOWN)
    item = read_hint(arguments[0], depth) if len(arguments) == 1 else UNKNOWN
    if origin in _LISTS:
        return ListOf(item)
    if origin is collections.abc.Sequence:
        return any_of((ListOf(item), TEXT) if _takes_text(item) else (ListOf(item),))
    if origin in _ITERABLES:
        more = (TEXT, DictOf(UNKNOWN)) if _takes_text(item) else ()
        return any_of((ListOf(item), *more))
    return UNKNOWN


def _read_literal(values: tuple[Any, ...]) -> Type:
    if any(isinstance(each, (bytes, enum.Enum)) for each in values):
        return UNKNOWN
    return OneOf(values)


def _read_tuple(items: tuple[Any, ...], depth: int) -> Type:
    if not items:
        return ListOf(UNKNOWN)
    if len(items) == 2 and items[1] is Ellipsis:
        return ListOf(read_hint(items[0], depth))
    if any(isinstance(each, typing.TypeVar) or _is_unpacked(each) for each in items):
        return ListOf(UNKNOWN)
    return Members(tuple(read_hint(each, depth) for each in items))


def _is_unpacked(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Unpack or bool(getattr(hint, "__unpacked__", False))


def _takes_text(item: Type) -> bool:
    members = item.members if hasattr(item, "members") else (item,)
    return item == UNKNOWN or TEXT in members or any(isinstance(each, OneOf) for each in members)


_FIELDS: Final[dict[Any, dict[str, tuple[Type, bool]]]] = {}


def record_fields(hint: Any) -> dict[str, tuple[Type, bool]]:
    """Return the fields of a ``TypedDict``: what each is, and whether it has to be there."""
    if hint not in _FIELDS:
        _FIELDS[hint] = _read_fields(hint)
    return _FIELDS[hint]


def _read_fields(hint: Any) -> dict[str, tuple[Type, bool]]:
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


def _holds_model(type_: Type, depth: int) -> bool:
    if depth > _DEEPEST_HINT:
        return False
    match type_:
        case Model():
            return True
        case ListOf():
            inner: tuple[Type, ...] = (type_.item,)
        case Members():
            inner = type_.items
        case DictOf():
            inner = (type_.value,)
        case AnyOf():
            inner = type_.members
        case Record():
            inner = tuple(each for each, _ in record_fields(type_.hint).values())
        case _:
            return False
    return any(_holds_model(each, depth + 1) for each in inner)
