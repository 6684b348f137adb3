"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

__all__ = ["did_you_mean", "nearest"]

#: Comparing takes quadratic time: longer names, and more of them, are not looked at.
LONGEST_NAME: Final = 100
MOST_NAMES: Final = 1_000


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt one is nearest to, if any is near."""
    if len(name) > LONGEST_NAME:
        return None
    from difflib import get_close_matches

    candidates = [each for each in islice(known, MOST_NAMES) if len(each) <= LONGEST_NAME]
    return next(iter(get_close_matches(name, candidates, n=1)), None)


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the question that cures a misspelt name, or what to say where none is near."""
    found = nearest(name, known)
    return otherwise if found is None else f"did you mean '{found}'?"
