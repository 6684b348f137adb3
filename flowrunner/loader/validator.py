"""The validator of ``schemas/workflow.schema.json``.

It is jsonschema's, with three keywords that look at this one schema directly: the stock ones
serve schemas that refer to each other over the network and took three quarters of the time of
a file of 10,000 steps (measured). A test holds it to the stock validator's findings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from flowrunner.data import data_path

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["properties_of", "referred", "workflow_schema", "workflow_validator"]

_TYPES: Final[dict[str, type]] = {"string": str, "object": dict, "array": list}


@cache
def workflow_schema() -> dict[str, Any]:
    """Return the schema that editors are given."""
    text = data_path("schemas", "workflow.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def workflow_validator() -> Validator:
    """Return the validator of whole documents."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    keywords: dict[str, Any] = {
        "$ref": _reference,
        "if": _condition,
        "unevaluatedProperties": _unevaluated_properties,
    }
    extended: Any = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]
    validator: Validator = extended(workflow_schema())
    return validator


def referred(reference: str) -> dict[str, Any]:
    """Return the definition that a ``$ref`` of the schema names."""
    definition: dict[str, Any] = workflow_schema()["$defs"][reference.removeprefix("#/$defs/")]
    return definition


def properties_of(schema: dict[str, Any], instance: dict[str, Any]) -> dict[str, None]:
    """Return the names of the properties that a schema knows, for a mapping with these keys."""
    known: dict[str, None] = {}
    if "$ref" in schema:
        known.update(properties_of(referred(schema["$ref"]), instance))
    if "if" in schema:
        branch = schema.get("then" if _holds(schema["if"], instance) else "else", {})
        known.update(properties_of(branch, instance))
    return {**known, **dict.fromkeys(schema.get("properties", {}))}


def _reference(
    validator: Any, reference: str, instance: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    yield from validator.descend(instance, referred(reference))


def _condition(
    validator: Any, condition: dict[str, Any], instance: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    branch = "then" if _holds(condition, instance) else "else"
    if branch in schema:
        yield from validator.descend(instance, schema[branch], schema_path=branch)


def _holds(condition: dict[str, Any], instance: Any) -> bool:
    """Conditions of this schema ask for one type, or for keys."""
    if "type" in condition:
        return isinstance(instance, _TYPES[condition["type"]])
    return not isinstance(instance, dict) or all(key in instance for key in condition["required"])


def _unevaluated_properties(
    validator: Any, allowed: bool, instance: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, dict):
        known = properties_of(schema, instance)
        unknown = [key for key in instance if key not in known]
        if unknown:
            yield ValidationError(f"unknown keys: {', '.join(unknown)}")
