"""Random structures from one draw: hypothesis draws bytes, and a decoder reads them as it likes.

A strategy of strategies spends most of a proof's time on drawing. Bytes still shrink: to fewer
and to smaller ones, and a decoder takes 0 for the simplest choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

__all__ = ["Choices", "decoded"]

T = TypeVar("T")


class Choices:
    """Choices that are read from bytes; after the last byte each is the first one."""

    def __init__(self, content: bytes) -> None:
        self._rest = iter(content)

    def below(self, count: int) -> int:
        """Return a number from 0 to ``count`` - 1."""
        return next(self._rest, 0) % count

    def of(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]


def decoded(decode: Callable[[Choices], T], *, size: int = 32) -> st.SearchStrategy[T]:
    """Return what a function makes of random choices: about twice ``size``."""
    return st.binary(min_size=size, max_size=8 * size).map(lambda content: decode(Choices(content)))
