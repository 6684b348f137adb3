"""Passwords in what is shown."""

from __future__ import annotations

import re

__all__ = ["without_password"]


def without_password(text: str) -> str:
    """Return a text with the passwords of the URLs in it replaced by ``**``."""
    text = re.sub(r"://([^:/@\s]*):[^/\s]*@", r"://\1:**@", text)
    return re.sub(r"(password=)[^&\s;]*", r"\1**", text)
