"""Our validator finds what jsonschema's own finds, and the schema is a good one for editors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flowrunner.loader.language import OPTIONS, STEP_KEYS
from flowrunner.loader.validator import workflow_schema, workflow_validator

ROOT = Path(__file__).parent.parent.parent
FILES = sorted([*(ROOT / "workflows").glob("*.yaml"), *(ROOT / "tests/invalid").glob("*.yaml")])

stock = Draft202012Validator(workflow_schema())


def findings(validator: Any, document: Any) -> set[tuple[str, str]]:
    """Return where something is wrong, and the keyword that says so."""
    return {
        ("/".join(map(str, error.absolute_path)), str(error.validator))
        for error in validator.iter_errors(document)
    }


def documents() -> Iterator[Any]:
    for file in FILES:
        try:
            yield yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError):
            continue


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(workflow_schema())


def test_files_are_found_right_and_wrong_as_by_the_stock_validator() -> None:
    compared = 0
    for document in documents():
        assert findings(workflow_validator(), document) == findings(stock, document)
        compared += 1
    assert compared > 30


keys = st.sampled_from(
    [
        *(*STEP_KEYS, *OPTIONS, "args", "kwargs", "times", "as", "id", "header", "body", "over"),
        *("size", "name", "inputs", "defaults", "timeout", "each", "tpyo", "type", "default"),
    ]
)
scalars = st.sampled_from([None, True, 0, -1, 2.5, "power", "power x3", "power x-1", "${i}", ""])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_any_document_is_found_right_or_wrong_as_by_the_stock_validator(document: Any) -> None:
    assert findings(workflow_validator(), document) == findings(stock, document)


def definitions() -> Iterator[tuple[str, Any]]:
    schema = workflow_schema()
    yield from schema["properties"].items()
    for name in ("taskKeys", "options", "chainKeys", "groupKeys", "chordKeys", "mapKeys"):
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
