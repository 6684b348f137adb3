"""The keywords of JSON Schema as inputs have them: jsonschema's, within the budget of a file.

Each keyword takes its work from the budget before it does it. Those that jsonschema cannot do
in linear time are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from flowrunner.budget import Budget
from flowrunner.loader.pattern import pattern_size, searches

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["schema_errors"]

#: Steps of the budget: for a keyword, for each part of its own value, for each value inside.
_STEPS_PER_KEYWORD: Final = 25
_STEPS_PER_PART: Final = 2
_STEPS_PER_INNER: Final = 50
_STEPS_PER_COMPARED: Final = 10
#: What comparing a value takes, in place of walking through it once.
_TIMES_COMPARED: Final = 4
#: Characters of a text that RE2 searches in one step, with a pattern of one instruction.
_SEARCHED_PER_STEP: Final = 30

_budget: ContextVar[Budget] = ContextVar("budget")

_Keyword = Callable[[Any, Any, Any, Any], Iterator["ValidationError"] | None]


def schema_errors(
    value: Any, schema: Mapping[str, object], budget: Budget, most: int
) -> list[ValidationError]:
    """Return what a JSON Schema (draft 2020-12) finds wrong with a value, so many faults at most.

    Raises :class:`~flowrunner.budget.BudgetUsedUpError`.
    """
    token = _budget.set(budget)
    try:
        errors = _validator()(schema).iter_errors(value)
        return [error for error, _ in zip(errors, range(most), strict=False)]
    finally:
        _budget.reset(token)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    own: dict[str, Any] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "enum": _enum,
        "const": _const,
        "uniqueItems": _unique_items,
    }
    keywords = {
        name: _charged(name, own.get(name, check))
        for name, check in Draft202012Validator.VALIDATORS.items()
    }
    return extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]


#: Keywords that look at each part of their own value.
_IN_PARTS: Final = frozenset(("type", "properties", "patternProperties", "required"))
#: Keywords that look at each value inside.
_WITH_INNER: Final = frozenset(
    ("items", "properties", "patternProperties", "additionalProperties", "propertyNames")
)


def _charged(name: str, check: Any) -> _Keyword:
    inner = name in _WITH_INNER

    def charged(
        validator: Any, wanted: Any, value: Any, schema: Any
    ) -> Iterator[ValidationError] | None:
        steps = _STEPS_PER_KEYWORD
        if name in _IN_PARTS and isinstance(wanted, (list, dict)):
            steps += len(wanted) * _STEPS_PER_PART
        if inner and isinstance(value, (list, dict)):
            steps += len(value) * _STEPS_PER_INNER
        _budget.get().spend(steps)
        return cast("Iterator[ValidationError] | None", check(validator, wanted, value, schema))

    return charged


def _error(message: str) -> ValidationError:
    from jsonschema.exceptions import ValidationError

    return ValidationError(message)


def _pattern(
    validator: Any, wanted: str, value: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    """jsonschema takes Python's engine, which can take exponential time."""
    if isinstance(value, str) and not _is_found(wanted, value):
        yield _error("the pattern is not found")


def _is_found(pattern: str, text: str) -> bool:
    _budget.get().spend(len(text) * pattern_size(pattern) // _SEARCHED_PER_STEP)
    return searches(pattern, text)


def _pattern_properties(
    validator: Any, wanted: dict[str, Any], value: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(value, dict):
        for pattern, inner in wanted.items():
            for key, each in value.items():
                if _is_found(pattern, key):
                    yield from validator.descend(each, inner, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, wanted: Any, value: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(value, dict) or wanted is True:
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", ())
    for key, each in value.items():
        if key in known or any(_is_found(pattern, key) for pattern in patterns):
            continue
        if wanted is False:
            yield _error(f"{key!r} is not known")
        else:
            yield from validator.descend(each, wanted, path=key)


def _enum(
    validator: Any, wanted: list[Any], value: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    """jsonschema compares with each of the choices: thousands of items took minutes (measured)."""
    known = _budget.get().remembered(wanted, lambda: frozenset(map(_written, wanted)))
    if _written(value) not in known:
        yield _error("it is not one of the choices")


def _const(
    validator: Any, wanted: Any, value: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if _written(value) != _written(wanted):
        yield _error("it is another value")


def _unique_items(
    validator: Any, wanted: bool, items: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    """jsonschema compares every two mappings: 20,000 took more than 20 s (measured)."""
    if wanted and isinstance(items, list) and len(set(map(_written, items))) < len(items):
        yield _error("an item stands twice")


def _written(value: Any) -> Hashable:
    """Return what is equal for values that JSON Schema takes for equal, and for no others."""
    _budget.get().spend(_STEPS_PER_COMPARED)
    kind = type(value)
    if kind is str or kind is int or kind is float:
        return value if kind is str else (value,)
    if kind is bool or value is None:
        return (kind, value)
    _budget.get().spend_on_value(value, _TIMES_COMPARED)
    return ("json", json.dumps(_canonical(value), sort_keys=True))


def _canonical(value: Any) -> Any:
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
