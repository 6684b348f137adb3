"""Expressions of shapes: how they are written, and what they give, without flowrunner's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """``prev``, ``errors``, a loop variable, the id of a step, or an input: ``inputs.NAME``."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """``base[0]``, or ``base.key``."""

    base: Expression
    index: int | str


@dataclass(frozen=True, slots=True)
class Length:
    base: Expression


@dataclass(frozen=True, slots=True)
class Range:
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Listed:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """``==`` and ``!=`` compare anything, ``<`` and ``>`` numbers."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Joined:
    """``and`` and ``or`` of conditions."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not:
    condition: Expression


@dataclass(frozen=True, slots=True)
class Text:
    """A text with an expression in the middle of it."""

    before: str
    middle: Expression
    after: str = ""


Expression: TypeAlias = (
    Literal | Name | Part | Length | Range | Listed | Compared | Joined | Not | Text
)
KINDS = (Literal, Name, Part, Length, Range, Listed, Compared, Joined, Not, Text)


class CannotEvaluateError(Exception):
    """The expression has no value."""


def bare(expression: Expression) -> str:
    """Return an expression as it is written between ``${`` and ``}``."""
    match expression:
        case Literal(value):
            return json.dumps(value)
        case Name(name):
            return name
        case Part(base, index):
            return f"{bare(base)}.{index}" if isinstance(index, str) else f"{bare(base)}[{index}]"
        case Length(base):
            return f"len({bare(base)})"
        case Range(start, stop):
            return f"range({start}, {stop})"
        case Listed(items):
            return f"[{', '.join(map(bare, items))}]"
        case Compared(operator, left, right) | Joined(operator, left, right):
            return f"({bare(left)} {operator} {bare(right)})"
        case Not(condition):
            return f"(not {bare(condition)})"
        case Text():
            raise AssertionError("a text is a template and not an expression")


def template(value: Any) -> Any:
    """Return a value as a file says it: expressions in it as ``${…}``."""
    if isinstance(value, Literal):
        return value.value
    if isinstance(value, Text):
        return f"{value.before}${{{bare(value.middle)}}}{value.after}"
    if isinstance(value, KINDS):
        return f"${{{bare(value)}}}"
    if isinstance(value, dict):
        return {key: template(each) for key, each in value.items()}
    return list(map(template, value)) if isinstance(value, list | tuple) else value


def names_in(value: Any) -> Iterator[str]:
    """Yield the names that a value, or expressions in it, use."""
    match value:
        case Name(name):
            yield name
        case Part(base, _) | Length(base) | Not(base) | Text(_, base):
            yield from names_in(base)
        case Compared(_, left, right) | Joined(_, left, right):
            yield from names_in(left)
            yield from names_in(right)
        case Listed(items):
            yield from names_in(items)
        case list() | tuple():
            for each in value:
                yield from names_in(each)
        case dict():
            yield from names_in(list(value.values()))


def evaluated(value: Any, names: Mapping[str, Any]) -> Any:
    """Return a value with its expressions evaluated; raise where one has no value."""
    if isinstance(value, KINDS):
        return _evaluated(value, names)
    if isinstance(value, list | tuple):
        return [evaluated(each, names) for each in value]
    if isinstance(value, dict):
        return {key: evaluated(each, names) for key, each in value.items()}
    return value


def _evaluated(expression: Expression, names: Mapping[str, Any]) -> Any:
    match expression:
        case Literal(value):
            return value
        case Name(name):
            return names[name]
        case Part(base, index):
            return _part(_evaluated(base, names), index)
        case Length(base):
            value = _evaluated(base, names)
            return len(_require(value, (list, dict, str)))
        case Range(start, stop):
            return list(range(start, stop))
        case Listed(items):
            return [_evaluated(item, names) for item in items]
        case Compared(operator, left, right):
            return _compared(operator, _evaluated(left, names), _evaluated(right, names))
        case Joined(operator, left, right):
            first = _require(_evaluated(left, names), (bool,))
            if first is (operator == "or"):
                return first
            return _require(_evaluated(right, names), (bool,))
        case Not(condition):
            return not _require(_evaluated(condition, names), (bool,))
        case Text(before, middle, after):
            value = _evaluated(middle, names)
            put_in = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            return f"{before}{put_in}{after}"


def _part(value: Any, index: int | str) -> Any:
    value = _require(value, (list,) if isinstance(index, int) else (dict,))
    try:
        return value[index]
    except LookupError as error:
        raise CannotEvaluateError from error


def _compared(operator: str, left: Any, right: Any) -> bool:
    if operator in ("==", "!="):
        return (left == right) is (operator == "==")
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CannotEvaluateError
    return bool(left < right if operator == "<" else left > right)


def _require(value: Any, kinds: tuple[type, ...]) -> Any:
    if not isinstance(value, kinds):
        raise CannotEvaluateError
    return value
