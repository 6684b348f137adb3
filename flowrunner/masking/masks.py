"""What this process must not show, and texts without it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

__all__ = [
    "MASKS",
    "Masks",
    "known_secrets",
    "knows_secrets",
    "learn",
    "masked_data",
    "masked_text",
]

#: Values that a process remembers at the most; a worker meets those of many runs.
MOST_VALUES: Final = 2000
#: Characters by which forms are found: the shortest form has as many.
HEAD: Final = 4
#: Up to so many beginnings of forms are searched for one by one; more in one pass over the text.
FEW: Final = 100
#: Characters of a form that something has cut off which are replaced, and the part of it.
SHORTEST_CUT: Final = 8
PART_OF_CUT: Final = 4

_ELLIPSIS: Final = re.compile(r"\.{3,}|…")

_Span = tuple[int, int, str]


class Masks:
    """Values, each with what is shown in its place.

    Nothing is computed before there is a text to look at. Safe to use from several threads and
    in a process that was forked from them: it has no lock.
    """

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}
        self._forms: dict[str, frozenset[str]] = {}
        self._table: _Table | None = None
        #: Another one after each change: a table of an earlier one is out of date.
        self._state = object()

    def __bool__(self) -> bool:
        return bool(self._shown)

    @property
    def values(self) -> dict[str, str]:
        """The values, and what is shown in their places."""
        return dict(self._shown)

    def learn(self, value: str, shown: str) -> None:
        """Replace a value from now on."""
        if value in self._shown or len(value.strip()) < HEAD:
            return
        if len(self._shown) >= MOST_VALUES:
            kept = list(self._shown.items())[MOST_VALUES // 2 :]
            self._forms = {}
            self._shown = dict(kept)
        self._shown[value] = shown
        self._state = object()

    def text(self, text: str) -> str:
        """Return a text without the values, in whatever form they stand in it."""
        if not self._shown or not text:
            return text
        spans = self._current().spans(text)
        return _replaced(text, spans) if spans else text

    def _current(self) -> _Table:
        table, state = self._table, self._state
        if table is None or table.state is not state:
            from flowrunner.masking.forms import forms_of

            forms = self._forms
            shown: dict[str, str] = {}
            for value, name in self.values.items():
                if value not in forms:
                    forms[value] = forms_of(value)
                for form in forms[value]:
                    shown.setdefault(form, name)
            table = self._table = _Table(shown, state)
        return table


class _Table:
    """Forms, and the ways to find them."""

    def __init__(self, shown: Mapping[str, str], state: object) -> None:
        self.state = state
        self._shown = shown
        self._heads = _by(shown, slice(0, HEAD))
        self._tails: dict[str, list[str]] | None = None

    def spans(self, text: str) -> list[_Span]:
        """Return where forms stand in a text: ordered, the longest first of those that overlap."""
        from flowrunner.masking.forms import levelled

        ellipses = list(_ELLIPSIS.finditer(text))
        cuts = [each.start() for each in ellipses]
        found = list(self._found(text, cuts))
        level = levelled(text)
        if level is not text:
            found += self._found(level, cuts)
        if ellipses:
            found += self._ends(text, [each.end() for each in ellipses], [*cuts, len(text)])
        return sorted(found, key=lambda span: (span[0], -span[1]))

    def _found(self, text: str, cuts: Sequence[int]) -> Iterator[_Span]:
        """Yield where forms stand, and what is left of them before an ellipsis that cut them."""
        for start, forms in self._hits(text):
            for form in forms:  # the longest first
                if text.startswith(form, start):
                    yield start, start + len(form), self._shown[form]
                    break
            if cuts and cuts[-1] >= start + SHORTEST_CUT:
                end = cuts[bisect_left(cuts, start)]
                left = text[start:end]
                for form in forms:
                    if form.startswith(left) and _is_much(left, form):
                        yield start, end, self._shown[form]
                        break

    def _hits(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Yield where forms may begin."""
        heads = self._heads
        if len(heads) > FEW:
            starts = range(len(text) - HEAD + 1)
            found = [start for start in starts if text[start : start + HEAD] in heads]
            yield from ((start, heads[text[start : start + HEAD]]) for start in found)
            return
        for head, forms in heads.items():
            start = text.find(head)
            while start >= 0:
                yield start, forms
                start = text.find(head, start + 1)

    def _ends(self, text: str, begins: Sequence[int], ends: Sequence[int]) -> Iterator[_Span]:
        """Yield what is left of forms after an ellipsis that cut them."""
        if self._tails is None:
            long = [form for form in self._shown if len(form) >= SHORTEST_CUT]
            self._tails = _by(long, slice(-SHORTEST_CUT, None))
        for begin, end in zip(begins, ends[1:], strict=True):
            for at in range(begin + SHORTEST_CUT, min(end, begin + self._longest) + 1):
                for form in self._tails.get(text[at - SHORTEST_CUT : at], ()):
                    left = text[begin:at]
                    if form.endswith(left) and _is_much(left, form):
                        yield begin, at, self._shown[form]
                        break

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._shown))


def _is_much(left: str, form: str) -> bool:
    return len(left) >= max(SHORTEST_CUT, len(form) / PART_OF_CUT)


def _by(forms: Iterable[str], part: slice) -> dict[str, list[str]]:
    """Return forms by a part of them, the longest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for form in forms:
        found[form[part]].append(form)
    for each in found.values():
        each.sort(key=len, reverse=True)
    return dict(found)


def _replaced(text: str, spans: Iterable[_Span]) -> str:
    """Return a text with what stands in its spans; of those that overlap nothing is left."""
    parts: list[str] = []
    end, last = 0, ""
    for start, stop, shown in spans:
        if start >= end:
            parts += (text[end:start], shown)
        elif stop > end and shown != last:
            parts.append(shown)
        elif stop <= end:
            continue
        end, last = stop, shown
    return "".join([*parts, text[end:]])


#: What this process has met.
MASKS: Final = Masks()


def learn(value: str, shown: str) -> None:
    """Replace a value, from now on, in all that this process shows or records."""
    MASKS.learn(value, shown)


def knows_secrets() -> bool:
    """Tell whether this process has met a value that it must not show."""
    return bool(MASKS)


def known_secrets() -> dict[str, str]:
    """Return the values that this process must not show, and what it shows in their places."""
    return MASKS.values


def masked_text(text: str) -> str:
    """Return a text without the values that this process must not show."""
    return MASKS.text(text)


def masked_data(value: Any) -> Any:
    """Return data with :func:`masked_text` of the texts in it, keys of mappings too."""
    if not MASKS:
        return value
    if isinstance(value, str):
        return MASKS.text(value)
    if isinstance(value, Mapping):
        return {masked_data(key): masked_data(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        masked = map(masked_data, value)
        return tuple(masked) if isinstance(value, tuple) else list(masked)
    return value
