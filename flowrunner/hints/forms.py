"""What is known of a value before it is there: the kind of JSON that it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from flowrunner.plan import Given

__all__ = [
    "BOOLEAN",
    "NULL",
    "NUMBER",
    "TAKEN",
    "TEXT",
    "UNKNOWN",
    "WHOLE",
    "Alternatives",
    "AnyOf",
    "DictOf",
    "Kind",
    "ListOf",
    "Members",
    "Model",
    "OneOf",
    "Origin",
    "Plain",
    "Record",
    "Type",
    "Unknown",
    "Value",
    "alternatives",
    "any_of",
    "doubtful",
    "kind_of",
    "kinds_of",
]

Kind: TypeAlias = Literal["null", "boolean", "whole", "number", "text"]

#: The kinds that a parameter of a kind takes.
TAKEN: Final[dict[Kind, frozenset[Kind]]] = {
    "null": frozenset(["null"]),
    "boolean": frozenset(["boolean"]),
    "whole": frozenset(["whole", "boolean", "number"]),
    "number": frozenset(["number", "whole", "boolean"]),
    "text": frozenset(["text"]),
}
_KINDS: Final[dict[type, Kind]] = {
    type(None): "null",
    bool: "boolean",
    int: "whole",
    float: "number",
    str: "text",
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known: it fits everything."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A value without parts. A ``number`` may be a whole one."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of any length whose items are alike."""

    item: Type


@dataclass(frozen=True, slots=True)
class Members:
    """A list of these items."""

    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class DictOf:
    """A dict whose values are alike."""

    value: Type


@dataclass(frozen=True, slots=True)
class Record:
    """A dict as a ``TypedDict`` says."""

    hint: Any


@dataclass(frozen=True, slots=True)
class Model:
    """What pydantic makes something of: a model, or any hint of a function that it checks."""

    hint: Any


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the values of a ``Literal``."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A union in a hint: whoever wrote it knows which of them comes, so one that fits is enough."""

    members: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What different steps give: any of them may come, so that each has to fit."""

    members: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A value that is known, but for what is deferred in it."""

    value: Any


@dataclass(frozen=True, slots=True)
class Origin:
    """A type, and a note of what gives it.

    ``item`` is the node that gives a fan-out's item, which has a place in the file.
    """

    type: Type
    note: str = ""
    item: Given | None = field(default=None, compare=False)


Type: TypeAlias = (
    Unknown
    | Plain
    | ListOf
    | Members
    | DictOf
    | Record
    | Model
    | OneOf
    | AnyOf
    | Alternatives
    | Value
    | Origin
)

UNKNOWN: Final = Unknown()
NULL: Final = Plain("null")
BOOLEAN: Final = Plain("boolean")
WHOLE: Final = Plain("whole")
NUMBER: Final = Plain("number")
TEXT: Final = Plain("text")


def any_of(members: Iterable[Type]) -> Type:
    """Return the union, which is not known where one of its members is not."""
    found = dict.fromkeys(_flat(members))
    if UNKNOWN in found:
        return UNKNOWN
    return next(iter(found)) if len(found) == 1 else AnyOf(tuple(found))


def _flat(members: Iterable[Type]) -> Iterator[Type]:
    for member in members:
        if isinstance(member, AnyOf):
            yield from member.members
        else:
            yield member


def alternatives(members: Iterable[Type]) -> Type:
    """Return what any of the members may be, each told once; unknown where one of them is."""
    found: dict[int, Type] = {}
    for member in members:
        for each in member.members if isinstance(member, Alternatives) else (member,):
            found[id(each)] = each
    if not found or UNKNOWN in found.values():
        return UNKNOWN
    distinct = tuple(found.values())
    return distinct[0] if len(distinct) == 1 else Alternatives(distinct)


def doubtful(type_: Type) -> Type:
    """Return a type of which it is enough that one of its alternatives fits."""
    match type_:
        case Alternatives():
            return AnyOf(tuple(map(doubtful, type_.members)))
        case ListOf():
            return ListOf(doubtful(type_.item))
        case Members():
            return Members(tuple(map(doubtful, type_.items)))
        case Origin():
            return replace(type_, type=doubtful(type_.type))
        case _:
            return type_


def kind_of(value: Any) -> Kind | None:
    """Return the kind of a value without parts; ``None`` of any other."""
    return _KINDS.get(type(value))


def kinds_of(*kinds: Kind) -> frozenset[type]:
    """Return the Python types of values of these kinds."""
    return frozenset(type_ for type_, kind in _KINDS.items() if kind in kinds)
