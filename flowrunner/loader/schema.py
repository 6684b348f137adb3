"""``schemas/workflow.schema.json``: what a file may hold, for editors and for the loader."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flowrunner.data import data_path
from flowrunner.node import Mapping

__all__ = ["known_keys", "referred", "workflow_schema"]


@cache
def workflow_schema() -> dict[str, Any]:
    """Return the schema that editors are given."""
    text = data_path("schemas", "workflow.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def referred(reference: str) -> dict[str, Any]:
    """Return the definition that a ``$ref`` of the schema names."""
    definition: dict[str, Any] = workflow_schema()["$defs"][reference.removeprefix("#/$defs/")]
    return definition


def known_keys(schema: dict[str, Any], mapping: Mapping) -> dict[str, None]:
    """Return the keys that a schema knows for a mapping, which may hang on what it holds."""
    known = dict.fromkeys(schema.get("properties", {}))
    if "if" in schema:
        holds = all(key in mapping for key in schema["if"]["required"])
        known |= known_keys(schema.get("then" if holds else "else", {}), mapping)
    if "$ref" in schema:
        known |= known_keys(referred(schema["$ref"]), mapping)
    return known
