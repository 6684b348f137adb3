"""Values against JSON Schemas, through ``jsonschema``, in words that say what is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from flowrunner.budget import Budget, BudgetUsedUpError
from flowrunner.loader.integers import inexact_integers
from flowrunner.loader.schema_keywords import schema_errors
from flowrunner.node import Node, node_at, plain
from flowrunner.source import Location
from flowrunner.values import EXACT_FLOATS, shown

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["Violation", "describe", "explain", "explain_keyword", "value_problem", "violations"]

#: Faults of one value that are looked for.
MOST_VIOLATIONS: Final = 100
TYPE_WORDS: Final = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


class Violation(Struct, frozen=True):
    """What is wrong with a value: ``message`` begins with "must"."""

    message: str
    location: Location
    label: str = ""
    notes: tuple[str, ...] = ()


def violations(
    node: Node, schema: Mapping[str, object], budget: Budget | None = None
) -> list[Violation]:
    """Return what a JSON Schema (draft 2020-12) finds wrong with a value, the first faults of it.

    The work is taken from a ``budget``. Raises :class:`~flowrunner.budget.BudgetUsedUpError`.
    """
    found = []
    value = plain(node)
    try:
        for error in schema_errors(value, schema, budget or Budget(), MOST_VIOLATIONS):
            path = list(error.absolute_path)
            place = node_at(node, path).location
            found.append(Violation(explain(error) + _place_within(path), place))
    except BudgetUsedUpError as error:
        raise error.at(node.location) from None
    for way, number in islice(inexact_integers(value, schema), MOST_VIOLATIONS - len(found)):
        place = node_at(node, list(way)).location
        found.append(Violation(_inexact(number) + _place_within(list(way)), place, EXACT_FLOATS))
    return found


def value_problem(
    value: Any, schema: Mapping[str, object], budget: Budget | None = None
) -> str | None:
    """Return what a JSON Schema finds wrong with plain data, beginning with "must"."""
    try:
        for error in schema_errors(value, schema, budget or Budget(), 1):
            return explain(error) + _place_within(list(error.absolute_path))
    except BudgetUsedUpError:
        if budget is not None:
            raise
        return "must take less work to check"
    for way, number in inexact_integers(value, schema):
        return f"{_inexact(number)}{_place_within(list(way))}: {EXACT_FLOATS}"
    return None


def _inexact(number: float) -> str:
    return f"must be an integer, not the float {shown(number)}"


def _place_within(path: list[str | int]) -> str:
    if not path:
        return ""
    return " at " + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in path
    ).lstrip(".")


def describe(value: Any) -> str:
    """Return what a value is, with its kind where the value alone would not tell."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the string {shown(value)}"
    return shown(value)


class _Finding(Struct, frozen=True):
    """What jsonschema found: the keyword's value, the value that it was held against."""

    wanted: Any
    given: Any
    message: str


def explain(error: ValidationError) -> str:
    """Return what a value must be instead, beginning with "must"."""
    return explain_keyword(
        str(error.validator), error.validator_value, error.instance, error.message
    )


def explain_keyword(keyword: str, wanted: Any, given: Any, message: str = "") -> str:
    """Return what a value must be that a keyword refuses; ``message`` is what jsonschema said."""
    explainer = _EXPLAINERS.get(keyword)
    if explainer is None:
        return f"must satisfy {keyword}: {shown(wanted)}"
    return explainer(_Finding(wanted, given, message))


def _type(finding: _Finding) -> str:
    names = [finding.wanted] if isinstance(finding.wanted, str) else finding.wanted
    words = " or ".join(TYPE_WORDS[name] for name in names)
    return f"must be {words}, not {describe(finding.given)}"


def _bound(words: str) -> Callable[[_Finding], str]:
    return lambda finding: f"must be {words} {finding.wanted}, not {shown(finding.given)}"


def _size(words: str, unit: str, units: str) -> Callable[[_Finding], str]:
    def explained(finding: _Finding) -> str:
        counted = unit if finding.wanted == 1 else units
        if words == "at least" and not finding.given:
            if finding.wanted == 1:
                return "must not be empty"
            return f"must not be empty: it needs at least {finding.wanted} {counted}"
        return f"must have {words} {finding.wanted} {counted}, not {len(finding.given)}"

    return explained


def _enum(finding: _Finding) -> str:
    choices = ", ".join(shown(choice) for choice in finding.wanted[:12])
    more = ", …" if len(finding.wanted) > 12 else ""
    return f"must be one of {choices}{more}, not {shown(finding.given)}"


def _required(finding: _Finding) -> str:
    missing = [key for key in finding.wanted if key not in finding.given]
    named = [key for key in missing if finding.message.startswith(repr(key))]
    return f"must have the key '{(named or missing)[0]}'"


def _additional(finding: _Finding) -> str:
    found = _QUOTED.findall(finding.message)
    return f"must not have the key {', '.join(found) or shown(finding.given)}"


_QUOTED: Final = re.compile(r"'[^']*'")

_EXPLAINERS: Final[dict[str, Callable[[_Finding], str]]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda finding: f"must be {shown(finding.wanted)}, not {shown(finding.given)}",
    "minimum": _bound("at least"),
    "maximum": _bound("at most"),
    "exclusiveMinimum": _bound("more than"),
    "exclusiveMaximum": _bound("less than"),
    "multipleOf": _bound("a multiple of"),
    "minLength": _size("at least", "character", "characters"),
    "maxLength": _size("at most", "character", "characters"),
    "minItems": _size("at least", "item", "items"),
    "maxItems": _size("at most", "item", "items"),
    "minProperties": _size("at least", "entry", "entries"),
    "maxProperties": _size("at most", "entry", "entries"),
    "uniqueItems": lambda _: "must not contain duplicates",
    "pattern": lambda finding: (
        f"must match the pattern {finding.wanted}, not {shown(finding.given)}"
    ),
    "required": _required,
    "additionalProperties": _additional,
}
