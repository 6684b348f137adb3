"""Times as people read them."""

from __future__ import annotations

from datetime import datetime

__all__ = ["shown_duration", "shown_moment"]


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


def shown_moment(moment: datetime) -> str:
    """Return a moment in the time of this machine, to the second."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
