"""Text to a workflow: YAML, then the schema, then the model. Nothing is resolved here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flowrunner.errors import Diagnostic, WorkflowError
from flowrunner.loader.composer import compose, garbage_collector_off
from flowrunner.loader.document import build_workflow
from flowrunner.loader.reading import read_source, workflow_files
from flowrunner.model import Workflow
from flowrunner.node import Mapping, Node, Scalar, Sequence
from flowrunner.regular_file import real_path
from flowrunner.source import Location, Source
from flowrunner.values import NotJSONError, require_json

__all__ = [
    "WorkflowFiles",
    "load_workflow",
    "parse_json",
    "parse_value",
    "read_source",
    "workflow_files",
]

_EXAMPLE = "for instance 'chord: {header: TASK x10, body: TASK}'"


def load_workflow(source: Source) -> Workflow:
    """Return the workflow that a text describes.

    What is wrong with its keys and values is in its ``problems``: the planner adds what it
    finds and says all of it at once. Raises :class:`~flowrunner.errors.WorkflowError` where
    nothing can be made of the text: it is empty, it is not YAML, it is not a mapping.
    """
    with garbage_collector_off():
        root, problems = compose(source)
        if isinstance(root, Mapping):
            return build_workflow(source, root, problems)
    raise WorkflowError([*problems, _no_mapping(source, root)])


class WorkflowFiles:
    """Loads files, each once however often it is named or used."""

    def __init__(self) -> None:
        self._found: dict[Path | None, Workflow | WorkflowError] = {}

    def load(self, path: Path, within: Path | None = None) -> Workflow:
        """Return the workflow of a file; ``-`` is standard input, unless the file is ``within``.

        ``within`` is the real path of the folder that the file has to lie in.
        Raises :class:`~flowrunner.errors.WorkflowError`, the same each time.
        """
        real = real_path(path)
        if within is not None and not real.is_relative_to(within):
            return load_workflow(read_source(path, within))  # refused as a file elsewhere
        key = None if within is None and str(path) == "-" else real
        if key not in self._found:
            try:
                self._found[key] = load_workflow(read_source(path, within))
            except WorkflowError as error:
                self._found[key] = error
        found = self._found[key]
        if isinstance(found, WorkflowError):
            raise found
        return found

    @property
    def workflows(self) -> list[Workflow]:
        """The workflows of the files that were loaded."""
        return [each for each in self._found.values() if isinstance(each, Workflow)]


def _no_mapping(source: Source, root: Node | None) -> Diagnostic:
    if root is None or (isinstance(root, Scalar) and root.value is None):
        return Diagnostic(
            "the file is empty", Location(source, 0, 1), "write one step", (_EXAMPLE,)
        )
    if isinstance(root, Sequence):
        label = "write 'chain:' (one after another) or 'group:' (in parallel) before the list"
        return Diagnostic("a workflow must be a mapping, not a list", _start(root.location), label)
    cure = ""
    if isinstance(root, Scalar) and isinstance(root.value, str) and len(root.value) < 60:
        cure = (
            f"write 'group: {root.value}'" if " x" in root.value else f"write 'task: {root.value}'"
        )
    return Diagnostic(
        "a workflow must be a mapping, not a single value", _start(root.location), cure
    )


def _start(location: Location) -> Location:
    newline = location.text.find("\n")
    return location if newline < 0 else location.part(0, newline)


def parse_json(source: Source) -> Node | None:
    """Return the value of a JSON text, or ``None`` where it is none; all of it stands at the top.

    A key that stands twice, and what JSON itself does not have, makes it none.
    """

    def node(value: Any) -> Node:
        if isinstance(value, dict):
            return Mapping(
                tuple((Scalar(key, top), node(each)) for key, each in value.items()), top
            )
        if isinstance(value, list):
            return Sequence(tuple(map(node, value)), top)
        return Scalar(value, top)

    top = _top(source)
    try:
        return node(_json_value(source))
    except ValueError:
        return None


def parse_json_inputs(source: Source) -> Mapping | None:
    """Return the inputs of a JSON text of any size, or ``None`` where it is no mapping.

    Each value is a scalar that holds any JSON: nodes would take many times the memory of the text.
    """
    top = _top(source)
    try:
        value = _json_value(source)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return Mapping(tuple((Scalar(key, top), Scalar(each, top)) for key, each in value.items()), top)


def _top(source: Source) -> Location:
    return Location(source, 0, min(len(source.text), 1))


def _json_value(source: Source) -> Any:
    """Return the value of a JSON text. Raises :class:`ValueError`."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("duplicate key")
        return found

    try:
        with garbage_collector_off():
            value = json.loads(source.text, object_pairs_hook=once)
        require_json(value)
    except (RecursionError, NotJSONError) as error:
        raise ValueError(str(error)) from error
    return value


def parse_value(source: Source, place: Location | None = None) -> Node:
    """Return the value of a text, or of a part of it, read as YAML; an empty text is null.

    Raises :class:`~flowrunner.errors.WorkflowError`.
    """
    node, problems = compose(source, place)
    if problems:
        raise WorkflowError(problems)
    return Scalar(None, place or Location(source, 0, 0)) if node is None else node
