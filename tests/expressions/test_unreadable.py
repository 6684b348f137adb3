"""What cannot be read: the message, and the exact place (between ‹ and ›)."""

from __future__ import annotations

import pytest

from flowrunner.expressions import ExpressionError, parse_template
from tests.expressions.marked import assert_refused

LITERAL = "write a literal '${' as '$${'"

UNREADABLE = [
    ("a ‹${› b", f"this '${{' is not closed by '}}'; {LITERAL}"),
    ("‹${›{'a': 1}", f"this '${{' is not closed by '}}'; {LITERAL}"),
    ("x ${ it‹'›s", f"the string that begins here is not closed by ' on its line; {LITERAL}"),
    ("${‹'›a\n'}", f"the string that begins here is not closed by ' on its line; {LITERAL}"),
    ("a ‹${}›", "the expression is empty"),
    ("‹${ \n }›", "the expression is empty"),
    ("${HOME‹:›-x}", f"unexpected ':'; {LITERAL}"),
    ("${‹#›a}", f"unexpected '#': there are no comments here, and {LITERAL}"),
    ("${‹$›a}", "unexpected '$': write a name without '$', and a literal '${' as '$${'"),
    ("${‹(›1}", "this '(' is not closed by ')' before '}'"),
    ("${‹[›1)}", "this '[' is not closed by ']' before ')'"),
    ("${1‹)›}", "this ')' closes nothing"),
    ("${1 ‹+›}", "a value is missing after '+'"),
    ("${‹not›}", "a value is missing after 'not'"),
    ("${i ‹if›}", "a value is missing after 'if'"),
    ("${i ‹if› yes}", "this 'if' has no 'else': write … if … else …"),
    ("${(i ‹if› yes)}", "this 'if' has no 'else': write … if … else …"),
    ("${‹if› yes}", "a value is missing before 'if': write … if … else …"),
    ("${i ‹else› 1}", "this 'else' belongs to no 'if': write … if … else …"),
    ("${‹*›i}", "unpacking with '*' is not available"),
    ("${len(‹*›i)}", "unpacking with '*' is not available"),
    ("${{‹**›i}}", "unpacking with '**' is not available"),
    ("${i + ‹*› 2}", "a value is missing before '*'"),
    ("${[1,‹,› 2]}", "a value is missing before ','"),
    ("${‹.›a}", "a value is missing before '.'"),
    ("${i‹.›}", "a name is missing after '.'"),
    ("${i.‹.›a}", "write a name after '.', and other keys as ['…']"),
    ("${i.‹'a'›}", "write a name after '.', and other keys as ['…']"),
    ("${inputs.items‹.0›}", "write an item of a list in brackets: [0]"),
    ("${inputs‹[›]}", "the brackets are empty: write a key or a number"),
    ("${i ‹yes›}", "unexpected 'yes': an operator is missing before it"),
    ("${i ‹2›}", "unexpected '2': an operator is missing before it"),
    ("${i ‹'a'›}", "unexpected \"'a'\": an operator is missing before it"),
    ("${1 + ‹not› yes}", "write brackets around 'not …'"),
    ("${‹and› i}", "a value is missing before 'and'"),
    ("${1‹[›0]}", "a number has no items and cannot be called"),
    ("${-1 ‹.›a}", "a number has no items and cannot be called"),
    ("${\n  größe +\n  é ‹ü›\n}", "unexpected 'ü': an operator is missing before it"),
    # things of Python's, and of other languages, that are not in this one
    ("${2 ‹**› 3}", "powers are not available: multiply, for example x * x"),
    ("${i ‹is› null}", "'is' is not available: write '==' or '!='"),
    ("${i ‹is› not null}", "'is' is not available: write '==' or '!='"),
    (
        "${[x ‹for› x in inputs.items]}",
        "comprehensions and loops are not available: use a task, or a step per item",
    ),
    (
        "${sum(x ‹for› x in inputs.items)}",
        "comprehensions and loops are not available: use a task, or a step per item",
    ),
    ("${‹lambda› x: 1}", "functions cannot be defined: 'lambda' is not available"),
    ("${‹await› x}", "'await' is not available"),
    ("${‹yield› x}", "'yield' is not available"),
    ("${‹f'a'›}", "f-strings are not available: join strings with + and str(…)"),
    ("${‹b'a'›}", "bytes are not available: JSON has only strings"),
    ("${‹r'a'›}", "strings have no prefix 'r': write \\\\ for a backslash"),
    ("${‹'''a'›''}", "strings in triple quotes are not available: write \\n for a new line"),
    ("${‹'a''b'›}", "two strings follow each other: write + between them"),
    ("${(1‹,› 2)}", "tuples are not available: write a list, [… , …]"),
    ("${1‹,› 2}", "tuples are not available: write a list, [… , …]"),
    ("${‹(›)}", "tuples are not available: write a list, []"),
    ("${[‹{›1, 2}]}", "sets are not available: write a list, [… , …]"),
    (
        "‹${{ inputs.count }}›",
        "an expression takes single braces: write ${inputs.count}",
    ),
    ("a ‹${{f(x)}}› b", "an expression takes single braces: write ${f(x)}"),
    (
        "${‹{› [{}] }}",
        "sets are not available: write a list, [… , …]; "
        "write an expression in single braces, ${ … }",
    ),
    (
        "${inputs.items[0‹:›2]}",
        "slices are not available: use single items, or slice in a task",
    ),
    ("${inputs.items[‹:›]}", "slices are not available: use single items, or slice in a task"),
    ("${i ‹:=› 1}", "assignments are not available: to compare, write '=='"),
    (
        "${i ‹=› 1}",
        "assignments and named arguments are not available: to compare, write '=='",
    ),
    (
        "${sorted(i, reverse‹=›true)}",
        "assignments and named arguments are not available: to compare, write '=='",
    ),
    ("${i ‹&› 1}", "bit operations are not available: write 'and' for conditions"),
    (
        "${i ‹|› upper}",
        "bit operations are not available, nor are filters: call a function, for example len(x)",
    ),
    (
        "${i ‹^› 1}",
        "bit operations are not available, nor are powers: multiply, for example x * x",
    ),
    ("${‹~›i}", "bit operations are not available: write 'not' for conditions"),
    ("${i ‹<<› 1}", "bit operations are not available"),
    ("${i ‹>>› 1}", "bit operations are not available"),
    ("${i ‹@› i}", "matrices are not available"),
    ("${‹...›}", "'...' has no value here"),
    ("${i‹;› i}", "an expression has one value: statements are not available"),
    ("${yes ‹&&› yes}", "write 'and' instead of '&&'"),
    ("${yes ‹||› yes}", "write 'or' instead of '||'"),
    ("${‹!›yes}", "write 'not' instead of '!'"),
    ("${i ‹===› 1}", "write '==' instead of '==='"),
    ("${i ‹!==› 1}", "write '!=' instead of '!=='"),
    ("${i ‹<>› 1}", "write '!=' instead of '<>'"),
    ("${yes ‹?› 1 : 2}", "to choose, write … if … else …"),
    ("${i ‹->› 1}", "unexpected '->'"),
    ("${‹“›a”}", "unexpected '“': write a string in the straight quotes ' or \""),
    ("${i ‹–› 1}", "unexpected '–': write minus as '-'"),
    ("${i‹\u00a0›+ 1}", "unexpected character U+00A0"),
    ("${‹\x00›}", "unexpected character U+0000"),
    ("${i + ‹\\›\n 1}", "unexpected '\\': remove the '\\' at the end of the line"),
    # functions and methods
    ("${word.‹upper›()}", "methods are not available, so 'upper' cannot be called"),
    (
        "${inputs.‹keys›()}",
        "methods are not available, so 'keys' cannot be called: write keys(mapping)",
    ),
    ("${(i)‹(›1)}", "only functions can be called"),
    ("${len(word)‹(›1)}", "only functions can be called"),
    ("${‹lenn›(word)}", "unknown function 'lenn'; did you mean 'len'?"),
    (
        "${‹eval›('1')}",
        "unknown function 'eval'; functions: abs, float, int, join, keys, len, max, min, …",
    ),
    ("${1 + ‹len()›}", "len takes 1 value, not 0: write len(value)"),
    (
        "${‹range(1, 2, 3, 4)›}",
        "range takes 1 to 3 values, not 4: write range(stop), range(start, stop) or "
        "range(start, stop, step)",
    ),
    ("${‹min()›}", "min takes 1 or more values, not 0: write min(list) or min(a, b, …)"),
    # literals
    ("${‹0x10›}", "'0x10' is not a number: write a number like 10, 0.5 or 2e3"),
    ("${‹1_000›}", "'1_000' is not a number: write a number like 10, 0.5 or 2e3"),
    ("${‹1j›}", "'1j' is not a number: write a number like 10, 0.5 or 2e3"),
    ("${‹007›}", "remove the leading zeros of the number"),
    ("${‹٣›}", "unexpected character U+0663 '٣'"),
    ("${'a‹\\d›'}", "unknown escape '\\d': write a backslash as '\\\\'"),
    ("${'‹\\x›4'}", "'\\x' needs 2 hexadecimal digits"),
    (
        "${'‹\\ud83d›\\ude00'}",
        "this is half of a surrogate pair: write the character itself, or \\U and its 8 digits",
    ),
    ("${'‹\\U00110000›'}", "there is no character 00110000: the last is 0010FFFF"),
]


@pytest.mark.parametrize(("marked", "message"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_what_cannot_be_read_is_refused_before_it_is_evaluated(marked: str, message: str) -> None:
    assert_refused(marked, message)
    with pytest.raises(ExpressionError):
        parse_template(marked.replace("‹", "").replace("›", ""))


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("i ‹+›", "a value is missing after '+'"),
        (" ‹Nothing›", "unknown name 'Nothing'; did you mean 'nothing'?"),
        ("i‹}›", "this '}' closes nothing"),
        ("‹(›i", "this '(' is not closed by ')'"),
        ("i == ‹'›a", "the string that begins here is not closed by ' on its line"),
        ("‹${›i > 1}", "write the expression without '${' and '}' here"),
        ("‹  ›", "the expression is empty"),
    ],
)
def test_a_bare_expression_is_refused_in_its_own_words(marked: str, message: str) -> None:
    assert_refused(marked, message, template=False)
