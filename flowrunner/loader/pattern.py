"""Regular expressions of schemas, by RE2: the time of a search is linear in the text."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

__all__ = ["PatternError", "pattern_size", "searches"]

#: Characters of a pattern.
LONGEST_PATTERN: Final = 4_096
#: Bytes that a compiled pattern and its states may take.
_MOST_MEMORY: Final = 4 * 2**20

_CURE: Final = "use RE2's syntax: no look-around, no back-references"
_CURES: Final = {
    "invalid escape sequence: \\Z": "write \\z for the end of the string",
    "invalid escape sequence: \\u": "write \\x{…} for a character's code",
    "invalid repetition size": "repeat at most 1,000 times: RE2's limit",
    "pattern too large": "write a shorter one",
}


class PatternError(ValueError):
    """A pattern that RE2 cannot use; ``cure`` says why, or what to write instead."""

    def __init__(self, cure: str) -> None:
        super().__init__(cure)
        self.cure = cure


def searches(pattern: str, text: str) -> bool:
    """Tell whether a pattern is found in a text. Raises :class:`PatternError`."""
    # A half of a surrogate pair has no UTF-8.
    return _compiled(pattern).search(text.encode(errors="replace").decode()) is not None


def pattern_size(pattern: str) -> int:
    """Return how many instructions a pattern has. Raises :class:`PatternError`."""
    return int(_compiled(pattern).programsize)


@lru_cache(maxsize=32)
def _compiled(pattern: str) -> Any:
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"write at most {LONGEST_PATTERN:,} characters")
    import re2

    options: Any = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MOST_MEMORY
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        raise PatternError(_cure(error.args[0])) from None


def _cure(reason: bytes | str) -> str:
    said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return next((cure for words, cure in _CURES.items() if said.startswith(words)), _CURE)
