"""Text to nodes: every place kept, nothing guessed, and bounded work for any text."""

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowrunner.errors import WorkflowError
from flowrunner.loader import composer
from flowrunner.loader.composer import MAXIMUM_DEPTH, MAXIMUM_NODES, compose
from flowrunner.node import Mapping, Node, Scalar, Sequence, plain
from flowrunner.source import Location, Source


def composed(text: str) -> Node | None:
    node, problems = compose(Source("test.yaml", text))
    assert problems == []
    return node


def refusals(text: str) -> list[str]:
    """Return the messages of what is wrong with a text."""
    try:
        _, problems = compose(Source("test.yaml", text))
    except WorkflowError as error:
        problems = list(error.diagnostics)
    return [problem.message for problem in problems]


@pytest.mark.parametrize("loader", [composer.yaml.SafeLoader, composer._LOADER])
def test_every_node_knows_where_it_stands(loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PyYAML's C loader, and with the one in Python where there is no other."""
    monkeypatch.setattr(composer, "_LOADER", loader)
    text = "chord:\n  header: 'power x10'\n  body: [é漢, b]\n"
    root = composed(text)
    assert isinstance(root, Mapping)
    chord = root.get("chord")
    assert isinstance(chord, Mapping)
    assert chord.location.text == "header: 'power x10'\n  body: [é漢, b]"
    header, body = chord.get("header"), chord.get("body")
    assert header is not None
    assert (header.location.line, header.location.column) == (2, 11)
    assert header.location.text == "'power x10'"
    assert isinstance(body, Sequence)
    assert [item.location.text for item in body.items] == ["é漢", "b"]
    assert (body.items[1].location.line, body.items[1].location.column) == (3, 14)


def test_a_part_of_a_text_has_places_in_the_whole_text() -> None:
    source = Source("-i", "größe=[1, zwei]")
    node, _ = compose(source, Location(source, 6, len(source.text)))
    assert isinstance(node, Sequence)
    assert node.items[1].location.text == "zwei"


def test_an_anchor_is_no_part_of_what_it_names() -> None:
    root = composed("a: &one  'x y'\nb: &two\n  z\n")
    assert isinstance(root, Mapping)
    assert [value.location.text for _, value in root.entries] == ["'x y'", "z"]


@pytest.mark.parametrize("text", ["", "# only words\n", "---\n", "---\n...\n"])
def test_a_text_without_a_value_gives_none_or_null(text: str) -> None:
    node = composed(text)
    assert node is None or (isinstance(node, Scalar) and node.value is None)


def test_an_alias_stands_for_its_value() -> None:
    root = composed("a: &x [1, 2]\nb: *x\n")
    assert root is not None
    assert plain(root) == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "duplicate key 'a'"),
        ("1: a\n", "a key must be a string, not 1"),
        ("null: a\n", "a key must be a string, not null"),
        ("[a]: b\n", "a key must be a string"),
        ("? \n: b\n", "a key is missing before the ':'"),
        ("<<: {a: 1}\n", "merge keys ('<<') are not part of YAML 1.2"),
        ("a: !!python/name:os x\n", "a workflow cannot use the tag '!!python/name:os'"),
        ("a: !ref x\n", "a workflow cannot use the tag '!ref'"),
        ("a: .nan\n", "JSON has no number '.nan'"),
        ("a: 1\n---\nb: 2\n", "the file has more than one document"),
        ("a: *x\n", "unknown alias '*x'"),
        ("a: &x [*x]\n", "the alias '*x' refers to a value that contains it"),
        ("a: &x {b: {c: *x}}\n", "the alias '*x' refers to a value that contains it"),
        ("a: b: c\n", "a ':' is not allowed here"),
        ("a: 'b\n", "a closing quote is missing"),
        ("a: [b\n", "a ',' or the closing ']' is missing"),
        ("a: {b: 1\n", "a ',' or the closing '}' is missing"),
        ("\ta: b\n", "a tab cannot indent a line"),
        ("a: @b\n", "a string cannot begin with this character"),
        ('a: "x\x85y"\n', "the character U+0085 must be escaped"),
        ('a: "x\u2028y"\n', "the character U+2028 must be escaped"),
        ("a: \x00\n", "the character U+0000 is not allowed in YAML"),
        ("a: \x1b[31m\n", "the character U+001B is not allowed in YAML"),
        ("a: \ud800\n", "the character U+D800 is not allowed in YAML"),
        ("x: <a: 1, b: 2>\n", "a mapping on one line needs braces"),
        ("x: [${inputs.n}]\n", "an expression inside [ ] or { } needs quotes"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_text_is_said_in_words(text: str, message: str) -> None:
    assert refusals(text) == [message]


def test_every_problem_that_leaves_the_rest_readable_is_found() -> None:
    assert len(refusals("a: 1\na: 2\n3: b\nc: .inf\nd: !x 1\n")) == 4


def doubled(levels: int) -> str:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * (MAXIMUM_DEPTH + 1), "nested more than 64 levels"),
        ("[" * 100_000, "nested"),
        ("{a: " * 100_000, "nested more than 64 levels"),
        ("- " * 100_000, "nested more than 64 levels"),
        (doubled(40), "aliases make this file too large"),
        ("a: [" + "1," * MAXIMUM_NODES + "]", "more than 1,000,000 values"),
    ],
)
def test_a_bomb_is_refused(text: str, message: str) -> None:
    assert message in refusals(text)[0]


def test_the_garbage_collector_is_left_as_it_was() -> None:
    composed("a: 1")
    assert gc.isenabled()
    refusals("a: [")
    assert gc.isenabled()


@given(st.text(alphabet=st.sampled_from("ab:-[]{}'\"\n #&*!|>%@`,?x$<~.0é漢\t\\"), max_size=60))
def test_any_text_gives_nodes_or_diagnostics_with_places(text: str) -> None:
    source = Source("fuzz.yaml", text)
    try:
        node, problems = compose(source)
    except WorkflowError as error:
        node, problems = None, list(error.diagnostics)
        assert problems
    for problem in problems:
        assert problem.location is not None
        assert 0 <= problem.location.start <= len(text)
    if node is not None:
        assert node.location.start <= node.location.end <= len(text)
