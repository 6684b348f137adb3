"""What the schema finds wrong with a document, in words. Imported only when there is something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from flowrunner.errors import Diagnostic
from flowrunner.loader.call_text import explain_call, explain_task_name
from flowrunner.loader.key_words import BELONGS, is_meant, key_cure, unknown_key
from flowrunner.loader.language import FOREIGN_KEYS, STEP_KEYS
from flowrunner.loader.validator import properties_of, referred, workflow_schema
from flowrunner.loader.violation import describe, explain
from flowrunner.node import Mapping, node_at
from flowrunner.source import Location
from flowrunner.suggestion import did_you_mean

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["explain_error"]

_NAME_LABEL: Final = "a name is a letter or underscore, then letters, digits and underscores"

_BRANCH: Final = "write {when: CONDITION, do: STEP}, or {else: STEP}"

#: What to write instead, where a key's value has the wrong type.
_CURES: Final = {
    "chord": "write {header: …, body: …}",
    "chain": "write a list of steps: [power, negate]",
    "args": "write a list: [2]",
    "kwargs": "write names and values: {expo: 3}",
    "map": "write {task: …, over: […]}",
    "starmap": "write {task: …, over: […]}",
    "chunks": "write {task: …, over: […], size: 10}",
    "inputs": "write names and values: {count: 10}",
    "defaults": "write task names and keys: {power: {queue: slow}}",
    "immutable": "write true or false",
    "each": "write a list, or an expression that gives one: ${prev}",
    "switch": "write a list of branches: [{when: prev > 3, do: negate}, {else: power}]",
    "retry": "write retry: 3, or retry: {max: 3, delay: 1}",
    "required": "it lists the keys of a mapping; an input without 'default' has to be given",
    "graph": "write names and steps: {load: load, clean: {task: clean, needs: [load]}}",
    "needs": "write a list of names: [load]",
    "use": "write the path of another workflow file: resize.yaml",
    "with": "write names and values: {count: 10}",
    "outputs": "write names and values: {total: '${prev}'}",
    "env": "write a list of names: [API_TOKEN]",
    "only": "write a list of names: [ConnectionError]",
    "never": "write a list of names: [ValueError]",
}


def explain_error(root: Mapping, error: ValidationError) -> Iterator[Diagnostic]:
    """Yield the diagnostics that say what one error of the validator means."""
    yield from _Problem(root, error).diagnostics()


class _Problem:
    """One error of the validator, with what the schema says around it."""

    def __init__(self, root: Mapping, error: ValidationError) -> None:
        self._root = root
        self._error = error
        self._path = list(error.absolute_path)
        self._node = node_at(root, self._path)
        self._title, self._wanted = _annotations(error.absolute_schema_path)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Yield the diagnostics that say it."""
        match str(self._error.validator):
            case "unevaluatedProperties" | "additionalProperties" if isinstance(
                self._node, Mapping
            ):
                yield from self._unknown_keys(self._node)
            case "required" if isinstance(self._node, Mapping):
                yield from self._missing_key(self._node)
            case "pattern" if self._title in ("Call", "Task name"):
                explainer = explain_call if self._title == "Call" else explain_task_name
                yield Diagnostic(*_placed(explainer(str(self._error.instance)), self._place()))
            case "type" if self._title == "Step":
                yield self._not_a_step()
            case "type" if self._title == "Branch":
                yield Diagnostic(
                    f"a branch is a mapping, not {describe(self._error.instance)}",
                    self._place(),
                    _BRANCH,
                )
            case _:
                yield self._wrong_value()

    def _place(self) -> Location:
        """Return where the value stands, or its key where the value is an empty one."""
        if not self._node.location.text and self._path:
            parent = node_at(self._root, self._path[:-1])
            key = parent.key(str(self._path[-1])) if isinstance(parent, Mapping) else None
            if key is not None:
                return key.location
        return self._node.location

    def _wrong_value(self) -> Diagnostic:
        if "propertyNames" in self._error.absolute_schema_path and isinstance(self._node, Mapping):
            key = self._node.key(str(self._error.instance))
            place = key.location if key else self._node.location
            return Diagnostic(f"'{self._error.instance}' cannot be a name", place, _NAME_LABEL)
        name = self._path[-1] if self._path else ""
        subject = f"'{name}'"
        if isinstance(name, int):
            around = [f"'{part}'" for part in self._path[-2:-1] if isinstance(part, str)]
            subject = " of ".join([f"item {name}", *around])
        instead = (
            f"must be {self._wanted}, not {describe(self._error.instance)}"
            if self._wanted
            else explain(self._error)
        )
        cured = ("type", "pattern", "minItems", "minProperties", "minLength")
        cure = _CURES.get(str(name), "") if self._error.validator in cured else ""
        return Diagnostic(f"{subject} {instead}", self._place(), cure)

    def _not_a_step(self) -> Diagnostic:
        if self._error.instance is None:
            return Diagnostic(
                "a step is missing here", self._place(), "write a task's name: power, or power x10"
            )
        cure = (
            "write {chain: [steps]} for one after the other, {group: [steps]} for side by side"
            if isinstance(self._error.instance, list)
            else "quote it if it is a task's name"
        )
        return Diagnostic(
            f"a step is a text or a mapping, not {describe(self._error.instance)}",
            self._place(),
            cure,
        )

    def _missing_key(self, mapping: Mapping) -> Iterator[Diagnostic]:
        if self._error.validator_value == ["chunks"]:
            yield from self._missing_step(mapping)
            return
        if self._error.validator_value == ["do"]:
            yield Diagnostic(
                "'each' misses 'do'", self._key_of(mapping, "each"), "the step for each item: do: …"
            )
            return
        step = str(self._path[-1]) if self._path else ""
        if is_meant(mapping, self._title):
            return  # said of the key that stands in its place
        if self._title == "Branch":
            yield self._incomplete_branch(mapping)
            return
        parent = node_at(self._root, self._path[:-1])
        key = parent.key(step) if isinstance(parent, Mapping) else None
        name = str(self._error.message).split("'")[1]
        yield Diagnostic(
            f"'{step}' misses '{name}'",
            key.location if key else mapping.location,
            _CURES.get(step, ""),
        )

    def _incomplete_branch(self, mapping: Mapping) -> Diagnostic:
        """A branch of ``switch`` that lacks a key; each key that it lacks is an error."""
        missing = next(key for key in ("when", "do") if key not in mapping)
        return Diagnostic(
            f"a branch of 'switch' misses '{missing}'",
            mapping.entries[0][0].location if mapping.entries else mapping.location,
            _BRANCH,
        )

    @staticmethod
    def _key_of(mapping: Mapping, name: str) -> Location:
        key = mapping.key(name)
        return mapping.location if key is None else key.location

    def _missing_step(self, mapping: Mapping) -> Iterator[Diagnostic]:
        """A mapping without a step key: is it misspelt, of a later version, or not there?"""
        known = [*self._known_keys(mapping), *BELONGS]
        if mapping is self._root:
            known += workflow_schema()["properties"]
        unknown = [key for key in mapping.names() if key not in known]
        for key in unknown[:100]:
            if key in FOREIGN_KEYS:
                yield unknown_key(mapping, key, FOREIGN_KEYS[key])
                return
        in_graph = self._path[-2:-1] == ["graph"]
        for key, cure in BELONGS.items():
            if key in mapping and not (in_graph and key == "needs"):
                yield unknown_key(mapping, key, cure)
                return
        for key in unknown[:100]:
            cure = did_you_mean(key, STEP_KEYS, "")
            if cure:
                yield unknown_key(mapping, key, cure)
                return
        place = Location(
            mapping.location.source, mapping.location.start, mapping.location.start + 1
        )
        if mapping.entries:
            place = mapping.entries[0][0].location
        if "header" in mapping or "body" in mapping:
            yield Diagnostic(
                "there is no step key here", place, "'header' and 'body' stand under 'chord:'"
            )
            return
        what = "this workflow" if mapping is self._root else "this step"
        yield Diagnostic(
            f"{what} has no step key", place, f"it needs one of {', '.join(STEP_KEYS)}"
        )

    def _unknown_keys(self, mapping: Mapping) -> Iterator[Diagnostic]:
        is_step = self._title in ("Step", "flowrunner workflow")
        steps = [key for key in STEP_KEYS if key in mapping]
        if is_step and not steps:
            return  # said by _missing_step
        if is_step and len(steps) > 1:
            yield _two_steps(mapping, *steps[:2])
            return
        if self._title == "Branch" and "else" in mapping:
            place = self._key_of(mapping, "else")
            yield Diagnostic("'else' is a branch of its own", place, _BRANCH)
            return
        known = self._known_keys(mapping)
        for key in mapping.names():
            if key not in known:
                cure = key_cure(mapping, key, known, self._title)
                yield unknown_key(mapping, key, cure)

    def _known_keys(self, mapping: Mapping) -> list[str]:
        schema = self._error.schema
        assert isinstance(schema, dict)  # noqa: S101 - 'true' and 'false' have no known keys
        return list(properties_of(schema, dict.fromkeys(mapping.names())))


def _placed(words: tuple[str, str], place: Location) -> tuple[str, Location, str]:
    message, label = words
    return message, place, label


def _two_steps(mapping: Mapping, *names: str) -> Diagnostic:
    first, second = sorted(names, key=mapping.names().index)
    place = mapping.key(second)
    cure = "put the steps into a chain or a group"
    if ("each" in names or "switch" in names) and "do" not in mapping:
        around = "each" if "each" in names else "switch"
        cure = f"the other step stands under 'do' of '{around}'"
    return Diagnostic(
        f"a step has one step key, and this one has '{first}' and '{second}'",
        place.location if place else mapping.location,
        cure,
    )


def _annotations(schema_path: Iterable[Any]) -> tuple[str, str]:
    """Return the title and ``errorMessage`` that stand nearest to a schema that failed."""
    root = workflow_schema()
    title, wanted = root["title"], ""
    for schema, part in _walk(root, list(schema_path)) or ():
        if part in ("properties", "items"):
            wanted = ""  # what was said of the whole does not hold for its parts
        if isinstance(schema.get("title"), str):
            title = schema["title"]
        wanted = schema.get("errorMessage", wanted)
    return title, wanted


def _walk(schema: Any, path: list[Any]) -> list[tuple[dict[str, Any], Any]] | None:
    """Return the schemas along a path, each with the part that led to it.

    jsonschema leaves ``$ref`` out of its paths, so it is tried wherever a part is missing.
    """
    if not path:
        return []
    part, *rest = path
    if isinstance(schema, list) or part in schema:
        inner = schema[part]
        found = _walk(inner, rest)
        if found is not None:
            is_schema = isinstance(inner, dict) and part not in ("properties", "$defs")
            return [(inner if is_schema else {}, part), *found]
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        inner = referred(schema["$ref"])
        found = _walk(inner, path)
        return None if found is None else [(inner, "$ref"), *found]
    return None
