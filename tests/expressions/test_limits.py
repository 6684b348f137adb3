"""Every cap, met before the work is done: the whole file takes a second or two."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import pytest

from flowrunner.expressions import ExpressionError, parse_expression, parse_template
from tests.expressions.marked import expression_value, template_value

BIG = list(range(99_999))
NAMES: dict[str, Any] = {
    "big": BIG,
    "twin": list(BIG),
    "huge": list(range(300_000)),
    "text": "a" * 999_999,
    "dict": dict.fromkeys(map(str, range(90_000)), 0),
    "two_dict": dict.fromkeys(map(str, range(90_000)), 0),
    "h": "a" * 2_499,
    "n": "a" * 1_249 + "b",
}
TOO_MUCH = "this is too much work for an expression: do it in a task"
INTEGERS = "integers that fit: -2**63 to 2**63 - 1"
LIST = "the list would have more than 100,000 items"
TEXT = "the string would have more than 1,000,000 characters"
ITEMS = "the value has more than 100,000 items, including those of inner lists"


def refusal(text: str, names: dict[str, Any] = NAMES) -> str:
    with pytest.raises(ExpressionError) as caught:
        expression_value(text, names)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9223372036854775808", f"the number is outside the {INTEGERS}"),
        ("-9223372036854775809", f"the number is outside the {INTEGERS}"),
        ("-(-9223372036854775808)", f"the result is outside the {INTEGERS}"),
        ("9" * 4_000, f"the number is outside the {INTEGERS}"),
        ("1e999", "the number is too large"),
        ("9223372036854775807 + 1", f"the result is outside the {INTEGERS}"),
        ("3" + " * 3" * 1_000, f"the result is outside the {INTEGERS}"),
        ("abs(-9223372036854775808)", f"the result is outside the {INTEGERS}"),
        ("sum([9223372036854775807, 1])", f"the result is outside the {INTEGERS}"),
        ("round(1e300)", f"the result is outside the {INTEGERS}"),
        ("int(1e300)", f"the result is outside the {INTEGERS}"),
        ("int('9223372036854775808')", f"the result is outside the {INTEGERS}"),
        ("1e308 * 10", "the result is too large for a number"),
        ("sum([1e308, 1e308])", "the result is too large for a number"),
        ("float('1e999')", "the result is too large for a number"),
        ("1e308 // 1e-308", "the result is too large for a number"),
        ("round(5, -1000000000)", "round takes -308 to 308 digits"),
        ("'a' * 1000000000000", TEXT),
        ("1000000000000 * 'a'", TEXT),
        ("[0] * 1000000000000", LIST),
        ("[0] * 9223372036854775807", LIST),
        ("range(9223372036854775807)", LIST),
        ("range(-9223372036854775808, 9223372036854775807)", LIST),
        ("big + big", LIST),
        ("sorted(huge)", LIST),
        ("keys(dict) + keys(dict)", LIST),
        ("text + 'aa'", TEXT),
        ("join([text] * 100000)", TEXT),
        ("join(range(100000), text)", TEXT),
        ("join([text, text])", TEXT),
        ("str([text, text])", "the value has strings of more than 1,000,000 characters"),
        ("str(['\\n' * 600000])", TEXT),
        ("[text, text]", "the value has strings of more than 1,000,000 characters"),
        ("[[0] * 1000] * 1000", ITEMS),
        ("[[[[0] * 100000] * 100000] * 100000]", ITEMS),
        ("str([[[0] * 1000] * 1000] * 1000)", ITEMS),
        ("[big, big]", ITEMS),
        ("{'a': huge}", ITEMS),
        ("+".join(["sum(big)"] * 20), TOO_MUCH),
        ("+".join(["sum(range(99999))"] * 20), TOO_MUCH),
        ("+".join(["len(str(big))"] * 20), TOO_MUCH),
        ("+".join(["len(join(big))"] * 20), TOO_MUCH),
        ("[" + ",".join(["sorted(big)[0]"] * 20) + "]", TOO_MUCH),
        ("len(sorted([text] * 100000))", TOO_MUCH),
        ("max([text] * 100000)", TOO_MUCH),
        ("+".join(["len(text + '')"] * 100), TOO_MUCH),
        (" and ".join(["big == twin"] * 20), TOO_MUCH),
        (" and ".join(["dict == two_dict"] * 20), TOO_MUCH),
        (" or ".join(["-1 in big"] * 20), TOO_MUCH),
        (" or ".join(["'aaaab' in text"] * 20), TOO_MUCH),
        (" or ".join(["n in h"] * 400), TOO_MUCH),
        (" and ".join(["text <= text"] * 200), TOO_MUCH),
    ],
    ids=lambda text: text[:50],
)
def test_what_grows_too_large_is_refused(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("range(100000)", 100_000),
        ("[0] * 100000", 100_000),
        ("sorted(range(100000))", 100_000),
        ("'a' * 1000000", 1_000_000),
        ("join(range(100000), ' ')", 588_889),
        ("huge", 300_000),
        ("text + 'a'", 1_000_000),
    ],
)
def test_what_is_just_below_a_cap_is_given(text: str, length: int) -> None:
    assert len(expression_value(text, NAMES)) == length


@pytest.mark.parametrize(
    "text",
    [
        "(" * 33 + "1" + ")" * 33,
        "(" * 4_000,
        "[" * 4_000,
        "{" * 4_000,
        "len(" * 1_000,
        "a[" * 1_000,
        "{'a': " * 600,
    ],
    ids=lambda text: text[:10],
)
def test_brackets_are_nested_32_deep_at_most(text: str) -> None:
    assert refusal(text) == "brackets are nested more than 32 deep"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(" * 32 + "1" + ")" * 32, 1),
        ("sum([" * 16 + "1" + "])" * 16, 1),
        ("1" + "+1" * 2_000, 2_001),
        ("1" + "*1" * 2_000, 1),
        ("not " * 1_000 + "true", True),
        ("-" * 4_000 + "one", 1),
        ("-" * 4_000 + "1", 1),
        ("deep" + ".a" * 1_500, {}),
        ("deep" + "['a']" * 700, {}),
        ("1" + " < 2 > 1" * 400, True),
        ("true" + " and true" * 400, True),
        ("false" + " or false" * 400, False),
        ("1 if false else " * 250 + "2", 2),
    ],
    ids=lambda value: str(value)[:12],
)
def test_long_chains_are_not_deep(text: str, value: Any) -> None:
    deep: dict[str, Any] = {}
    for _ in range(text.count("a") if text.startswith("deep") else 0):
        deep = {"a": deep}
    names = {"one": 1, "deep": deep}
    assert expression_value(text, names) == value


def test_values_that_are_nested_too_deeply_are_refused_not_recursed_into() -> None:
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    names = {"deep": deep, "wide": [deep]}
    assert refusal("str(deep)", names) == "the value is nested too deeply to be written"
    assert expression_value("deep == deep and deep in wide", names) is True
    with pytest.raises(ExpressionError):
        template_value("a ${deep}", names)


def test_values_that_hold_themselves_are_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert refusal("loop == [loop]", {"loop": loop}) == TOO_MUCH
    assert refusal("[loop]", {"loop": loop}) == ITEMS
    assert refusal("str(loop)", {"loop": loop}) == ITEMS


def test_integers_that_python_refuses_to_write_are_refused() -> None:
    names = {"n": 10**5_000, "items": [0]}
    assert refusal("str(n)", names) == "the number is too large to be written"
    assert refusal("str([n])", names) == "the value is nested too deeply to be written"
    assert refusal("items[n]", names) == "no item so far out: the list has 0"
    assert refusal("n * n", names).endswith(INTEGERS)
    assert refusal("n + 0.5", names) == "the result is too large for a number"
    assert refusal("float(n)", names) == "the result is too large for a number"
    assert refusal("'a' * n", names) == TEXT
    assert expression_value("['' * n, [] * n, 'a' * -m, [0] * -m]", {"n": 10**30, "m": 2**62}) == [
        "",
        [],
        "",
        [],
    ]


def test_an_expression_has_4096_characters_at_most() -> None:
    assert expression_value("1" + " " * 4_095) == 1
    assert template_value("${1" + " " * 4_095 + "}") == 1
    assert refusal("1" + " " * 4_096) == "the expression has more than 4,096 characters"
    for text in ("${1" + " " * 4_096 + "}", "${" + "a " * 5_000_000, "${'" + "a" * 5_000_000):
        with pytest.raises(ExpressionError) as caught:
            parse_template(text)
        assert caught.value.message == (
            "this '${' is not closed by '}' within 4,096 characters; write a literal '${' as '$${'"
        )
        assert (caught.value.offset, caught.value.length) == (0, 2)


def test_the_expressions_of_a_text_have_32768_characters_at_most() -> None:
    assert template_value("${1}" * 8_192) == "1" * 8_192
    with pytest.raises(ExpressionError) as caught:
        parse_template("${1}" * 1_000_000)
    assert caught.value.message == (
        "the expressions of one string have more than 32,768 characters"
    )
    assert (caught.value.offset, caught.value.length) == (32_768, 4)


def test_a_long_text_with_escapes_only_is_given() -> None:
    assert template_value("$${" * 500_000) == "${" * 500_000


def test_a_text_does_not_grow_over_the_cap_by_its_expressions() -> None:
    with pytest.raises(ExpressionError) as caught:
        template_value("${text}" + "${text}", NAMES)
    assert caught.value.message == TEXT
    assert (caught.value.offset, caught.value.length) == (9, 4)


def test_all_expressions_of_a_text_share_the_work_that_they_may_do() -> None:
    with pytest.raises(ExpressionError) as caught:
        template_value("${sum(big)}" * 20, NAMES)
    assert caught.value.message == TOO_MUCH


def test_little_stack_that_is_left_is_an_error_of_the_expression() -> None:
    text = "(" * 30 + "1" + ")" * 30
    parsed = parse_expression("[" * 30 + "1" + "]" * 30)

    def from_deep_down(depth: int) -> None:
        if depth:
            from_deep_down(depth - 1)
            return
        for work in (lambda: parse_expression(text), lambda: parsed.evaluate({})):
            with contextlib.suppress(ExpressionError):  # a RecursionError would fail
                work()

    frames = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, frames = frame.f_back, frames + 1
    for left in (40, 60, 100, 200):
        from_deep_down(sys.getrecursionlimit() - frames - left)
