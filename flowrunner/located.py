"""Values that know their location in a file."""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import Any

from msgspec import Struct

__all__ = ["Located"]


class Located(Struct, frozen=True, eq=False):
    """A frozen value with a ``location``, which ``==``, ``hash()`` and ``repr()`` leave out."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return bool(_values(self) == _values(other))

    def __ne__(self, other: object) -> bool:  # a struct's own one compares identities
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), _values(self)))

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in _compared(type(self)))
        return f"{type(self).__name__}({', '.join(shown)})"


@cache
def _compared(kind: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name != "location")


@cache
def _getter(kind: type[Struct]) -> Any:
    return attrgetter(*_compared(kind))


def _values(value: Located) -> Any:
    return _getter(type(value))(value)
