"""Patterns of inputs: by RE2, in linear time, and refused where RE2 has no such thing."""

from __future__ import annotations

import reprlib
from typing import Any

import pytest

from flowrunner.budget import Budget, BudgetUsedUpError
from flowrunner.loader import load_workflow, parse_value
from flowrunner.loader.pattern import PatternError, pattern_size, searches
from flowrunner.loader.violation import value_problem, violations
from flowrunner.source import Source

WORDS = [f"w{n}" for n in range(6_000)]
SLOW = "^(a+)+$"
LETTERS = "a" * 40 + "!"


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("^ab?c*$", "a", True),
        (r"^\d{4}-\d\d$", "2026-11", True),
        ("é.$", "caféx", True),
        (SLOW, LETTERS, False),
        (r"(.*.*.*.*.*.*=$)", "x" * 5_000, False),
        ("", "", True),
        ("a", "\ud800", False),
    ],
)
def test_a_pattern_is_searched(pattern: str, text: str, found: bool) -> None:
    assert searches(pattern, text) is found


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [
        ("(?=a)b", "use RE2's syntax: no look-around, no back-references"),
        ("(?<!a)b", "use RE2's syntax: no look-around, no back-references"),
        (r"(a)\1", "use RE2's syntax: no look-around, no back-references"),
        (r"(?P<n>a)(?P=n)", "use RE2's syntax: no look-around, no back-references"),
        ("(", "use RE2's syntax: no look-around, no back-references"),
        (r"a\Z", r"write \z for the end of the string"),
        (r"\u00e9", r"write \x{…} for a character's code"),
        ("x{2000}", "repeat at most 1,000 times: RE2's limit"),
        ("x" * 5_000, "write at most 4,096 characters"),
    ],
    ids=lambda text: text[:12],
)
def test_what_re2_does_not_have_is_refused(pattern: str, cure: str) -> None:
    with pytest.raises(PatternError) as caught:
        pattern_size(pattern)
    assert caught.value.cure == cure


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"pattern": SLOW}, LETTERS, True),
        ({"items": {"pattern": SLOW}}, [LETTERS], True),
        ({"properties": {"a": {"pattern": SLOW}}}, {"a": LETTERS}, True),
        ({"additionalProperties": {"pattern": SLOW}}, {"a": LETTERS}, True),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"x1": "a"}, True),
        ({"patternProperties": {"^(x+)+$": {"type": "integer"}}}, {"x" * 40 + "!": "a"}, False),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"x1": 1}, False),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, {"y": 1}, True),
        ({"propertyNames": {"pattern": SLOW}}, {LETTERS: 1}, True),
        ({"items": {"enum": WORDS}}, [*WORDS, *WORDS], False),
        ({"items": {"enum": WORDS}}, ["none"], True),
        ({"enum": [1, "1", True, {"a": [1]}]}, {"a": [1.0]}, False),
        ({"enum": [1]}, True, True),
        ({"const": [0, False]}, [0.0, False], False),
        ({"const": [0]}, [False], True),
        ({"uniqueItems": True}, [{"a": n} for n in range(10_000)], False),
    ],
    ids=lambda value: reprlib.repr(value)[:40],
)
def test_values_are_checked_in_linear_time(
    schema: dict[str, Any], value: Any, problem: bool
) -> None:
    budget = Budget()
    assert (value_problem(value, schema, budget) is not None) is problem


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"required": WORDS}}, [dict.fromkeys(WORDS)] * 3_000),
        ({"items": {"properties": {word: {} for word in WORDS}}}, [{}] * 3_000),
        ({"items": {"const": WORDS}}, [WORDS] * 3_000),
        ({"items": {"enum": [WORDS]}}, [WORDS] * 3_000),
        ({"items": {"uniqueItems": True}}, [WORDS] * 3_000),
        ({"pattern": "(x{0,900}y{0,900}){1}z"}, "x" * 1_000_000),
    ],
    ids=lambda value: reprlib.repr(value)[:40],
)
def test_work_that_multiplies_is_charged_before_it_is_done(
    schema: dict[str, Any], value: Any
) -> None:
    with pytest.raises(BudgetUsedUpError):
        value_problem(value, schema, Budget())
    assert value_problem(value, schema) == "must take less work to check"


def test_a_value_that_is_wrong_all_over_is_told_so_in_part() -> None:
    node = parse_value(Source("-i", f"[{'a, ' * 5_000}]"))
    assert len(violations(node, {"items": {"type": "integer"}})) == 100


def test_a_default_that_does_not_match_is_told_at_once() -> None:
    text = f"{{inputs: {{s: {{type: string, pattern: '{SLOW}', default: {LETTERS}}}}}, task: a}}"
    (problem,) = load_workflow(Source("a.yaml", text)).problems
    assert problem.message.startswith("the default of input 's' must match the pattern ^(a+)+$")
