"""Expressions inside texts."""

from __future__ import annotations

from typing import Any

import pytest

from flowrunner.expressions import has_expression, parse_template
from tests.expressions.marked import template_value


@pytest.mark.parametrize(
    "text",
    ["", "plain", "$", "$$", "$x", "{x}", "$ {x}", "}", "{{ x }}", "100 $", "a\n{b: 1}\n", "$(x)"],
)
def test_a_text_without_an_expression_stays_as_it_is(text: str) -> None:
    assert template_value(text) == text
    assert not has_expression(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$${", "${"),
        ("$${x}", "${x}"),
        ("a $${x} b", "a ${x} b"),
        ("$$${x}", "$${x}"),
        ("$${$${", "${${"),
        ("$${${i}}", "${4}"),
        ("${i}$${i}", "4${i}"),
        ("$${ it's (", "${ it's ("),
        ("${'$'}${i}", "$4"),
        ("${'$${'}", "$${"),
    ],
)
def test_two_dollars_and_a_brace_are_a_literal(text: str, value: str) -> None:
    assert has_expression(text)
    assert template_value(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${ {'a': 1}['a'] }", 1),
        ("${ '}' }", "}"),
        ("${'${'}", "${"),
        ("${'\\'}'}", "'}"),
        ("${ [{'a': '}'}][0].a }", "}"),
        ("${{'a': 1}}", {"a": 1}),
        ("${i}}", "4}"),
        ("${i}${i}", "44"),
    ],
)
def test_the_closing_brace_is_the_expressions_own(text: str, value: Any) -> None:
    assert template_value(text) == value


@pytest.mark.parametrize("value", [1, 1.0, True, False, None, "x", [1], {"a": 1}])
def test_an_expression_alone_keeps_its_type(value: Any) -> None:
    result = template_value("${ v }", {"v": value})
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é \n", "é \n"),
        ("", ""),
        (1, "1"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (1e16, "1e+16"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ([1, "é", None], '[1, "é", null]'),
        ({"a": {"b": [True]}}, '{"a": {"b": [true]}}'),
        ([], "[]"),
        (2**70, "1180591620717411303424"),
    ],
)
def test_inside_a_text_a_text_is_put_in_as_it_is_and_anything_else_as_json(
    value: Any, text: str
) -> None:
    assert template_value("<${v}>", {"v": value}) == f"<{text}>"


@pytest.mark.parametrize("text", [" ${i}", "${i} ", "${i}\n"])
def test_blanks_around_an_expression_make_a_text(text: str) -> None:
    assert template_value(text) == text.replace("${i}", "4")


@pytest.mark.parametrize("text", ["${v}", "a ${v}", "${v}${v}", "${[v]}", "${v + v}"])
def test_a_result_is_data_and_never_an_expression(text: str) -> None:
    hostile = "${missing} $${ $${x}"
    assert hostile in str(template_value(text, {"v": hostile}))


def test_a_template_can_be_evaluated_again_with_other_names() -> None:
    template = parse_template("part-${i}.txt")
    assert [template.evaluate({"i": index}) for index in range(2)] == ["part-0.txt", "part-1.txt"]
