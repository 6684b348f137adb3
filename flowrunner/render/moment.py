"""Moments as people read them."""

from __future__ import annotations

from datetime import datetime

__all__ = ["shown_moment"]


def shown_moment(moment: datetime) -> str:
    """Return a moment in the time of this machine, to the second."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
