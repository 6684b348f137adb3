"""jsonschema asked about one value at a time.

jsonschema decides by the *shape* of a value: the keys of a mapping, the length of a list, the type
of a scalar. The keywords that look further are replaced (``extend``): they report what jsonschema
would look at next, so that it never recurses and each answer serves for every value of the shape.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from flowrunner.loader.schema import referred, workflow_schema
from flowrunner.node import Mapping, Node, Scalar, Sequence

__all__ = ["RIGHT", "Answer", "Fault", "Part", "document_part"]

#: Answers and scalars that a part of the schema remembers, and the size of one: keys, characters.
_REMEMBERED: Final = 2_000
_REMEMBERED_SIZE: Final = 100

_STOCK: Final[dict[str, Any]] = dict(Draft202012Validator.VALIDATORS)


class Fault(NamedTuple):
    """An error of jsonschema, with the nearest ``title`` and ``errorMessage`` around it."""

    keyword: str
    schema: dict[str, Any]
    title: str
    instead: str
    missing: str = ""


class Question(NamedTuple):
    """A keyword that jsonschema has to be asked about the scalar itself."""

    keyword: Callable[..., Iterable[ValidationError] | None]
    wanted: Any
    fault: Fault


class Answer(NamedTuple):
    """What is wrong with a value, and what has to be looked at next.

    ``inside`` holds for a mapping the number of an entry, whether its key is meant, and the part
    of the schema that it has to satisfy. Each item of a list has to satisfy the part.
    """

    faults: tuple[Fault, ...] = ()
    inside: tuple[tuple[int, bool, Part], ...] = ()
    questions: tuple[Question, ...] = ()


#: Nothing is wrong with the value, and nothing stands in it that has to be looked at.
RIGHT: Final = Answer()


class Part:
    """A part of the schema. ``title`` is the nearest one around it."""

    def __init__(self, schema: dict[str, Any], title: str) -> None:
        self._schema = schema
        self._title = title
        self._validator = _document_validator()
        self._answers: dict[Hashable, Answer] = {}
        self._right: set[Hashable] = set()

    def answer(self, node: Node) -> Answer:
        """Return what jsonschema says of a node, without the nodes in it."""
        if type(node) is Scalar:
            value = node.value
            # True and 1.0 equal 1, so that the type is a part of the key.
            key = value if type(value) is str else (type(value), value)
            return RIGHT if key in self._right else self._of_scalar(key, value)
        if type(node) is Mapping:
            names = tuple([name.value for name, _ in node.entries])
            return self._answers.get(names) or self._of_shape(names, dict.fromkeys(names))
        size = len(cast("Sequence", node).items)
        return self._answers.get(size) or self._of_shape(size, [None] * size)

    def _of_scalar(self, key: Hashable, value: Any) -> Answer:
        # "integer" takes 1.0, and not 1.5.
        shape: Any = type(value)
        if shape is float:
            shape = (float, value.is_integer())
        answer = self._answers.get(shape) or self._of_shape(shape, value)
        wrong = []
        for keyword, wanted, fault in answer.questions:
            for _ in keyword(self._validator, wanted, value, fault.schema) or ():
                wrong.append(fault)
                break
        if wrong or answer.faults:
            return Answer((*answer.faults, *wrong))
        if type(value) is not str or len(value) <= _REMEMBERED_SIZE:
            if len(self._right) == _REMEMBERED:
                self._right.clear()
            self._right.add(key)
        return RIGHT

    def _of_shape(self, shape: Hashable, example: Any) -> Answer:
        faults, inside, questions = [], [], []
        for error in self._validator.evolve(schema=self._schema).iter_errors(example):
            title, instead = self._around(error.schema_path)
            keyword = str(error.validator)
            if isinstance(error, _InsideReport):
                part = _part(error.inner, title)
                inside += [(number, error.of_key, part) for number in error.numbers]
                continue
            missing = error.key if isinstance(error, _MissingKeyError) else ""
            fault = Fault(keyword, error.schema, title, instead, missing)
            if isinstance(error, _ScalarReport):
                questions.append(Question(_STOCK[keyword], fault.schema[keyword], fault))
            else:
                faults.append(fault)
        inside.sort(key=lambda each: each[0])
        answer = Answer(tuple(faults), tuple(inside), tuple(questions))
        answer = RIGHT if answer == RIGHT else answer
        if not isinstance(example, dict) or len(example) <= _REMEMBERED_SIZE:
            if len(self._answers) == _REMEMBERED:
                self._answers.clear()
            self._answers[shape] = answer
        return answer

    def _around(self, path: Iterable[str | int]) -> tuple[str, str]:
        """Return the nearest title and ``errorMessage`` around the keyword at the end of a path."""
        title, instead, found = self._title, "", self._schema
        for step in path:
            if isinstance(found, dict):
                title, instead = found.get("title", title), found.get("errorMessage", instead)
            is_reference = isinstance(step, str) and step.startswith("#/")
            found = referred(str(step)) if is_reference else found[step]  # type: ignore[index]
        return title, instead


@cache
def document_part() -> Part:
    """Return the part of the schema that a whole document has to satisfy."""
    return Part(_document_validator().schema, "")


#: Parts by the ids of their schemas, which are never freed.
_PARTS: Final[dict[tuple[int, str], Part]] = {}
#: Keywords that decide nothing beside a reference.
_NEUTRAL: Final = frozenset(("$ref", "title", "description", "examples", "default"))


def _part(schema: dict[str, Any], title: str) -> Part:
    """Return the part of a schema; a reference with words alone is the part that it refers to."""
    while "$ref" in schema and schema.keys() <= _NEUTRAL and "title" in referred(schema["$ref"]):
        schema = referred(schema["$ref"])
    key = id(schema), schema.get("title", title)
    if key not in _PARTS:
        _PARTS[key] = Part(schema, title)
    return _PARTS[key]


class _InsideReport(ValidationError):  # noqa: N818
    """Not an error: ``inner`` applies to the entries with these numbers, or to each item."""

    def __init__(
        self, inner: dict[str, Any], numbers: Iterable[int], *, of_key: bool = False
    ) -> None:
        super().__init__("inside")
        self.inner = inner
        self.numbers = numbers
        self.of_key = of_key


class _ScalarReport(ValidationError):  # noqa: N818
    """Not an error: the keyword decides by the scalar itself."""


class _MissingKeyError(ValidationError):
    """A key that ``required`` finds missing."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


@cache
def _document_validator() -> Any:
    keywords = {
        "$ref": _reference,
        "properties": _properties,
        "additionalProperties": _additional_properties,
        "propertyNames": _property_names,
        "items": _items,
        "required": _required,
        **{name: _asks(name, *types) for name, types in _SCALARS_BY_KEYWORD.items()},
    }
    validator = extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]
    # By "$schema" evolve() would find the stock validator.
    return validator({key: each for key, each in workflow_schema().items() if key != "$schema"})


_Errors = Iterator[ValidationError]


def _reference(validator: Any, reference: str, value: Any, schema: Any) -> _Errors:
    for error in validator.evolve(schema=referred(reference)).iter_errors(value):
        error.schema_path.appendleft(reference)
        yield error


def _properties(validator: Any, properties: dict[str, Any], value: Any, schema: Any) -> _Errors:
    if isinstance(value, dict):
        for number, key in enumerate(value):
            if key in properties:
                yield _InsideReport(properties[key], [number])


def _additional_properties(validator: Any, inner: Any, value: Any, schema: Any) -> _Errors:
    if inner is False:
        yield from _STOCK["additionalProperties"](validator, inner, value, schema) or ()
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        yield _InsideReport(inner, [number for number, key in enumerate(value) if key not in known])


def _property_names(validator: Any, inner: dict[str, Any], value: Any, schema: Any) -> _Errors:
    if isinstance(value, dict):
        yield _InsideReport(inner, range(len(value)), of_key=True)


def _items(validator: Any, inner: dict[str, Any], value: Any, schema: Any) -> _Errors:
    if isinstance(value, list):
        yield _InsideReport(inner, [0])


def _required(validator: Any, keys: list[str], value: Any, schema: Any) -> _Errors:
    for key in keys:
        for error in _STOCK["required"](validator, [key], value, schema) or ():
            yield _MissingKeyError(error.message, key)


_SCALARS_BY_KEYWORD: Final = {
    **dict.fromkeys(("enum", "const"), ("string", "number", "boolean", "null")),
    **dict.fromkeys(("pattern", "minLength"), ("string",)),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum"), ("number",)),
}


def _asks(keyword: str, *types: str) -> Callable[..., _Errors]:
    def ask(validator: Any, wanted: Any, value: Any, schema: Any) -> _Errors:
        if any(validator.is_type(value, type_) for type_ in types):
            yield _ScalarReport("asked")
        else:
            yield from _STOCK[keyword](validator, wanted, value, schema) or ()

    return ask
