"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Final

__all__ = ["bounded_comparisons", "did_you_mean", "listed", "nearest"]

#: Comparing takes quadratic time: longer names, and more of them, are not looked at.
LONGEST_NAME: Final = 100
MOST_NAMES: Final = 1_000
#: Names that a message lists.
MOST_LISTED: Final = 12
#: Characters of all pairs of names that are compared for one file: about half a second.
_MOST_COMPARED: Final = 4_000_000
_LEAST_COMPARED: Final = 100
_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


@contextmanager
def bounded_comparisons() -> Iterator[None]:
    """Suggest no more names once so many were compared: a file may be wrong in many places."""
    token = _left.set([_MOST_COMPARED])
    try:
        yield
    finally:
        _left.reset(token)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt one is nearest to, if any is near."""
    left = _left.get()
    if len(name) > LONGEST_NAME or (left is not None and left[0] < 0):
        return None
    from difflib import get_close_matches

    candidates = [each for each in islice(known, MOST_NAMES) if len(each) <= LONGEST_NAME]
    if left is not None:
        left[0] -= sum(_LEAST_COMPARED + len(name) * len(each) for each in candidates)
        if left[0] < 0:
            return None
    return next(iter(get_close_matches(name, candidates, n=1)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the question that cures a misspelt name, or what to say where none is near."""
    found = nearest(name, known)
    return otherwise if found is None else f"did you mean '{found}'?"


def listed(names: Iterable[str]) -> str:
    """Return names as a message lists them: the first ones, each cut to what one can read."""
    first = list(islice(names, MOST_LISTED + 1))
    shown = [
        each if len(each) <= LONGEST_NAME else f"{each[:LONGEST_NAME]}…"
        for each in first[:MOST_LISTED]
    ]
    return ", ".join([*shown, "…"] if len(first) > MOST_LISTED else shown)
