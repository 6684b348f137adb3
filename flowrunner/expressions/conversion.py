"""Values as text."""

from __future__ import annotations

from typing import Any

from flowrunner.expressions.errors import OperandError
from flowrunner.expressions.kinds import (
    BOOLEAN,
    NULL,
    NUMBER,
    TEXT,
    kind_of,
    require_carriable,
    require_number,
)
from flowrunner.expressions.limits import LONGEST_TEXT, Work

__all__ = ["as_text", "require_text_length"]


def as_text(value: Any, work: Work) -> str:
    """Return a value as it is written inside a text: a text as it is, anything else as JSON."""
    kind = kind_of(value)
    if kind is TEXT:
        return str(value)
    if kind is NULL:
        return "null"
    if kind is BOOLEAN:
        return "true" if value else "false"
    if kind is NUMBER:
        require_number(value)
        try:
            return float.__repr__(value) if isinstance(value, float) else int.__repr__(value)
        except ValueError:  # Python refuses to write integers of thousands of digits.
            raise OperandError("the number is too large to be written") from None
    require_carriable(value, work)
    from json import dumps

    try:
        text = dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        raise OperandError("the value is nested too deeply to be written") from None
    require_text_length(len(text))
    work.spend_on_characters(len(text))
    return text


def require_text_length(characters: int) -> None:
    """Raise :class:`OperandError` when a text of that length is too long."""
    if characters > LONGEST_TEXT:
        raise OperandError(f"the string would have more than {LONGEST_TEXT:,} characters")
