"""A document's nodes to a workflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from flowrunner import model
from flowrunner.budget import Budget, BudgetUsedUpError
from flowrunner.duration import LIMIT, MOST_SECONDS, in_seconds
from flowrunner.errors import Diagnostic, WorkflowError, used_up
from flowrunner.loader.schema_check import check_document
from flowrunner.loader.steps import StepBuilder, call_keys
from flowrunner.node import Mapping, Node, Scalar, Sequence, has_expression, plain
from flowrunner.source import Source
from flowrunner.values import shown

__all__ = ["build_workflow"]

#: Steps of the budget for a regular expression that is compiled.
_STEPS_PER_PATTERN: Final = 500
_STEPS_PER_INSTRUCTION: Final = 5
#: Words that are types for sure where an input's default stands.
_TYPE_NAMES: Final[dict[object, str]] = {
    **{name: name for name in ("integer", "number", "string", "boolean", "array", "object")},
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}
_JSON_TYPES: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}


def build_workflow(source: Source, root: Mapping, problems: list[Diagnostic]) -> model.Workflow:
    """Return the workflow of a document, with these problems and those that are found here."""
    found, tainted = check_document(root)
    builder = StepBuilder(tainted)
    step = builder.build(root, is_document=True)
    handlers = {
        name: builder.build(node)
        for name in model.HANDLER_NAMES
        if (node := root.get(name)) is not None
    }
    outputs = root.get("outputs")
    variables = _names(root.get("env"))
    found += _twice(variables)
    inputs = []
    budget = Budget()
    budget.extend(len(source.text))
    whole, given = budget.left, root.get("inputs")
    try:
        by_type = _types_as_defaults(given)
        for definition in _inputs(given, tainted):
            written = given.get(definition.name) if isinstance(given, Mapping) else None
            wrong = list(_definition_problems(definition, written, budget))
            wrong = wrong or by_type.get(definition.name, [])
            found += wrong
            # Anything fits a definition that is wrong: its problem is said once.
            inputs.append(replace(definition, schema={}, default=None) if wrong else definition)
    except BudgetUsedUpError as error:
        raise WorkflowError([used_up(error)]) from None
    return model.Workflow(
        name=_text(root.get("name")) or _stem(source),
        step=step,
        source=source,
        description=_text(root.get("description")),
        inputs=tuple(inputs),
        defaults=dict(_defaults(root.get("defaults"), tainted)),
        timeout=_seconds(root.get("timeout"), found),
        env=variables,
        outputs=outputs if isinstance(outputs, Mapping) else None,
        handlers=handlers,
        problems=(*problems, *found, *builder.problems),
        work=whole - budget.left,
    )


def _stem(source: Source) -> str:
    return Path(source.name.strip("<>")).stem


def _text(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


def _names(node: Node | None) -> tuple[Scalar, ...]:
    items = node.items if isinstance(node, Sequence) else ()
    return tuple(item for item in items if isinstance(item, Scalar))


def _twice(names: tuple[Scalar, ...]) -> Iterator[Diagnostic]:
    """Yield what is wrong with the variables that 'env' names again."""
    first: dict[object, Scalar] = {}
    for name in names:
        if name.value in first:
            line = first[name.value].location.line
            message = f"duplicate name '{name.value}' in 'env'"
            yield Diagnostic(message, name.location, f"remove one: the first is in line {line}")
        first.setdefault(name.value, name)


def _seconds(node: Node | None, problems: list[Diagnostic]) -> float | None:
    seconds = in_seconds(node.value) if isinstance(node, Scalar) else None
    if node is None or seconds is None or 0 < seconds <= MOST_SECONDS:
        return None if seconds is None else float(seconds)
    if isinstance(node, Scalar) and isinstance(node.value, str):  # the schema says it of numbers
        problems.append(
            Diagnostic(f"'timeout' must be {LIMIT}, not {shown(node.value)}", node.location)
        )
    return None


def _defaults(node: Node | None, tainted: frozenset[int]) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, Mapping):
        return
    for key, value in node.entries:
        keys = model.CallKeys()
        if isinstance(value, Mapping) and id(value) not in tainted:
            keys = call_keys(value)
        yield str(key.value), (key.location, keys)


def _inputs(node: Node | None, tainted: frozenset[int]) -> Iterator[model.InputDefinition]:
    if not isinstance(node, Mapping):
        return
    for key, value in node.entries:
        name = str(key.value)
        if not isinstance(value, Mapping):
            yield model.InputDefinition(name, _type_of(value), value, key.location)
        elif id(value) in tainted:
            yield model.InputDefinition(name, {}, None, key.location)
        else:
            schema = {part: each for part, each in plain(value).items() if part != "default"}
            yield model.InputDefinition(name, schema, value.get("default"), key.location)


def _types_as_defaults(node: Node | None) -> dict[str, list[Diagnostic]]:
    """Return what is wrong with ``count: int``, by the input's name: it is no type but a string."""
    found: dict[str, list[Diagnostic]] = {}
    for key, value in node.entries if isinstance(node, Mapping) else ():
        if not isinstance(value, Scalar) or value.value not in _TYPE_NAMES:
            continue
        name, text = str(key.value), str(value.value)
        if value.location.text == text:  # in quotes it is a string for sure
            found[name] = [
                Diagnostic(
                    f"the default of input '{name}' is the name of a type",
                    value.location,
                    f"write {name}: {{type: {_TYPE_NAMES[text]}}}",
                    (f"for the string '{text}', write {name}: \"{text}\"",),
                )
            ]
    return found


def _type_of(default: Node) -> dict[str, object]:
    """The short form: the default says the type; ``null`` says nothing."""
    if isinstance(default, Sequence):
        return {"type": "array"}
    value = default.value if isinstance(default, Scalar) else None
    return {} if value is None else {"type": _JSON_TYPES[type(value)]}


def _definition_problems(
    definition: model.InputDefinition, written: Node | None, budget: Budget
) -> Iterator[Diagnostic]:
    unusable = list(_unusable_patterns(written, budget))
    if unusable:
        yield from unusable
        return
    if definition.default is None:
        return
    if any(map(has_expression, _texts(definition.default))):
        yield Diagnostic(
            "an input's default cannot contain an expression",
            definition.default.location,
            "write the expression where the input is used",
        )
    from flowrunner.loader.violation import violations

    for violation in violations(definition.default, definition.schema, budget):
        yield Diagnostic(
            f"the default of input '{definition.name}' {violation.message}",
            violation.location,
            violation.label,
        )


def _unusable_patterns(schema: Node | None, budget: Budget) -> Iterator[Diagnostic]:
    """Yield what is wrong with the patterns of a definition, its items' and properties' too."""
    if not isinstance(schema, Mapping):
        return
    pattern = schema.get("pattern")
    if isinstance(pattern, Scalar) and isinstance(pattern.value, str):
        from flowrunner.loader.pattern import PatternError, pattern_size

        budget.spend(_STEPS_PER_PATTERN)
        try:
            budget.spend(pattern_size(pattern.value) * _STEPS_PER_INSTRUCTION)
        except PatternError as error:
            message = f"{shown(pattern.value)} is not a valid regular expression"
            yield Diagnostic(message, pattern.location, error.cure)
    for key in ("items", "additionalProperties"):
        yield from _unusable_patterns(schema.get(key), budget)
    properties = schema.get("properties")
    for _, inner in properties.entries if isinstance(properties, Mapping) else ():
        yield from _unusable_patterns(inner, budget)


def _texts(node: Node) -> Iterator[str]:
    match node:
        case Scalar():
            if isinstance(node.value, str):
                yield node.value
        case Sequence():
            for item in node.items:
                yield from _texts(item)
        case Mapping():
            for _, item in node.entries:
                yield from _texts(item)
