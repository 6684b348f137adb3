"""Durations: seconds, and texts such as ``5m``, ``1h30m`` or ``2 days``; and moments as text."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final

__all__ = [
    "DELAY",
    "LIMIT",
    "MOST_SECONDS",
    "exact_duration",
    "in_seconds",
    "read_clock",
    "read_duration",
    "read_iso_duration",
    "seconds_of",
    "shown_duration",
    "shown_moment",
    "written_duration",
]

#: A year: beyond, clocks overflow and no user waits.
MOST_SECONDS: Final = 31_536_000
#: The words for what a key takes.
DELAY: Final = "a duration from 0 to a year (30, 5m, 1h30m)"
LIMIT: Final = "a duration of more than 0 and at most a year (30, 5m, 1h30m)"

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART: Final = re.compile(
    r"\s*(?:and\s+|,\s*)?(\d{1,15}(?:\.\d{1,15})?)\s*"
    r"(ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\b",
    re.IGNORECASE | re.ASCII,
)
_CLOCK: Final = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d\d)", re.ASCII)
_ISO: Final = re.compile(r"P(\d{1,5}D)?T?(\d{1,5}H)?(\d{1,5}M)?(\d{1,5}(?:\.\d{1,5})?S)?", re.ASCII)
#: Longer texts are no durations.
_LONGEST_TEXT: Final = 100


def read_duration(text: str, *, bare: bool = False) -> float | None:
    """Return the seconds that a text means, ``500ms``, ``1h30m`` or ``2 days``; None if none.

    With ``bare``, a number without a unit means seconds.
    """
    if len(text) > _LONGEST_TEXT:
        return None
    if bare and re.fullmatch(r"\s*\d{1,15}(?:\.\d{1,15})?\s*", text, re.ASCII):
        return float(text)
    # "1h30m" has no boundary between its parts.
    spaced = re.sub(r"(?<=[a-z])(?=\d)", " ", text, flags=re.IGNORECASE).rstrip()
    seconds, position = 0.0, 0
    while part := _PART.match(spaced, position):
        unit = part[2].lower()
        seconds += float(part[1]) * _UNITS[unit if unit in _UNITS else unit[0]]
        position = part.end()
    if not position or position < len(spaced):
        return None
    return int(seconds) if seconds.is_integer() else round(seconds, 9)


def read_clock(text: str) -> float | None:
    """Return the seconds of a clock's text, ``1:30`` or ``1:02:03``; None if it is none."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * _UNITS["h"] + minutes * _UNITS["m"] + seconds


def read_iso_duration(text: str) -> float | None:
    """Return the seconds of an ISO 8601 duration, ``PT1H30M``; None if it is none."""
    found = _ISO.fullmatch(text)
    return None if found is None else read_duration("".join(filter(None, found.groups())))


def in_seconds(value: Any) -> float | None:
    """Return the seconds of a workflow's value, a number or a text; None if it is no duration."""
    if isinstance(value, str):
        return read_duration(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and isfinite(value) else None


def written_duration(seconds: float) -> str:
    """Return a duration as a workflow's file has it: ``1h30m``, ``500ms``."""
    whole: float
    whole, rest = divmod(round(seconds * 1_000), 1_000)
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, whole = divmod(whole, _UNITS[unit])
        parts += [f"{count:.0f}{unit}"] if count else []
    return "".join(parts) + (f"{rest}ms" if rest or not parts else "")


def seconds_of(value: Any) -> float | None:
    """Return a time of Celery's in seconds: a number, a timedelta, or one as ``str()`` writes."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)):
        return float(value)
    found = re.fullmatch(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.\d+)?", str(value))
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def shown_duration(seconds: float) -> str:
    """Return a duration in its two largest units: ``0.52 s``, ``3 min 20 s``, ``2 d 4 h``."""
    seconds = max(seconds, 0.0)
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def exact_duration(seconds: float) -> str:
    """Return a duration in one unit, as it is set: ``90 s``, ``2 h``, ``1 day``."""
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds == size or (seconds >= 2 * size and seconds % size == 0):
            return f"{seconds / size:g} {unit}{'s' if unit == 'day' and seconds > size else ''}"
    return f"{seconds:,.1f} s".replace(".0 s", " s")


def shown_moment(moment: datetime) -> str:
    """Return a moment in the time of this machine, to the second."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
