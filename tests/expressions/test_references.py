"""Which names an expression uses, and where."""

from __future__ import annotations

import pytest

from flowrunner.expressions import Reference, parse_expression, parse_template


def referred(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    return [
        (each.name, each.path, text[each.offset : each.offset + each.length])
        for each in parse_template(text).references
    ]


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("${i}", [("i", (), "i")]),
        ("a ${ inputs.count } b", [("inputs", ("count",), "inputs.count")]),
        ("${inputs['count']}", [("inputs", ("count",), "inputs['count']")]),
        ("${inputs [ 'a b' ] . c}", [("inputs", ("a b", "c"), "inputs [ 'a b' ] . c")]),
        ("${inputs.items[0].x}", [("inputs", ("items",), "inputs.items")]),
        ("${inputs[0].x}", [("inputs", (), "inputs")]),
        ("${inputs['a' + 'b'].c}", [("inputs", (), "inputs")]),
        ("${inputs[('a')].c}", [("inputs", (), "inputs")]),
        ("${(inputs).a}", [("inputs", (), "inputs")]),
        ("${inputs[i.x].y}", [("inputs", (), "inputs"), ("i", ("x",), "i.x")]),
        ("${a.b[c['d']]['e']}", [("a", ("b",), "a.b"), ("c", ("d",), "c['d']")]),
        ("${a if b else c}", [("a", (), "a"), ("b", (), "b"), ("c", (), "c")]),
        ("${a} ${a}", [("a", (), "a"), ("a", (), "a")]),
        ("${len(a) + min(b, [c, {'k': d}])}", [(x, (), x) for x in "abcd"]),
        ("${not -a.b and true}", [("a", ("b",), "a.b")]),
        ("${a.true.if}", [("a", ("true", "if"), "a.true.if")]),
        ("${{'a': 1}.a}", []),
        ("${'a.b' + 'i'}", []),
        ("${len('x') + (1 if true else null)}", []),
        ("$${i} i", []),
        ("größe ${\n  größe.µ\n}", [("größe", ("µ",), "größe.µ")]),
    ],
)
def test_references_are_the_names_with_their_constant_keys_in_the_order_written(
    text: str, references: list[tuple[str, tuple[str, ...], str]]
) -> None:
    assert referred(text) == references


def test_a_bare_expression_shifts_its_references_by_its_offset() -> None:
    assert parse_expression(" a.b == c", 100).references == (
        Reference("a", ("b",), 101, 3),
        Reference("c", (), 108, 1),
    )
