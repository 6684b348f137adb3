"""Inputs as people give them: ``name=value`` texts and files of YAML or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from flowrunner.errors import Diagnostic, WorkflowError
from flowrunner.loader import parse_json, parse_json_inputs, parse_value, read_source
from flowrunner.loader.reading import MAXIMUM_BYTES, MAXIMUM_JSON_BYTES
from flowrunner.model import Workflow
from flowrunner.node import Mapping as NodeMapping
from flowrunner.node import Node, Scalar
from flowrunner.source import Location, Source

__all__ = ["given_inputs"]


def given_inputs(
    workflow: Workflow, options: Sequence[str], file: Path | None = None
) -> NodeMapping:
    """Return the inputs that ``name=value`` texts and a file give, with their places.

    A value is read as YAML, but for an input of type ``string``, whose text is taken as it is.
    Raises :class:`~flowrunner.errors.WorkflowError`.
    """
    given: dict[str, tuple[Scalar, Node]] = {}
    if file is not None:
        given = {str(key.value): (key, value) for key, value in _inputs_of_file(file).entries}
    types = {definition.name: definition.schema.get("type") for definition in workflow.inputs}
    problems: list[Diagnostic] = []
    for option in options:
        source = Source("-i", option)
        name, equals, text = option.partition("=")
        if not equals or not name.strip():
            problems.append(
                Diagnostic(
                    "an input must have the form name=value",
                    Location(source, 0, len(option)),
                    "add '=' and the value" if not equals else "add a name before the '='",
                )
            )
            continue
        place = Location(source, len(name) + 1, len(option))
        try:
            node = (
                Scalar(text, place)
                if types.get(name.strip()) == "string"
                else parse_value(source, place)
            )
        except WorkflowError as error:
            problems += error.diagnostics
        else:
            key = Scalar(name.strip(), Location(source, 0, len(name)))
            given[name.strip()] = (key, node)
    if problems:
        raise WorkflowError(problems)
    return NodeMapping(tuple(given.values()), Location(workflow.source, 0, 0))


def _inputs_of_file(file: Path) -> NodeMapping:
    is_json = file.suffix == ".json"
    read = read_source(file, most=MAXIMUM_JSON_BYTES if is_json else MAXIMUM_BYTES)
    source = replace(read, shown=False)
    if len(source.text) > MAXIMUM_BYTES:
        return _parsed_large(source)
    try:
        node = parse_value(source)
    except WorkflowError:
        # YAML has nearly all of JSON: not the pairs of escapes that it writes for an emoji.
        found = parse_json(source) if is_json else None
        if found is None:
            raise
        node = found
    if not isinstance(node, NodeMapping):
        raise WorkflowError(
            [
                Diagnostic(
                    "a file of inputs must be a mapping of names to values",
                    node.location,
                    "write for instance 'count: 10'",
                )
            ]
        )
    return node


def _parsed_large(source: Source) -> NodeMapping:
    """Return the value of a JSON text that is too large to be read as YAML, which has places."""
    node = parse_json_inputs(source)
    if node is None:
        raise WorkflowError(
            [
                Diagnostic(
                    f"{source.name} is not a JSON object",
                    notes=(f"write JSON: files over {MAXIMUM_BYTES // 1024**2} MiB must be JSON",),
                )
            ]
        )
    return node
