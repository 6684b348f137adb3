"""Random expressions: those of the grammar against Python's own value, any others for safety."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from flowrunner import expressions
from flowrunner.expressions import ExpressionError, parse_expression, parse_template

NAMES: dict[str, Any] = {
    "i": 4,
    "half": 0.5,
    "word": "ab",
    "items": [3, 1, 2],
    "none": [],
    "d": {"k": 7, "a b": [5, 6]},
}


class _Attributes(dict[str, Any]):
    """A dict whose keys Python finds as attributes."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def _range(*numbers: int) -> list[int]:
    if len(range(*numbers)) > 100_000:
        raise ValueError("this would use up the memory")
    return list(range(*numbers))


PYTHON: dict[str, Any] = {
    "__builtins__": {},
    "true": True,
    "false": False,
    "null": None,
    "len": len,
    "min": min,
    "max": max,
    "sum": sum,
    "abs": abs,
    "round": round,
    "str": str,
    "int": int,
    "float": float,
    "sorted": sorted,
    "range": _range,
    "keys": list,
    "join": lambda items, separator="": separator.join(items),
    **NAMES,
    "d": _Attributes(NAMES["d"]),
}
FAILED = object()
#: Where the language refuses what Python computes: the caps.
CAPS = ("outside the integers", "too large", "would have more than", "has more than")

_PIECES = (
    "1 0 2.5 1e308 9223372036854775807 'a' \"b\" '' true false null i half word items d none "
    "missing inputs ( ) [ ] { } , : . + - * / // % ** < <= > >= == != = := in not and or if else "
    "is for lambda len min max sum range abs round str int float sorted keys join [0] .k ['k'] "
    "${ $${ } $ # \\ ' \" é ² ٣ \u00a0 \x00 \n @ ! ? & | ~ ^ ; ... f'x' '\\d' '\\n' __class__"
)
PIECES = _PIECES.split(" ")


def operators(operand: st.SearchStrategy[str], *signs: str) -> st.SearchStrategy[str]:
    return st.builds("{} {} {}".format, operand, st.sampled_from(signs), operand)


def call(name: str, *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*arguments).map(lambda given: f"{name}({', '.join(given)})")


def choice(value: st.SearchStrategy[str], when: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} if {} else {})".format, value, when, value)


def chained(*kinds: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    links = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    return st.one_of(
        *(st.builds("{} {} {} {} {}".format, kind, links, kind, links, kind) for kind in kinds)
    )


def grammar(depth: int) -> tuple[st.SearchStrategy[str], ...]:
    """Return integers, numbers, texts, lists of integers and booleans that nest so deep."""
    integer = st.one_of(
        st.integers(0, 20).map(str), st.sampled_from(["i", "d.k", "d['a b'][1]", "items[0]"])
    )
    number = st.one_of(integer, st.sampled_from(["0.25", "1.5", ".5", "2e3", "half"]))
    text = st.sampled_from(["'a'", '"b"', "''", "word", "'é}'", r"'\n\x41'"])
    items = st.sampled_from(["items", "none", "[]", "[1, 2]", "d['a b']", "range(3)"])
    boolean = st.sampled_from(["true", "False", "'k' in d", "'x' not in d"])
    for _ in range(depth):
        integer_, number_, text_, items_, boolean_ = (
            st.one_of(each, each.map("({})".format))
            for each in (integer, number, text, items, boolean)
        )
        integer = st.one_of(
            integer,
            operators(integer_, "+", "-", "*", "//", "%"),
            integer_.map("-{}".format),
            integer_.map("- +{}".format),
            choice(integer_, boolean_),
            call("len", st.one_of(text, items)),
            call("sum", items),
            call("abs", integer),
            call("int", number),
            call("round", number),
            call("min", integer, integer),
            call("max", items),
            st.builds("({})[{}]".format, items, integer),
        )
        number = st.one_of(
            integer,
            number,
            operators(number_, "+", "-", "*", "/", "//", "%"),
            choice(number_, boolean_),
            call("max", number, number, number),
            call("float", number),
            call("round", number, st.integers(-2, 2).map(str)),
        )
        text = st.one_of(
            text,
            operators(text_, "+"),
            st.builds("{} * {}".format, text_, st.integers(-1, 3)),
            choice(text_, boolean_),
            call("str", number),
            st.builds("join([{}, {}], {})".format, text, text, text),
            st.builds("keys({{{}: 1}})[0]".format, text),
        )
        items = st.one_of(
            items,
            operators(items_, "+"),
            st.builds("{} * {}".format, items_, st.integers(-1, 3)),
            st.lists(integer, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
            call("sorted", items),
            call("range", integer),
            call("range", integer, integer, integer),
        )
        boolean = st.one_of(
            boolean,
            operators(boolean_, "and", "or"),
            boolean_.map("not {}".format),
            chained(number_, text_),
            operators(items_, "==", "!="),
            operators(text_, "in", "not in"),
            st.builds("{} in {}".format, integer_, items_),
        )
    return integer, number, text, items, boolean


@given(st.one_of(*grammar(3)))
@example("1 - 2 - 3 * 4 // 5 % 6")
@example("not 1 < 2 < 3 or false and true")
def test_an_expression_of_the_grammar_has_the_value_that_python_gives_it(text: str) -> None:
    assume(len(text) <= 4_096)
    try:
        wanted: Any = eval(text, dict(PYTHON))
    except (ArithmeticError, LookupError, ValueError):
        wanted = FAILED
    try:
        value, reason = parse_expression(text).evaluate(NAMES), ""
    except ExpressionError as error:
        value, reason = FAILED, error.message
    if value is FAILED:
        assert wanted is FAILED or any(cap in reason for cap in CAPS), reason
        return
    assert wanted is not FAILED, value
    assert json.dumps(value) == json.dumps(wanted)


def assert_safe(text: str, names: dict[str, Any], *, template: bool) -> None:
    """Assert that the text has a JSON value, or is refused with a place within it."""
    try:
        value = (parse_template if template else parse_expression)(text).evaluate(names)
    except ExpressionError as caught:
        error = caught
    else:
        written = json.dumps(value, allow_nan=False)
        again = json.loads(written)
        assert again == value
        assert json.dumps(again) == written
        return
    assert error.message.isprintable()
    assert error.offset >= 0
    assert error.length >= 1
    assert error.offset + error.length <= max(1, len(text))


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from(["", " "]), st.booleans())
@example(["["] * 25, "", True)
def test_pieces_in_any_order_have_a_json_value_or_are_refused(
    pieces: list[str], between: str, template: bool
) -> None:
    text = between.join(pieces)
    assert_safe(f"${{{text}}}" if template else text, NAMES, template=template)


@given(st.text(), st.booleans())
def test_any_text_has_a_json_value_or_is_refused(text: str, template: bool) -> None:
    assert_safe(text, NAMES, template=template)
    assert_safe(f"${{{text}", NAMES, template=True)
    assert_safe(f"{text}${{'{text}'}}{text}", NAMES, template=True)


@given(st.one_of(*grammar(2)), st.integers(0, 100), st.integers(0, 5), st.sampled_from(PIECES))
def test_an_expression_with_a_fault_in_it_is_safe(
    text: str, place: int, removed: int, piece: str
) -> None:
    text = text[:place] + piece + text[place + removed :]
    assert_safe(text, NAMES, template=False)
    assert_safe(f"a ${{{text}}} b", NAMES, template=True)


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.lists(st.sampled_from([*PIECES, "x", "y", "z", "x", "y", "z"]), max_size=12),
    st.dictionaries(st.sampled_from("xyz"), JSON_VALUES),
)
def test_any_json_in_the_names_is_safe(pieces: list[str], names: dict[str, Any]) -> None:
    assert_safe(" ".join(pieces), names, template=False)


BINARY = ("+", "-", "*", "/", "//", "%", "<", "==", "!=", "in", "not in", "and")
CALLS = ("len", "min", "max", "sum", "range", "abs", "round", "str", "int", "float", "sorted",
         "keys", "join")  # fmt: skip


@given(
    st.one_of(
        st.sampled_from([f"x {sign} y" for sign in BINARY]),
        st.sampled_from([f"{name}(x)" for name in CALLS]),
        st.sampled_from([f"{name}(x, y)" for name in CALLS]),
        st.sampled_from(["-x", "not x", "x[y]", "x if y else 1", "{x: y}", "[x, y]", "x.y"]),
    ),
    JSON_VALUES,
    JSON_VALUES,
)
def test_every_operation_is_safe_on_any_json(text: str, x: Any, y: Any) -> None:
    assert_safe(text, {"x": x, "y": y}, template=False)
    assert_safe(f"a ${{{text}}}", {"x": x, "y": y}, template=True)


@given(JSON_VALUES, JSON_VALUES)
def test_equal_means_equal_as_json(x: Any, y: Any) -> None:
    names = {"x": x, "y": y, "copy": json.loads(json.dumps(x))}
    assert parse_expression("x == copy and not x != copy and x in [copy]").evaluate(names) is True
    different = parse_expression("x != y").evaluate(names)
    assert different == (_with_kinds(x) != _with_kinds(y))


def _with_kinds(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_kinds(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_kinds(item) for key, item in value.items()}
    return (isinstance(value, bool), value)


@given(st.text(alphabet="$" + "{} a'\n"))
def test_a_text_whose_openings_are_escaped_is_itself(text: str) -> None:
    assert parse_template(text.replace("${", "$${")).evaluate({}) == text


@given(st.text(), st.text())
def test_a_text_from_a_name_is_never_read_as_an_expression(before: str, value: str) -> None:
    before = before.replace("$", "")
    assert parse_template(f"{before}${{v}}").evaluate({"v": value}) == before + value


#: ``FLOWRUNNER_FUZZ=full`` evaluates a million, in some minutes; a number, that many.
EXPRESSIONS = os.environ.get("FLOWRUNNER_FUZZ", "3000").replace("full", "1000000")
SEED = os.environ.get("FLOWRUNNER_FUZZ_SEED", "2026")


def test_random_expressions_do_nothing_but_give_json_in_bounded_time_and_memory() -> None:
    command = [sys.executable, "-m", "tests.expressions.fuzzing", EXPRESSIONS, SEED]
    root = Path(__file__).parent.parent.parent
    ended = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout)
    print(figures)
    assert figures["expressions"] == int(EXPRESSIONS)
    assert figures["given"]["refused"] < figures["expressions"] * 0.8  # else it proves little


def test_the_evaluator_has_nothing_by_which_an_expression_could_reach_python() -> None:
    forbidden = {"eval", "exec", "compile", "getattr", "setattr", "globals", "vars", "__import__"}
    for file in Path(expressions.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                assert node.id not in forbidden, f"{file.name}:{node.lineno}"
            if isinstance(node, ast.Attribute):
                assert node.attr in (
                    "__repr__",
                    "__init__",
                    "__name__",
                ) or not node.attr.startswith("__")
