"""The usual ways out of a sandbox, each with what is said of it and where (between ‹ and ›)."""

from __future__ import annotations

from typing import Any

import pytest

from flowrunner.expressions import parse_expression
from tests.expressions.marked import assert_refused

NAMES: dict[str, Any] = {
    "inputs": {"count": 3, "items": [3, 1, 2], "name": "ab"},
    "d": {
        "items": [1],
        "keys": "k",
        "get": 1,
        "__class__": "data",
        "__init__": {"__globals__": 7},
        "format": None,
    },
    "word": "ab",
    "l": [1, 2],
    "i": 4,
}
METHODS = "methods are not available, so '{}' cannot be called"
UNKNOWN = "unknown function '{}'; functions: abs, float, int, join, keys, len, max, min, …"
NAMED = "unknown name '{}'; known names: inputs, d, word, l, i"
NO_KEYS = "{} has no keys, so no '{}'"
NO_LOOPS = "comprehensions and loops are not available: use a task, or a step per item"
NO_FUNCTIONS = "functions cannot be defined: 'lambda' is not available"
NO_ASSIGNMENT = "assignments are not available: to compare, write '=='"
NO_NAMED = "assignments and named arguments are not available: to compare, write '=='"
NO_POWERS = "powers are not available: multiply, for example x * x"
LONG_TEXT = "the string would have more than 1,000,000 characters"
LONG_LIST = "the list would have more than 100,000 items"

ESCAPES = [
    # attributes
    ("‹(›).__class__", "tuples are not available: write a list, []"),
    ("‹(1).__class__›", NO_KEYS.format("a number", "__class__")),
    ("‹''.__class__›.__mro__[1]", NO_KEYS.format("a string", "__class__")),
    ("‹[].__class__›", NO_KEYS.format("a list", "__class__") + ": write …[0] for an item"),
    ("‹{}.__class__›", "no key '__class__'; there are no keys"),
    ("‹{}.get›", "no key 'get'; there are no keys"),
    ("‹True.__class__›", NO_KEYS.format("a boolean", "__class__")),
    ("‹None.__class__›", NO_KEYS.format("null", "__class__")),
    ("‹word.__class__›", NO_KEYS.format("a string", "__class__")),
    ("‹inputs.__class__›", "no key '__class__'; keys: count, items, name"),
    ('‹inputs["__class__"]›', "no key '__class__'; keys: count, items, name"),
    ("‹inputs['__init__']›['__globals__']", "no key '__init__'; keys: count, items, name"),
    ("‹inputs.count.__class__›", NO_KEYS.format("a number", "__class__")),
    ("‹inputs.items.append›", NO_KEYS.format("a list", "append") + ": write …[0] for an item"),
    ("‹d.__init__.__globals__.x›", NO_KEYS.format("a number", "x")),
    ("‹word['__class__']›", "only lists and mappings have items, but this is a string"),
    ("l[‹'append'›]", "a list's items are counted 0, 1, 2, …, but this is a string"),
    ("l[‹true›]", "a list's items are counted 0, 1, 2, …, but this is a boolean"),
    ("inputs[‹l›]", "the keys of a mapping are strings, but this is a list"),
    ('‹"".join›.__globals__', NO_KEYS.format("a string", "join")),
    ("‹len›.__self__", "'len' is a function: write len(value)"),
    ("‹keys›.__globals__", "'keys' is a function: write keys(mapping)"),
    ("‹i.real›", NO_KEYS.format("a number", "real")),
    ("1.‹.›real", "a number has no items and cannot be called"),
    # calls
    ("[].__class__.__base__.‹__subclasses__›()", METHODS.format("__subclasses__")),
    ("word.‹format›(i)", METHODS.format("format")),
    ("'{0.__class__}'.‹format›(word)", METHODS.format("format")),
    ("d.‹get›('items')", METHODS.format("get")),
    ("d.‹items›()", METHODS.format("items")),
    ("inputs.‹keys›()", METHODS.format("keys") + ": write keys(mapping)"),
    ("len.__self__.‹eval›('1')", METHODS.format("eval")),
    ("(len)‹(›word)", "only functions can be called"),
    ("[len][0]‹(›word)", "only functions can be called"),
    ("d['get']‹(›)", "only functions can be called"),
    ("‹__import__›('os')", UNKNOWN.format("__import__")),
    ("‹eval›('1')", UNKNOWN.format("eval")),
    ("‹exec›('1')", UNKNOWN.format("exec")),
    ("‹compile›('1', '', 'eval')", UNKNOWN.format("compile")),
    ("‹open›('/etc/passwd')", UNKNOWN.format("open")),
    ("‹getattr›(word, 'upper')", UNKNOWN.format("getattr")),
    ("‹globals›()", UNKNOWN.format("globals")),
    ("‹vars›(d)", UNKNOWN.format("vars")),
    ("‹type›(word)", UNKNOWN.format("type")),
    ("‹breakpoint›()", UNKNOWN.format("breakpoint")),
    ("‹__import__›", NAMED.format("__import__")),
    ("‹__builtins__›['eval']", NAMED.format("__builtins__")),
    ("‹object›", NAMED.format("object")),
    ("max(l, key‹=›len)", NO_NAMED),
    ("min(‹*›l)", "unpacking with '*' is not available"),
    ("sum(‹**›d)", "unpacking with '**' is not available"),
    ("[‹*›l]", "unpacking with '*' is not available"),
    ("{‹**›d}", "unpacking with '**' is not available"),
    # texts that are code elsewhere
    ("‹f'{word.__class__}'›", "f-strings are not available: join strings with + and str(…)"),
    ("‹rf'{word}'›", "f-strings are not available: join strings with + and str(…)"),
    ("‹'%s' % word›",
     "'%' needs two numbers, but has a string and a string: to format a string, "
     "join strings with + and str(…)"),
    ("‹`›id`", "unexpected '`': write a string in ' or \""),
    ("‹$›(id)", "unexpected '$': write a name without '$', and a literal '${' as '$${'"),
    ("{‹{›word}}", "sets are not available: write a list, [… , …]"),
    ("word ‹|› upper",
     "bit operations are not available, nor are filters: call a function, for example len(x)"),
    ("'‹\\N›{BULLET}'", "unknown escape '\\N': write a backslash as '\\\\'"),
    ("l‹\\›u005f", "unexpected '\\': remove the '\\' at the end of the line"),
    # statements and definitions
    ("‹lambda›: 1", NO_FUNCTIONS),
    ("(‹lambda›: 1)()", NO_FUNCTIONS),
    ("(x ‹:=› 1)", NO_ASSIGNMENT),
    ("i.x ‹=› 1", NO_NAMED),
    ("i +‹=› 1", NO_NAMED),
    ("[x ‹for› x in l]", NO_LOOPS),
    ("{x: 1 ‹for› x in l}", NO_LOOPS),
    ("(x ‹for› x in l)", NO_LOOPS),
    ("import ‹os›", "unexpected 'os': an operator is missing before it"),
    ("i‹;› i", "an expression has one value: statements are not available"),
    ("‹yield› i", "'yield' is not available"),
    ("‹await› i", "'await' is not available"),
    ("l[0‹:›1]", "slices are not available: use single items, or slice in a task"),
    ("‹@›word", "matrices are not available"),
    # letters that only look alike: Python would take the full-width ones for the plain ones
    ("‹ｌｅｎ›(word)",
     "unknown function 'ｌｅｎ'; did you mean 'len'? 'ｌ' is U+FF4C, another letter"),
    ("‹ｗｏｒｄ›", "unknown name 'ｗｏｒｄ'; did you mean 'word'? 'ｗ' is U+FF57, another letter"),
    ("‹wοrd›", "unknown name 'wοrd'; did you mean 'word'? 'ο' is U+03BF, another letter"),
    ("‹d['keys\U00109b61']›",
     "no key 'keys\\U00109b61'; did you mean 'keys'? It has U+109B61 in it"),
    ("‹ſum›(l)", "unknown function 'ſum'; did you mean 'sum'? 'ſ' is U+017F, another letter"),
    ("‹__ｉｍｐｏｒｔ__›('os')", UNKNOWN.format("__ｉｍｐｏｒｔ__")),
    ("‹𝓮𝓿𝓪𝓵›('1')", UNKNOWN.format("𝓮𝓿𝓪𝓵")),
    ("‹word.ﬁle›", NO_KEYS.format("a string", "ﬁle")),
    ("wo‹\u200b›rd", "unexpected character U+200B"),
    ("word‹\u202e›", "unexpected character U+202E"),
    # bombs
    ("9 ‹**› 9 ** 9", NO_POWERS),
    ("range(10‹**›9)", NO_POWERS),
    ("1 ‹<<› 1000000", "bit operations are not available"),
    ("‹range(1000000000)›", LONG_LIST),
    ("‹'a' * 1000000000›", LONG_TEXT),
    ("‹'a' * 9223372036854775807›", LONG_TEXT),
    ("‹[0] * 1000000000›", LONG_LIST),
    ("‹[[0] * 100000] * 100000›",
     "the value has more than 100,000 items, including those of inner lists"),
    ("‹join(['a'] * 100000, 'b' * 1000000)›", LONG_TEXT),
    ("‹2 * 9223372036854775807›",
     "the result is outside the integers that fit: -2**63 to 2**63 - 1"),
    ("int(‹'9' * 5000›)",
     f"int cannot read '{'9' * 40}…': it has more than 400 characters"),
    ("float(‹'nan'›)", "float cannot read 'nan': write for example 1.5 or -2e3"),
    ("‹float('1e400')›", "the result is too large for a number"),
    ("round(1, ‹1000000000›)", "round takes -308 to 308 digits"),
    ("(" * 32 + "‹(›" + "1" + ")" * 33, "brackets are nested more than 32 deep"),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "message"), ESCAPES, ids=[row[0][:40] for row in ESCAPES])
def test_an_escape_is_refused(marked: str, message: str) -> None:
    assert_refused(marked, message, NAMES, template=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("d.items", [1]),
        ("d.keys", "k"),
        ("d.get", 1),
        ("d.format", None),
        ("d.__class__", "data"),
        ("d['__class__']", "data"),
        ("d['\\x5f_class__']", "data"),
        ("d.__init__.__globals__", 7),
        ("inputs.items", [3, 1, 2]),
        ("keys(d)[0]", "items"),
        ("'${word}'", "${word}"),
        ("'$' + '{word}'", "${word}"),
        ("'{0.__class__}'", "{0.__class__}"),
        ("'__import__(\"os\")'", '__import__("os")'),
        ("range(0, 1000000000, -1)", []),
        ("1 if i > 9 else 2 if i > 8 else 3 if i > 7 else 4", 4),
        ("1 if (2 if i > 0 else 3) == 2 else 4", 1),
    ],
)  # fmt: skip
def test_names_that_mean_something_in_python_look_up_data_here(text: str, value: Any) -> None:
    found = parse_expression(text).evaluate(NAMES)
    assert found == value
    assert type(found) is type(value)
