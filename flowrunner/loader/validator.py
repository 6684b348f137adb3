"""The validator of ``schemas/workflow.schema.json``.

It does what ``jsonschema`` would do, for this one schema and on nodes: 10,000 steps took that more
than two seconds, and steps inside steps took it beyond Python's limit of calls (measured). A test
holds it to what the stock validator finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

from flowrunner.loader.schema import known_keys, referred, workflow_schema
from flowrunner.node import Mapping, Node, Scalar, Sequence

__all__ = ["Place", "SchemaProblem", "find_problems"]


class Place(NamedTuple):
    """A node, and how one comes to it: ``part`` is a key or a position, ``None`` for a key."""

    outer: Place | None
    part: str | int | None
    node: Node

    def path(self) -> Iterator[Place]:
        """Yield the places from this one to the outermost."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.outer


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """What a keyword of the schema finds wrong with a node.

    ``schema`` is the one that holds the keyword. ``title`` and ``instead`` (its
    ``errorMessage``) are the nearest around it; ``missing`` is the key that is not there.
    """

    place: Place
    keyword: str
    schema: dict[str, Any]
    title: str
    instead: str = ""
    missing: str = ""

    @property
    def wanted(self) -> Any:
        """The keyword's value."""
        return self.schema[self.keyword]


class _EnoughError(Exception):
    """So much is wrong that the rest is not looked at."""


class _Problems(list[SchemaProblem]):
    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def append(self, problem: SchemaProblem) -> None:
        if len(self) == self._most:
            raise _EnoughError
        super().append(problem)


def find_problems(root: Node, most: int) -> tuple[list[SchemaProblem], bool]:
    """Return what is wrong with a document, and whether that is all of it."""
    problems = _Problems(most)
    try:
        _document_validator().check(Place(None, None, root), problems)
    except _EnoughError:
        return problems, False
    return problems, True


@cache
def _document_validator() -> _Validator:
    schema = workflow_schema()
    return _Validator(schema, _Context(schema["title"]))


#: Given a node of the kind that it is for, where that stands, and where problems go.
_Check: TypeAlias = Callable[[Any, Place, _Problems], None]
_Checks: TypeAlias = dict[type, list[_Check]]

_KINDS: Final = (str, int, float, bool, type(None), Sequence, Mapping)
_KINDS_BY_TYPE: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
    "array": (Sequence,),
    "object": (Mapping,),
}
_ANNOTATIONS: Final = frozenset(
    ("$schema", "$id", "$defs", "title", "description", "examples", "default", "errorMessage")
)


class _Context(NamedTuple):
    """The nearest title and ``errorMessage`` around a schema."""

    title: str
    instead: str = ""


class _Validator:
    """A schema's checks by the kind of node that they are for, made when the first is needed."""

    def __init__(self, schema: dict[str, Any], context: _Context) -> None:
        self._schema = schema
        self._context = context
        self._checks: _Checks | None = None

    def check(self, place: Place, problems: _Problems) -> None:
        """Add what is wrong with a node."""
        if self._checks is None:
            self._checks = _checks(self._schema, self._context)
        node = place.node
        kind = type(node.value) if type(node) is Scalar else type(node)
        for check in self._checks[kind]:
            check(node, place, problems)


def _inner(schema: dict[str, Any], context: _Context) -> _Validator:
    """Return the validator of what stands inside: it is not said of it what the whole must be."""
    key = id(schema), context.title  # the schema is kept for good, so ids stay
    if key not in _INNER:
        _INNER[key] = _Validator(schema, _Context(context.title))
    return _INNER[key]


_INNER: Final[dict[tuple[int, str], _Validator]] = {}


def _checks(schema: dict[str, Any], outer: _Context) -> _Checks:
    context = _Context(schema.get("title", outer.title), schema.get("errorMessage", outer.instead))
    checks: _Checks = {kind: [] for kind in _KINDS}
    for keyword in schema:
        if keyword in _ANNOTATIONS or keyword in ("then", "else"):
            continue
        for kind, found in _BUILDERS[keyword](schema, keyword, context).items():
            checks[kind] += found
    return checks


def _problem(
    place: Place, schema: dict[str, Any], keyword: str, context: _Context, missing: str = ""
) -> SchemaProblem:
    return SchemaProblem(place, keyword, schema, context.title, context.instead, missing)


def _type(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    wanted = schema["type"]
    names = [wanted] if isinstance(wanted, str) else wanted
    fitting = {kind for name in names for kind in _KINDS_BY_TYPE[name]}

    def refuse(node: Any, place: Place, problems: _Problems) -> None:
        problems.append(_problem(place, schema, keyword, context))

    checks: _Checks = {kind: [refuse] for kind in _KINDS if kind not in fitting}
    if "number" not in names and "integer" in names:
        whole = _on_scalars(lambda value, _: value.is_integer(), float)
        checks |= whole(schema, keyword, context)
    return checks


def _on_scalars(
    holds: Callable[[Any, Any], bool], *kinds: type
) -> Callable[[dict[str, Any], str, _Context], _Checks]:
    """Return the builder of a keyword whose test is given the value, and the keyword's own."""

    def build(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
        wanted = schema[keyword]

        def check(node: Any, place: Place, problems: _Problems) -> None:
            if not holds(node.value, wanted):
                problems.append(_problem(place, schema, keyword, context))

        return {kind: [check] for kind in kinds}

    return build


def _pattern(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    search = re.compile(schema[keyword]).search
    return _on_scalars(lambda value, _: search(value) is not None, str)(schema, keyword, context)


def _is_one_of(value: Any, choices: list[Any]) -> bool:
    return any(
        value == choice and isinstance(value, bool) == isinstance(choice, bool)
        for choice in choices
    )


def _one_of(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    choices = schema["enum"] if keyword == "enum" else [schema["const"]]

    def check(node: Any, place: Place, problems: _Problems) -> None:
        if not isinstance(node, Scalar) or not _is_one_of(node.value, choices):
            problems.append(_problem(place, schema, keyword, context))

    return {kind: [check] for kind in _KINDS}


def _size(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    kind = Sequence if keyword == "minItems" else Mapping

    def check(node: Any, place: Place, problems: _Problems) -> None:
        size = len(node.items if isinstance(node, Sequence) else node.entries)
        if size < schema[keyword]:
            problems.append(_problem(place, schema, keyword, context))

    return {kind: [check]}


def _items(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    inner = _inner(schema["items"], context).check

    def check(node: Any, place: Place, problems: _Problems) -> None:
        for position, item in enumerate(node.items):
            inner(Place(place, position, item), problems)

    return {Sequence: [check]}


def _properties(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    inner = {name: _inner(each, context).check for name, each in schema["properties"].items()}

    def check(node: Any, place: Place, problems: _Problems) -> None:
        for key, value in node.entries:
            if key.value in inner:
                inner[key.value](Place(place, key.value, value), problems)

    return {Mapping: [check]}


def _property_names(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    validator = _Validator(schema[keyword], context)

    def check(node: Any, place: Place, problems: _Problems) -> None:
        for key, _ in node.entries:
            validator.check(Place(place, None, key), problems)

    return {Mapping: [check]}


def _additional(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    known = frozenset(schema.get("properties", ()))
    if schema[keyword] is False:
        return _unknown(lambda _: known, schema, keyword, context)
    inner = _Validator(schema[keyword], context)

    def check(node: Any, place: Place, problems: _Problems) -> None:
        for key, value in node.entries:
            if key.value not in known:
                inner.check(Place(place, key.value, value), problems)

    return {Mapping: [check]}


def _unevaluated(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    conditions = frozenset(_conditions(schema))
    known_by: dict[frozenset[str], frozenset[str]] = {}

    def known(mapping: Mapping) -> frozenset[str]:
        held = conditions.intersection(mapping.names())
        if held not in known_by:
            known_by[held] = frozenset(known_keys(schema, mapping))
        return known_by[held]

    return _unknown(known, schema, keyword, context)


def _conditions(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the keys on which it hangs which keys a schema knows."""
    if "if" in schema:
        yield from schema["if"]["required"]
        for branch in ("then", "else"):
            yield from _conditions(schema.get(branch, {}))
    if "$ref" in schema:
        yield from _conditions(referred(schema["$ref"]))


def _unknown(
    known: Callable[[Mapping], frozenset[str]],
    schema: dict[str, Any],
    keyword: str,
    context: _Context,
) -> _Checks:
    def check(node: Any, place: Place, problems: _Problems) -> None:
        if not known(node).issuperset(node.names()):
            problems.append(_problem(place, schema, keyword, context))

    return {Mapping: [check]}


def _required(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    def check(node: Any, place: Place, problems: _Problems) -> None:
        for name in schema["required"]:
            if name not in node:
                problems.append(_problem(place, schema, keyword, context, name))

    return {Mapping: [check]}


def _reference(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    return _checks(referred(schema["$ref"]), context)


def _all_of(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    checks: _Checks = {kind: [] for kind in _KINDS}
    for each in schema["allOf"]:
        for kind, found in _checks(each, context).items():
            checks[kind] += found
    return checks


def _condition(schema: dict[str, Any], keyword: str, context: _Context) -> _Checks:
    """Conditions of this schema ask for one type, or for keys."""
    condition = schema["if"]
    then, otherwise = (_checks(schema.get(branch, {}), context) for branch in ("then", "else"))
    if "type" in condition:
        kinds = _KINDS_BY_TYPE[condition["type"]]
        return {kind: (then if kind in kinds else otherwise)[kind] for kind in _KINDS}
    dispatch = _Dispatch(condition["required"], then[Mapping], otherwise[Mapping])
    return {**then, Mapping: [dispatch]}


class _Dispatch:
    """The checks of the first branch whose keys are all there: one look for many in each other."""

    def __init__(self, keys: list[str], then: list[_Check], otherwise: list[_Check]) -> None:
        self._branches = [(keys, then)]
        self._otherwise = otherwise
        if len(otherwise) == 1 and isinstance(otherwise[0], _Dispatch):
            self._branches += otherwise[0]._branches
            self._otherwise = otherwise[0]._otherwise

    def __call__(self, node: Any, place: Place, problems: _Problems) -> None:
        for check in self._checks(node):
            check(node, place, problems)

    def _checks(self, node: Mapping) -> list[_Check]:
        for keys, checks in self._branches:
            if all(map(node.__contains__, keys)):
                return checks
        return self._otherwise


_BUILDERS: Final[dict[str, Callable[[dict[str, Any], str, _Context], _Checks]]] = {
    "$ref": _reference,
    "type": _type,
    "enum": _one_of,
    "const": _one_of,
    "pattern": _pattern,
    "minLength": _on_scalars(lambda value, least: len(value) >= least, str),
    "minimum": _on_scalars(lambda value, least: value >= least, int, float),
    "maximum": _on_scalars(lambda value, most: value <= most, int, float),
    "exclusiveMinimum": _on_scalars(lambda value, least: value > least, int, float),
    "minItems": _size,
    "minProperties": _size,
    "items": _items,
    "properties": _properties,
    "propertyNames": _property_names,
    "additionalProperties": _additional,
    "unevaluatedProperties": _unevaluated,
    "required": _required,
    "allOf": _all_of,
    "if": _condition,
}
