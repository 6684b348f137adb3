"""Suggestions for misspelt names: did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Final

__all__ = ["bounded_comparisons", "did_you_mean", "listed", "nearest", "quoted", "suggestion"]

#: Comparing takes quadratic time: longer names, and more of them, are not looked at.
LONGEST_NAME: Final = 100
MOST_NAMES: Final = 1_000
#: Names that a message lists; one about an expression, whose names are cut to LONGEST_SHOWN.
MOST_LISTED: Final = 12
_MOST_SUGGESTED: Final = 8
LONGEST_SHOWN: Final = 40
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


def quoted(text: str) -> str:
    """Return a text in quotes, short and without control characters."""
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…")


def suggestion(name: str, known: Iterable[str], heading: str) -> str:
    """Return the cure for a name that is not among the known ones."""
    names = [each for each in known if isinstance(each, str)]
    if not names:
        return f"there are no {heading}"
    close = _look_alike(name, names) or nearest(name, names)
    if close is not None:
        return f"did you mean {quoted(close)}?{_odd_letter(name, close)}"
    first = ", ".join(_bare(each) for each in names[:_MOST_SUGGESTED])
    return f"{heading}: {first}{', …' if len(names) > _MOST_SUGGESTED else ''}"


def _look_alike(name: str, known: list[str]) -> str | None:
    """Return the name that Python, which changes letters, would take this one for."""
    if name.isascii() or len(name) > LONGEST_SHOWN:
        return None
    from unicodedata import normalize

    plain = normalize("NFKC", name)
    return plain if plain in known else None


def _odd_letter(name: str, close: str) -> str:
    if name.isascii():
        return ""
    from unicodedata import normalize

    # An accent shows; a letter of another script may not.
    others = (
        each for each in name if each not in close and not normalize("NFD", each)[0].isascii()
    )
    odd = next(others, None)
    if odd is None:
        return ""
    code = f"U+{ord(odd):04X}"
    return f" '{odd}' is {code}, another letter" if odd.isprintable() else f" It has {code} in it"


def _bare(name: str) -> str:
    return name if name.isidentifier() and len(name) <= LONGEST_SHOWN else quoted(name)
