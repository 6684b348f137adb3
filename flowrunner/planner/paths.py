"""Paths: how a step is named by where it stands in the file."""

from __future__ import annotations

__all__ = ["joined"]


def joined(path: str, key: str) -> str:
    """Return the path of a key's value; that of the whole file is empty."""
    return f"{path}.{key}" if path else key
