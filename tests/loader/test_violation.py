"""Values against JSON Schemas, in words that say what is wanted."""

from typing import Any

import pytest

from flowrunner.loader import parse_value
from flowrunner.loader.violation import violations
from flowrunner.source import Source


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        ({"type": "integer"}, "ten", "must be an integer, not the string 'ten'"),
        ({"type": "integer"}, "true", "must be an integer, not true"),
        ({"type": ["string", "null"]}, "3", "must be a string or null, not 3"),
        ({"type": "array"}, "{a: 1}", "must be a list, not a mapping"),
        ({"type": "object"}, "[1]", "must be a mapping, not a list"),
        ({"enum": ["s", "l"]}, "m", "must be one of 's', 'l', not 'm'"),
        ({"const": 1}, "2", "must be 1, not 2"),
        ({"minimum": 1}, "0", "must be at least 1, not 0"),
        ({"maximum": 1}, "2", "must be at most 1, not 2"),
        ({"exclusiveMinimum": 0}, "0", "must be more than 0, not 0"),
        ({"exclusiveMaximum": 1}, "1", "must be less than 1, not 1"),
        ({"multipleOf": 5}, "7", "must be a multiple of 5, not 7"),
        ({"minLength": 1}, "''", "must not be empty"),
        ({"maxLength": 1}, "ab", "must have at most 1 character, not 2"),
        ({"minItems": 3}, "[1]", "must have at least 3 items, not 1"),
        ({"uniqueItems": True}, "[1, 1]", "must not contain duplicates"),
        ({"uniqueItems": True}, "[{a: 1}, {a: 1.0}]", "must not contain duplicates"),
        ({"pattern": "^a"}, "b", "must match the pattern ^a, not 'b'"),
        ({"required": ["a"]}, "{}", "must have the key 'a'"),
        ({"additionalProperties": False}, "{a: 1}", "must not have the key 'a'"),
        ({"items": {"type": "number"}}, "[1, x]", "must be a number, not the string 'x' at [1]"),
        (
            {"properties": {"rows": {"items": {"required": ["id"]}}}},
            "{rows: [{id: 1}, {}]}",
            "must have the key 'id' at rows[1]",
        ),
    ],
)
def test_a_violation_says_what_is_wanted(schema: dict[str, Any], text: str, message: str) -> None:
    node = parse_value(Source("-i", text))
    assert [violation.message for violation in violations(node, schema)] == [message]


def test_items_that_only_look_alike_are_not_the_same() -> None:
    node = parse_value(Source("-i", "[1, true, '1', [1], null, 0, false]"))
    assert list(violations(node, {"uniqueItems": True})) == []


def test_a_violation_points_at_the_part_that_is_wrong() -> None:
    node = parse_value(Source("-i", "rows: [1, zwei, 3]"))
    (found,) = violations(node, {"properties": {"rows": {"items": {"type": "integer"}}}})
    assert found.location.text == "zwei"


def test_a_long_value_is_not_quoted_whole() -> None:
    (found,) = violations(parse_value(Source("-i", "x" * 10_000)), {"type": "integer"})
    assert len(found.message) < 120
