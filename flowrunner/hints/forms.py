"""The forms of a type: which JSON a hint allows, or what is known of a value before it exists."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from flowrunner.plan import Given

__all__ = [
    "BOOLEAN",
    "DEEPEST",
    "NULL",
    "NUMBER",
    "TAKEN",
    "TEXT",
    "UNKNOWN",
    "WHOLE",
    "Alternatives",
    "AnyOf",
    "DictOf",
    "ListOf",
    "Members",
    "Model",
    "OneOf",
    "Origin",
    "Plain",
    "Record",
    "Type",
    "Unmade",
    "Value",
    "alternatives",
    "any_of",
    "doubtful",
    "plain_types",
]

#: The Python types of values without parts, and those that a parameter of such a type takes.
TAKEN: Final[dict[type, frozenset[type]]] = {
    NoneType: frozenset([NoneType]),
    bool: frozenset([bool]),
    int: frozenset([int, bool, float]),
    float: frozenset([int, bool, float]),
    str: frozenset([str]),
}
_PLAIN_TYPES: Final = {**TAKEN, int: frozenset([int, bool])}  # of floats, only some fit an int
#: Hints and types may contain themselves: deeper ones are unknown.
DEEPEST: Final = 12


class Type(Struct, frozen=True):
    """What is known of a value."""

    @property
    def parts(self) -> tuple[Type, ...]:
        """The types that it is made of."""
        return ()


class Compound(Type, frozen=True):
    """A type that is made of others."""

    parts: tuple[Type, ...]


class ListOf(Compound, frozen=True):
    """A list of any length whose items are alike: its part is their type."""


class Members(Compound, frozen=True):
    """A list of these items."""


class DictOf(Compound, frozen=True):
    """A dict whose values are alike: its part is their type."""


class OneOf(Compound, frozen=True):
    """One of the values of a ``Literal``."""


class AnyOf(Compound, frozen=True):
    """A union in a hint: the function's author knows which it is, so one that fits is enough."""


class Alternatives(Compound, frozen=True):
    """The results of different steps: any of them may come, so each has to fit."""


class Plain(Type, frozen=True):
    """A value without parts, by its Python type. A ``float`` may be a whole number."""

    kind: type


class Hinted(Type, frozen=True):
    """A type that only its hint describes."""

    hint: Any


class Record(Hinted, frozen=True):
    """A dict as a ``TypedDict`` defines it."""


class Model(Hinted, frozen=True):
    """What pydantic converts: a model, or any hint of a function that pydantic checks."""


class Value(Type, frozen=True):
    """A known value; parts of it may be deferred."""

    value: Any


class Unmade(Value, frozen=True):
    """A value at run time: the models in it are not judged, since they are made later."""


class Origin(Type, frozen=True):
    """A type, and a note of what produces it.

    ``item`` is the node of a fan-out's item, which has a location in the file.
    """

    type: Type
    note: str = ""
    item: Given | None = None


#: Nothing is known: it fits everything.
UNKNOWN: Final = Type()
NULL: Final = Plain(NoneType)
BOOLEAN: Final = Plain(bool)
WHOLE: Final = Plain(int)
NUMBER: Final = Plain(float)
TEXT: Final = Plain(str)


def any_of(members: Iterable[Type]) -> Type:
    """Return the union, which is unknown if one of its members is."""
    flat = (each.parts if isinstance(each, AnyOf) else (each,) for each in members)
    distinct = tuple(dict.fromkeys(chain.from_iterable(flat)))
    if UNKNOWN in distinct:
        return UNKNOWN
    return distinct[0] if len(distinct) == 1 else AnyOf(distinct)


def alternatives(members: Iterable[Type]) -> Type:
    """Return what any of the members may be, each told once; unknown if one of them is."""
    flat = (each.parts if isinstance(each, Alternatives) else (each,) for each in members)
    distinct = tuple({id(each): each for each in chain.from_iterable(flat)}.values())
    if not distinct or UNKNOWN in distinct:
        return UNKNOWN
    return distinct[0] if len(distinct) == 1 else Alternatives(distinct)


def doubtful(type_: Type) -> Type:
    """Return a type of which it is enough that one of its alternatives fits."""
    match type_:
        case Alternatives():
            return AnyOf(tuple(map(doubtful, type_.parts)))
        case ListOf() | Members():
            return type(type_)(tuple(map(doubtful, type_.parts)))
        case Origin():
            return replace(type_, type=doubtful(type_.type))
        case _:
            return type_


def plain_types(wanted: Type) -> frozenset[type]:
    """Return the Python types whose values all fit: they need no further check."""
    if isinstance(wanted, AnyOf):
        return frozenset().union(*map(plain_types, wanted.parts))
    if not isinstance(wanted, Plain):
        return frozenset()
    return _PLAIN_TYPES[wanted.kind]
