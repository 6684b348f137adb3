"""Texts with the guilty part marked: ``${‹1 + 'a'›}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from flowrunner.expressions import ExpressionError, parse_expression, parse_template

NAMES: Mapping[str, Any] = {
    "i": 4,
    "half": 0.5,
    "yes": True,
    "nothing": None,
    "word": "ab",
    "inputs": {
        "count": 3,
        "name": "größe",
        "items": [10, 20, 30],
        "nested": {"a b": {"c": [1, {"d": "deep"}]}, "if": 1},
        "empty": [],
        "": "empty key",
    },
}


def template_value(text: str, names: Mapping[str, Any] = NAMES) -> Any:
    """Return what a text with ``${…}`` in it gives."""
    return parse_template(text).evaluate(names)


def expression_value(text: str, names: Mapping[str, Any] = NAMES) -> Any:
    """Return what a bare expression gives."""
    return parse_expression(text).evaluate(names)


def assert_refused(
    marked: str, message: str, names: Mapping[str, Any] = NAMES, *, template: bool = True
) -> None:
    """Assert that the text is refused with the message and the place between ‹ and ›."""
    before, guilty, after = marked.replace("›", "‹").split("‹")
    text = before + guilty + after
    with pytest.raises(ExpressionError) as caught:
        (template_value if template else expression_value)(text, names)
    error = caught.value
    assert error.message == message
    assert (text[error.offset : error.offset + error.length], error.offset) == (
        guilty,
        len(before),
    )
    assert error.length == len(guilty)
