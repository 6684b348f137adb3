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

    def several(self, make: Callable[[], T], most: int) -> list[T]:
        """Return up to ``most`` things, one after the other: each can be left out."""
        made: list[T] = []
        while len(made) < most and self.below(6):
            made.append(make())
        return made

    def of(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]


def decoded(decode: Callable[[Choices], T], *, size: int = 40) -> st.SearchStrategy[T]:
    """Return what a function makes of random choices: mostly of about twice ``size``.

    Of the first strategy, to which the others shrink, every byte can be left out.
    """
    large = st.binary(min_size=size, max_size=8 * size)
    content = st.one_of(st.binary(max_size=8 * size), *[large] * 5)
    return content.map(lambda drawn: decode(Choices(drawn)))
