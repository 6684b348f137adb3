"""The schema of workflows uses only keywords that the validator of documents decides exactly."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from flowrunner.loader.schema import workflow_schema

#: Keywords whose value is a schema, a list of schemas, and schemas by name.
INNER = {"items", "propertyNames", "additionalProperties", "unevaluatedProperties"}
IN_PLACE = {"if", "then", "else"}
BY_NAME = {"properties", "$defs"}
#: Keywords that decide a value by its type, its keys or its length.
OF_SHAPE = {"type", "required", "minItems", "minProperties"}
#: Keywords that decide a scalar by its value.
OF_SCALARS = {
    *("enum", "const", "pattern", "minLength"),
    *("minimum", "maximum", "exclusiveMinimum"),
}
WORDS = {"$schema", "$id", "title", "description", "examples", "default", "errorMessage"}
#: What forbids keys is the only schema that is no mapping.
CLOSED = [("additionalProperties", False), ("unevaluatedProperties", False)]
KNOWN = INNER | IN_PLACE | BY_NAME | OF_SHAPE | OF_SCALARS | WORDS | {"$ref", "allOf"}


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and the schemas in it, except those under ``if``."""
    if not isinstance(schema, dict):
        yield {str(schema): schema}  # true and false
        return
    yield schema
    for keyword, value in schema.items():
        if keyword in BY_NAME:
            for each in value.values():
                yield from schemas(each)
        elif keyword == "allOf":
            for each in value:
                yield from schemas(each)
        elif keyword in INNER | IN_PLACE - {"if"} and (keyword, value) not in CLOSED:
            yield from schemas(value)


def in_place(schema: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a schema and those that it applies to the same value."""
    yield schema
    for keyword in IN_PLACE & schema.keys():
        yield from in_place(schema[keyword], whole)
    if "$ref" in schema:
        yield from in_place(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)


def unusable(whole: dict[str, Any]) -> Iterator[str]:
    """Yield the uses of keywords for which one value at a time is not enough."""
    for schema in schemas(whole):
        yield from schema.keys() - KNOWN
        if "if" in schema and not schema["if"].keys() <= {"type", "required"}:
            yield "if"  # here a keyword that looks further would always be an error
        if any(isinstance(each, (dict, list)) for each in schema.get("enum", [])):
            yield "enum"
        if isinstance(schema.get("const"), (dict, list)):
            yield "const"
        if schema.get("unevaluatedProperties", False) is not False:
            yield "unevaluatedProperties"
        if "unevaluatedProperties" in schema:
            for each in in_place(schema, whole):
                if "allOf" in each:
                    yield "allOf"
                if each.get("additionalProperties", False) is not False:
                    yield "additionalProperties"


def test_the_schema_uses_only_what_is_decided_exactly() -> None:
    assert list(unusable(workflow_schema())) == []


@pytest.mark.parametrize(
    ("keyword", "schema"),
    [
        ("if", {"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}}),
        ("if", {"if": {"type": "string", "minLength": 2}, "then": {"pattern": "a"}}),
        ("if", {"if": {"allOf": [{"required": ["a"]}]}, "else": {"minLength": 1}}),
        ("if", {"if": {"$ref": "#/$defs/step"}, "then": {"required": ["b"]}}),
        ("False", {"properties": {"a": False}}),
        ("True", {"additionalProperties": True}),
        ("not", {"not": {"required": ["a"]}}),
        ("anyOf", {"anyOf": [{"type": "string"}, {"type": "object"}]}),
        ("oneOf", {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        ("contains", {"contains": {"type": "string"}}),
        ("uniqueItems", {"uniqueItems": True}),
        ("patternProperties", {"patternProperties": {"^a": {"type": "string"}}}),
        ("prefixItems", {"prefixItems": [{"type": "string"}]}),
        ("dependentSchemas", {"dependentSchemas": {"a": {"required": ["b"]}}}),
        ("enum", {"enum": ["a", {"b": 1}]}),
        ("const", {"const": [1]}),
        ("unevaluatedProperties", {"unevaluatedProperties": {"type": "string"}}),
        (
            "allOf",
            {"allOf": [{"properties": {"a": {"const": 1}}}], "unevaluatedProperties": False},
        ),
        (
            "additionalProperties",
            {"$ref": "#/$defs/outer", "unevaluatedProperties": False},
        ),
    ],
)
def test_a_schema_with_anything_else_is_found(keyword: str, schema: dict[str, Any]) -> None:
    whole = deepcopy(workflow_schema())
    whole["$defs"]["outer"] = {"additionalProperties": {"type": "string"}}
    whole["$defs"]["taskKeys"]["properties"]["more"] = {"items": schema}
    assert list(unusable(whole)) == [keyword]
