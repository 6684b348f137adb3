"""Plain YAML scalars to values, by the core schema of YAML 1.2 (section 10.3.2).

So ``on``, ``yes`` and ``1:30`` are texts and ``010`` is ten, unlike in YAML 1.1.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

__all__ = ["ScalarError", "resolve_plain"]

#: Integers outside of ±2⁶³ do not travel through every JSON reader and message broker.
MAXIMUM_INTEGER: Final = 2**63

_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC_START: Final = frozenset("+-.0123456789")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class ScalarError(ValueError):
    """A number that JSON, or a broker, could not carry; ``cure`` says what to write instead."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


def resolve_plain(text: str) -> str | int | float | bool | None:
    """Return the value of a scalar without quotes. Raises :class:`ScalarError`."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if isfinite(value):
            return value
        raise ScalarError("this number is too large", "write a number up to about 1.8e308")
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError(f"JSON has no number '{text}'", "write null, or quote the string")
    return text


def _integer(text: str) -> int:
    # Python refuses to convert thousands of digits, so the length is looked at first.
    value = int(text, 0 if text[1:2] in ("o", "x") else 10) if len(text) <= 40 else None
    if value is None or not -MAXIMUM_INTEGER <= value < MAXIMUM_INTEGER:
        raise ScalarError(
            "this integer is too large",
            "write an integer from -2^63 to 2^63-1, or quote it to make it a string",
        )
    return value
