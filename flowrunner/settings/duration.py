"""Spans of time as people write them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["read_duration"]

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART: Final = re.compile(
    r"\s*(?:and\s+|,\s*)?(\d+(?:\.\d+)?)\s*"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\b",
    re.IGNORECASE | re.ASCII,
)


def read_duration(text: str) -> float | None:
    """Return the seconds that a text means, ``2 days``, ``1h 30m`` or ``90``; None if none."""
    if re.fullmatch(r"\s*\d+(?:\.\d+)?\s*", text, re.ASCII):
        return float(text)
    seconds, position, end = 0.0, 0, len(text.rstrip())
    # "1h30m" has no boundary between its parts.
    spaced = re.sub(r"(?<=[a-z])(?=\d)", " ", text, flags=re.IGNORECASE)
    text, end = spaced, len(spaced.rstrip())
    while part := _PART.match(text, position):
        seconds += float(part[1]) * _SECONDS[part[2][0].lower()]
        position = part.end()
    return seconds if position == end and position else None
