"""Reports of tests that another process reads."""

from __future__ import annotations

from typing import Any

__all__ = ["escaped"]


def escaped(data: Any) -> Any:
    """Return data of a report with lone surrogates escaped: they cannot be encoded."""
    match data:
        case str():
            return data.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {key: escaped(value) for key, value in data.items()}
        case list() | tuple():
            return type(data)(map(escaped, data))
    return data
