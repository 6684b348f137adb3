"""The validator finds what stock jsonschema finds, and the schema is a good one for editors."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flowrunner.loader import parse_json
from flowrunner.loader.language import OPTIONS, STEP_KEYS
from flowrunner.loader.schema import workflow_schema
from flowrunner.loader.validator import find_problems
from flowrunner.node import Mapping, Node, Scalar, Sequence
from flowrunner.source import Location, Source
from tests.loader.documents import expected, found, places

ROOT = Path(__file__).parent.parent.parent
FILES = sorted([*(ROOT / "workflows").glob("*.yaml"), *(ROOT / "tests/invalid").glob("*.yaml")])


def documents() -> Iterator[Any]:
    for file in FILES:
        try:
            document = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        if parse_json(Source("document", json.dumps(document))) is not None:
            yield document


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(workflow_schema())


def test_files_are_found_right_and_wrong_as_by_the_stock_validator() -> None:
    compared = 0
    for document in documents():
        assert found(document) == expected(document)
        compared += 1
    assert compared > 30


keys = st.sampled_from(
    [
        *(*STEP_KEYS, *OPTIONS, "args", "kwargs", "times", "as", "id", "header", "body", "over"),
        *("size", "name", "inputs", "defaults", "timeout", "each", "tpyo", "type", "default"),
        *("do", "when", "else", "needs", "with", "on_error", "max_parallel", "tolerate", "retry"),
        *("max", "only", "jitter", "outputs", "env"),
    ]
)
scalars = st.sampled_from(
    [None, True, 0, -1, 2.5, "power", "power x3", "power x-1", "${i}", "", 3.0, 101, "5%"]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_any_document_is_found_right_or_wrong_as_by_the_stock_validator(document: Any) -> None:
    assert found(document) == expected(document)


RIGHT = [
    "{inputs: {count: 3, size: {type: integer, default: 1, minimum: 0}}, task: power}",
    "{env: [API_TOKEN], outputs: {total: 1}, defaults: {power: {queue: slow, retry: 3}}, task: a}",
    "{on_error: power, chain: [{task: a, id: b, times: 3, tolerate: 1, on_error: power x3}]}",
    "{each: [1], as: x, do: {task: power, when: x > 1}, tolerate: 5%, max_parallel: 2}",
    "{switch: [{when: prev > 1, do: power}, {else: {use: other.yaml, with: {count: 1}}}]}",
    "{task: power, retry: {max: 3, only: [ValueError], jitter: full, delay: 2.5, backoff: 2}}",
    "{chord: {header: [power x3], body: amass}, max_parallel: 3}",
    "{graph: {a: power, b: {task: power, needs: [a]}}}",
    "{chunks: {task: power, over: [1], size: 2, queue: slow}, tolerate: 1}",
]


@given(st.data())
def test_one_wrong_thing_is_found_wherever_it_stands(data: st.DataObject) -> None:
    document = yaml.safe_load(data.draw(st.sampled_from(RIGHT)))
    assert found(document) == expected(document) == set()
    around, key = data.draw(st.sampled_from([*places(document)]))
    if isinstance(around, dict) and data.draw(st.booleans()):
        around[data.draw(keys)] = around.pop(key)
    else:
        around[key] = data.draw(values)
    assert found(document) == expected(document)


ONES = [1, True, 1.0, "1", 1.5, 0, False, 0.0, "0"]


@pytest.mark.parametrize("first", ONES)
def test_equal_scalars_of_other_types_are_told_apart(first: Any) -> None:
    for value in [first, *ONES]:
        document = {"task": "a", "times": value, "immutable": value, "countdown": value}
        assert found(document) == expected(document)


def test_no_depth_is_too_deep() -> None:
    place = Location(Source("deep", ""), 0, 0)
    step: Node = Mapping(((Scalar("tsk", place), Scalar("power", place)),), place)
    for _ in range(5_000):
        step = Mapping(((Scalar("chain", place), Sequence((step,), place)),), place)
    problems, _ = find_problems(step, most=10)
    assert [each.keyword for each in problems] == ["required", "unevaluatedProperties"]
    assert len(list(problems[0].place.path())) == 10_001


def definitions() -> Iterator[tuple[str, Any]]:
    schema = workflow_schema()
    yield from schema["properties"].items()
    names = (
        "each",
        "switch",
        "use",
        "graph",
        "chain",
        "group",
        "chord",
        "map",
        "starmap",
        "chunks",
    )
    for name in ("stepMapping", "options", "taskKeys", *(f"{name}Keys" for name in names)):
        yield from schema["$defs"][name]["properties"].items()


@pytest.mark.parametrize(("name", "definition"), list(definitions()))
def test_an_editor_can_show_what_every_key_is_for(name: str, definition: dict[str, Any]) -> None:
    if "$ref" in definition:
        referred = workflow_schema()["$defs"][definition["$ref"].removeprefix("#/$defs/")]
        definition = {**referred, **definition}
    assert definition["title"]
    assert definition["description"]


def examples(schema: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(schema, dict):
        # A property may be called 'examples'; its value is a schema, not a list.
        if isinstance(schema.get("examples"), list):
            yield from ((schema, example) for example in schema["examples"])
        for inner in schema.values():
            yield from examples(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from examples(inner)


def test_every_example_in_the_schema_satisfies_it() -> None:
    shown = list(examples(workflow_schema()))
    assert len(shown) > 20
    for schema, example in shown:
        inner = {**schema, "$defs": workflow_schema()["$defs"]}
        assert list(Draft202012Validator(inner).iter_errors(example)) == [], example
