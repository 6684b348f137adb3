"""Documents checked by flowrunner's validator and by one pass of stock jsonschema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from flowrunner.loader import parse_json
from flowrunner.loader.schema import workflow_schema
from flowrunner.loader.validator import find_problems
from flowrunner.source import Source

__all__ = ["expected", "found", "places"]

stock = Draft202012Validator(workflow_schema())


def expected(document: Any) -> set[tuple[str, str]]:
    """Return where something is wrong, and the keyword that says so."""
    return {
        ("/".join(map(str, error.absolute_path)), str(error.validator))
        for error in stock.iter_errors(document)
    }


def found(document: Any) -> set[tuple[str, str]]:
    """Return the same of flowrunner's validator."""
    root = parse_json(Source("document", json.dumps(document)))
    assert root is not None
    problems, are_all = find_problems(root, most=100_000)
    assert are_all
    return {
        (
            "/".join(
                str(at.part) for at in reversed([*problem.place.path()]) if at.part is not None
            ),
            problem.keyword,
        )
        for problem in problems
    }


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each mapping and list with each of its keys or positions."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(inner):
        yield value, key
        if isinstance(each, (dict, list)):
            yield from places(each)
