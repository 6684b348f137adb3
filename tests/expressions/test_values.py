"""What expressions give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowrunner.expressions import parse_expression
from tests.expressions.marked import NAMES, expression_value, template_value

VALUES = [
    # literals
    ("1", 1),
    ("1.5", 1.5),
    (".5", 0.5),
    ("5.", 5.0),
    ("2e3", 2000.0),
    ("1E-2", 0.01),
    ("true", True),
    ("True", True),
    ("false", False),
    ("False", False),
    ("null", None),
    ("None", None),
    ("'a'", "a"),
    ('"it\'s"', "it's"),
    (r"'it\'s'", "it's"),
    (r"'\\ \n \t \r \b \f \" \x41 \u00e9 \U0001F600'", '\\ \n \t \r \b \f " A é 😀'),
    ("''", ""),
    ("[]", []),
    ("[1, 'a', [null]]", [1, "a", [None]]),
    ("[1, 2,]", [1, 2]),
    ("{}", {}),
    ("{'a': 1, 'b': {'c': []}}", {"a": 1, "b": {"c": []}}),
    ("{word: 1, 'x' + 'y': 2}", {"ab": 1, "xy": 2}),
    ("-9223372036854775808", -(2**63)),
    ("9223372036854775807", 2**63 - 1),
    ("--9223372036854775807", 2**63 - 1),
    # names and look-ups
    ("i", 4),
    ("inputs.count", 3),
    ("inputs['count']", 3),
    ("inputs . count", 3),
    ("(inputs).count", 3),
    ("inputs.items[0]", 10),
    ("inputs.items[-1]", 30),
    ("inputs.items[i - 3]", 20),
    ("inputs.nested['a b'].c[1].d", "deep"),
    ("inputs.nested.if", 1),
    ("inputs['']", "empty key"),
    ("{'a': 1}['a']", 1),
    ("[1, 2][1]", 2),
    ("keys({'x': 1})[0]", "x"),
    # arithmetic
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("10 - 2 - 3", 5),
    ("7 / 2", 3.5),
    ("6 / 2", 3.0),
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("7 % 3", 1),
    ("-7 % 3", 2),
    ("7.5 // 2", 3.0),
    ("-i", -4),
    ("+i", 4),
    ("- - -i", -4),
    ("2 - -1", 3),
    ("-(1 + 2)", -3),
    ("'a' + word", "aab"),
    ("[1] + [2]", [1, 2]),
    ("'ab' * 2", "abab"),
    ("2 * 'ab'", "abab"),
    ("[0] * 3", [0, 0, 0]),
    ("'ab' * -1", ""),
    ("[0] * 0", []),
    ("'' * 9223372036854775807", ""),
    # comparisons
    ("1 < 2", True),
    ("2 <= 2", True),
    ("'a' < 'b'", True),
    ("1 < 2 < 3", True),
    ("1 < 2 > 3", False),
    ("3 > 2 > 2", False),
    ("1 == 1.0", True),
    ("1 == true", False),
    ("0 == false", False),
    ("[1] == [true]", False),
    ("[[1]] == [[1.0]]", True),
    ("{'a': [1]} == {'a': [true]}", False),
    ("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", True),
    ("{'a': 1} == {'b': 1}", False),
    ("[1] == [1, 2]", False),
    ("null == false", False),
    ("null == null", True),
    ("'1' == 1", False),
    ("'a' != 'b'", True),
    ("[] != {}", True),
    ("9007199254740993 == 9007199254740992.0", False),
    ("2 in [1, 2]", True),
    ("1 in [true]", False),
    ("[1] in [[1.0]]", True),
    ("'b' in 'abc'", True),
    ("'x' not in 'abc'", True),
    ("'count' in inputs", True),
    ("'c' in inputs", False),
    ("not 2 in [1]", True),
    # conditions
    ("true and false", False),
    ("true or false", True),
    ("not true", False),
    ("not not true", True),
    ("true or false and false", True),
    ("not false and true", True),
    ("1 if true else 2", 1),
    ("1 if false else 2", 2),
    ("1 if false else 2 if false else 3", 3),
    ("(1 if yes else 2) + 1", 2),
    ("i > 3 and inputs.count == 3", True),
    # functions
    ("len('größe')", 5),
    ("len([1, 2])", 2),
    ("len(inputs.nested)", 2),
    ("min([3, 1, 2])", 1),
    ("min(3, 1.5)", 1.5),
    ("max('a', 'b')", "b"),
    ("max([1])", 1),
    ("sum([])", 0),
    ("sum([1, 2])", 3),
    ("sum([1, 0.5])", 1.5),
    ("sum([0.1] * 10)", 1.0),
    ("range(3)", [0, 1, 2]),
    ("range(1, 3)", [1, 2]),
    ("range(5, 0, -2)", [5, 3, 1]),
    ("range(3, 1)", []),
    ("range(0, 5, 2)", [0, 2, 4]),
    ("range(-9223372036854775808, 9223372036854775807, 9223372036854775807)",
     [-(2**63), -1, 2**63 - 2]),
    ("abs(-2)", 2),
    ("abs(-2.5)", 2.5),
    ("round(2.6)", 3),
    ("round(2.5)", 2),
    ("round(2.345, 1)", 2.3),
    ("round(1234, -2)", 1200),
    ("str(1)", "1"),
    ("str('a')", "a"),
    ("str(true)", "true"),
    ("str(null)", "null"),
    ("str([1, 'é'])", '[1, "é"]'),
    ("int('007')", 7),
    ("int('-5')", -5),
    ("int(2.9)", 2),
    ("int(-2.9)", -2),
    ("float('1e3')", 1000.0),
    ("float(2)", 2.0),
    ("float('-.5')", -0.5),
    ("sorted([3, 1.5, 2])", [1.5, 2, 3]),
    ("sorted(['b', 'a'])", ["a", "b"]),
    ("sorted([])", []),
    ("keys({'b': 1, 'a': 2})", ["b", "a"]),
    ("join(['a', 'b'])", "ab"),
    ("join(['a', 1, true, null, [2]], ', ')", "a, 1, true, null, [2]"),
    ("join([], ', ')", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text for text, _ in VALUES])
def test_an_expression_gives_its_value_and_keeps_its_type(text: str, value: Any) -> None:
    for given in (expression_value(text), template_value(f"${{{text}}}")):
        assert json.dumps(given) == json.dumps(value)  # tells 1, 1.0 and true apart


@pytest.mark.parametrize(
    "text",
    ["1+2", " 1 + 2 ", "\n  1 +\n    2\n", "\t1\t+\r\n2", "(1\n+\n2)"],
)
def test_blanks_and_lines_do_not_matter(text: str) -> None:
    assert expression_value(text) == 3
    assert template_value(f"${{{text}}}") == 3


@pytest.mark.parametrize(
    "text",
    [
        "false and missing",
        "true or missing",
        "1 > 2 > missing",
        "1 if true else missing",
        "missing if false else 1",
    ],
)
def test_what_is_decided_already_is_not_evaluated(text: str) -> None:
    expression_value(text)


def test_a_name_may_be_called_like_a_function() -> None:
    assert expression_value("min + min(1, 2)", {"min": 10}) == 11


@pytest.mark.parametrize("name", ["größe", "µ", "ﬁ", "_x", "名前", "class", "print"])
def test_a_name_is_looked_up_as_it_is_written(name: str) -> None:
    # Python's own parser would turn µ (U+00B5) into μ (U+03BC).
    assert expression_value(name, {name: 1}) == 1
    assert expression_value(f"inputs.{name}", {"inputs": {name: 1}}) == 1


def test_a_value_from_a_name_is_returned_as_it_is() -> None:
    assert template_value("${inputs.items}") is NAMES["inputs"]["items"]


def test_an_expression_can_be_evaluated_again_with_other_names() -> None:
    expression = parse_expression("[i] + [i * 2]")
    assert [expression.evaluate({"i": index}) for index in range(3)] == [[0, 0], [1, 2], [2, 4]]


def test_evaluating_changes_no_name() -> None:
    names = {"a": [3, 1], "d": {"k": [1]}}
    expression_value("sorted(a) + a + [0] + d.k * 2 + keys(d)", names)
    assert names == {"a": [3, 1], "d": {"k": [1]}}
