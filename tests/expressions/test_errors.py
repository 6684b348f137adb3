"""What has no value: the message, and the exact place (between ‹ and ›)."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from flowrunner.expressions import ExpressionError, parse_expression, parse_template
from tests.expressions.marked import assert_refused

WITHOUT_VALUE = [
    # names, keys and items
    (
        "${1 + ‹missing›.x}",
        "unknown name 'missing'; known names: i, half, yes, nothing, word, inputs",
    ),
    ("${‹Inputs›}", "unknown name 'Inputs'; did you mean 'inputs'?"),
    ("${‹len›}", "'len' is a function: write len(value)"),
    ("${‹inputs.cuont›}", "no key 'cuont'; did you mean 'count'?"),
    (
        "${‹inputs.zzzzz› + 1}",
        "no key 'zzzzz'; keys: count, name, items, nested, empty, ''",
    ),
    ("${‹inputs.nested['x']›.y}", "no key 'x'; keys: 'a b', if"),
    ("${‹{}.a›}", "no key 'a'; there are no keys"),
    ("${‹inputs.items.a›}", "a list has no keys, so no 'a': write …[0] for an item"),
    ("${‹nothing.a›}", "null has no keys, so no 'a'"),
    ("${‹word.upper›}", "a string has no keys, so no 'upper'"),
    ("${‹word.__class__›}", "a string has no keys, so no '__class__'"),
    ("${‹inputs.__class__›}", "no key '__class__'; keys: count, name, items, nested, empty, ''"),
    ("${‹inputs.items[3]›}", "no item 3: the list has 0 to 2"),
    ("${‹inputs.items[-4]›}", "no item -4: the list has 0 to 2"),
    ("${‹inputs.empty[0]›}", "the list is empty, so it has no items"),
    (
        "${inputs.items[‹'a'›]}",
        "a list's items are counted 0, 1, 2, …, but this is a string",
    ),
    (
        "${inputs.items[‹yes›]}",
        "a list's items are counted 0, 1, 2, …, but this is a boolean",
    ),
    (
        "${inputs.items[‹1.0›]}",
        "a list's items are counted 0, 1, 2, …, but this is a number with a fraction",
    ),
    ("${inputs[‹1›]}", "the keys of a mapping are strings, but this is a number"),
    ("${‹word[0]›}", "only lists and mappings have items, but this is a string"),
    # operators
    (
        "${‹i + 'a'›}",
        "'+' cannot join a number and a string: write str(…) around the number",
    ),
    ("${‹'a' + null› + 'b'}", "'+' cannot join a string and null: write str(…) around null"),
    ("${‹[1] + 1›}", "'+' cannot join a list and a number: write [ ] around the single item"),
    (
        "${‹true + 1›}",
        "'+' cannot join a boolean and a number: write (1 if … else 0) for a boolean",
    ),
    (
        "${1 * (‹2 + yes›) - 1}",
        "'+' cannot join a number and a boolean: write (1 if … else 0) for a boolean",
    ),
    ("${‹{} + {}›}", "'+' cannot join a mapping and a mapping"),
    (
        "${‹'a' - 1›}",
        "'-' needs two numbers, but has a string and a number: "
        "write int(…) or float(…) for a string",
    ),
    (
        "${‹'%s' % 1›}",
        "'%' needs two numbers, but has a string and a number: to format a string, "
        "join strings with + and str(…)",
    ),
    ("${‹[1] * [2]›}", "'*' cannot multiply a list and a list"),
    ("${‹'a' * 1.5›}", "a string is repeated by an integer: write int(…)"),
    (
        "${‹'a' * true›}",
        "'*' cannot multiply a string and a boolean: write (1 if … else 0) for a boolean",
    ),
    (
        "${-‹word›}",
        "'-' needs a number, but this is a string: write int(…) or float(…) for a string",
    ),
    (
        "${+‹true›}",
        "'+' needs a number, but this is a boolean: write (1 if … else 0) for a boolean",
    ),
    ("${1 / ‹0›}", "division by zero"),
    ("${1 // ‹(1 - 1)›}", "division by zero"),
    ("${1.5 % ‹0.0›}", "division by zero"),
    (
        "${‹1 < 'a'›}",
        "'<' compares two numbers or two strings, not a number and a string: "
        "write int(…) or float(…) for a string",
    ),
    ("${1 < ‹2 < []›}", "'<' compares two numbers or two strings, not a number and a list"),
    (
        "${‹false < true›}",
        "'<' compares two numbers or two strings, not a boolean and a boolean",
    ),
    ("${‹1› in 'abc'}", "'in' looks for a string in another string, but this is a number"),
    (
        "${‹1› not in inputs}",
        "'in' looks for a string in the keys of a mapping, but this is a number",
    ),
    ("${1 in ‹i›}", "'in' looks into a list, a string or a mapping, but this is a number"),
    # conditions
    (
        "${1 if ‹i› else 2}",
        "'if' needs a boolean, but this is a number: compare it, for example … != 0",
    ),
    (
        "${not ‹inputs.items›}",
        "'not' needs a boolean, but this is a list: compare it, for example len(…) > 0",
    ),
    (
        "${yes and ‹word›}",
        "'and' needs a boolean, but this is a string: compare it, for example len(…) > 0",
    ),
    (
        "${‹nothing› or yes}",
        "'or' needs a boolean, but this is null: compare it, for example … != null",
    ),
    # dicts
    ("${{‹1›: 2}}", "the keys of a mapping are strings, but this is a number: quote it"),
    ("${{'a': 1, ‹'a'›: 2}}", "the key 'a' is a duplicate"),
    # functions
    ("${len(‹1›)}", "len needs a string, a list or a mapping, but this is a number"),
    ("${max(‹[]›)}", "max needs at least one item, but the list is empty"),
    ("${min(‹1›)}", "min needs a list, or two values or more, but this is a number"),
    (
        "${‹min(1, 'a')›}",
        "min compares only numbers or only strings, not a number and a string",
    ),
    (
        "${‹sorted([1, true])›}",
        "sorted compares only numbers or only strings, not a boolean and a number",
    ),
    ("${‹sorted([[]])›}", "sorted compares only numbers or only strings, not a list"),
    ("${sorted(‹inputs›)}", "sorted needs a list here, but this is a mapping"),
    ("${sum(‹[true]›)}", "sum adds numbers only, but the list has a boolean"),
    (
        "${sum(‹['a']›)}",
        "sum adds numbers only, but the list has a string: write join(list) for strings",
    ),
    ("${range(‹1.5›)}", "range needs an integer here: write int(…) or use //"),
    (
        "${range(1, ‹yes›)}",
        "range needs a number here, but this is a boolean: write (1 if … else 0)",
    ),
    ("${range(1, 2, ‹0›)}", "range needs a step other than 0"),
    ("${abs(‹'a'›)}", "abs needs a number here, but this is a string"),
    ("${round(1.5, ‹2.0›)}", "round needs an integer here: write int(…) or use //"),
    ("${int(‹'1_0'›)}", "int cannot read '1_0': write digits, with at most a sign"),
    ("${int(‹'٣'›)}", "int cannot read '٣': write digits, with at most a sign"),
    ("${int(‹' 1'›)}", "int cannot read ' 1': write digits, with at most a sign"),
    ("${int(‹''›)}", "int cannot read '': write digits, with at most a sign"),
    (
        "${int(‹'1.5'›)}",
        "int cannot read '1.5': write digits, with at most a sign; write int(float(…))",
    ),
    (
        "${int(‹yes›)}",
        "int needs a number or a string, but this is a boolean: write (1 if … else 0)",
    ),
    ("${float(‹'nan'›)}", "float cannot read 'nan': write for example 1.5 or -2e3"),
    ("${float(‹'inf'›)}", "float cannot read 'inf': write for example 1.5 or -2e3"),
    ("${float(‹null›)}", "float needs a number or a string, but this is null"),
    ("${keys(‹[1]›)}", "keys needs a mapping here, but this is a list"),
    ("${join(‹'a'›, ',')}", "join needs a list here, but this is a string"),
    ("${join(['a'], ‹1›)}", "join needs a string here, but this is a number"),
    # the place is counted in characters, from the beginning of the whole text
    ("größe\n${'é😀' +\n  str(‹inputs.cöunt›)}", "no key 'cöunt'; did you mean 'count'?"),
    ("é😀 ${'😀'} ${\n 'é' + ‹Inputs› }", "unknown name 'Inputs'; did you mean 'inputs'?"),
    (
        "${i}$${x}${‹i + 'é'›}",
        "'+' cannot join a number and a string: write str(…) around the number",
    ),
]


@pytest.mark.parametrize(
    ("marked", "message"), WITHOUT_VALUE, ids=[row[0] for row in WITHOUT_VALUE]
)
def test_what_has_no_value_is_refused_when_it_is_evaluated(marked: str, message: str) -> None:
    assert_refused(marked, message)
    parse_template(marked.replace("‹", "").replace("›", ""))


@pytest.mark.parametrize("text", ["i +", "missing", "${i}", "i }", "(i", "", "1 / 0", "'a", "i b"])
def test_a_bare_expression_shifts_its_errors_by_its_offset(text: str) -> None:
    places = []
    for offset in (0, 1_000):
        with pytest.raises(ExpressionError) as caught:
            parse_expression(text, offset).evaluate({"i": 1, "b": 1})
        places.append((caught.value.offset - offset, caught.value.length))
    assert places[0] == places[1]


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        ("${v}", (1,), "'tuple' is not a JSON type"),
        ("${v[0]}", (1,), "'tuple' is not a JSON type"),
        ("${[v]}", {1}, "'set' is not a JSON type"),
        ("x${v}", b"", "'bytes' is not a JSON type"),
        ("${v.real}", 1j, "'complex' is not a JSON type"),
        ("${v == 1}", object(), "'object' is not a JSON type"),
        ("${len(v)}", (), "'tuple' is not a JSON type"),
        ("${{v: 1}}", (), "'tuple' is not a JSON type"),
        ("${v and true}", (), "'tuple' is not a JSON type"),
        ("${sum([v])}", (), "'tuple' is not a JSON type"),
        ("${v}", float("nan"), "JSON has no number nan"),
        ("${[v]}", float("inf"), "JSON has no number inf"),
        ("${str(v)}", float("inf"), "JSON has no number inf"),
        ("${int(v)}", float("nan"), "JSON has no number nan"),
        ("${round(v)}", float("inf"), "JSON has no number inf"),
        ("${v + 1}", float("nan"), "the result is no number"),
    ],
)
def test_a_name_that_holds_no_json_is_refused(text: str, value: object, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(text).evaluate({"v": value})
    assert caught.value.message == message


@pytest.mark.parametrize(
    "text", ["${d.x}", "${d['\\x1b[31m']}", "${int('\\x1b[31m')}", "${f.x}", "${{d.e: 1, d.e: 2}}"]
)
def test_a_message_shows_no_control_characters_and_no_long_texts(text: str) -> None:
    hostile = "\x1b[31m\n" + "x" * 500
    names = {"d": {hostile: 1, "e": hostile}, "f": dict.fromkeys(map(str, range(10_000)))}
    with pytest.raises(ExpressionError) as caught:
        parse_template(text).evaluate(names)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 150


def test_an_error_says_its_message_and_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(ExpressionError("no", 3, 2)))
    assert (str(error), error.message, error.offset, error.length) == ("no", "no", 3, 2)


def test_nothing_is_written_to_stderr() -> None:
    # Python's own parser warns about these.
    texts = ["1 is 1", r"'\d'", "1if 1else 2", "(1)(2)", "0or 1", "[1][1,2]", "''.x", "1 .x"]
    script = (
        "from flowrunner.expressions import ExpressionError, parse_expression\n"
        f"for text in {texts}:\n"
        "    try: parse_expression(text)\n"
        "    except ExpressionError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
