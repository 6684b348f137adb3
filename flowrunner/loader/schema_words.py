"""What the schema finds wrong with a document, in words. Imported only when there is something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowrunner.errors import Diagnostic
from flowrunner.loader.call_text import explain_call, explain_task_name
from flowrunner.loader.key_words import BELONGS, is_meant, key_cure, unknown_key
from flowrunner.loader.language import FOREIGN_KEYS, STEP_KEYS
from flowrunner.loader.schema import known_keys, workflow_schema
from flowrunner.loader.validator import SchemaProblem
from flowrunner.loader.violation import describe, explain_keyword
from flowrunner.node import Mapping, plain
from flowrunner.source import Location
from flowrunner.suggestion import did_you_mean

__all__ = ["explain_problem"]

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


def explain_problem(problem: SchemaProblem) -> Iterator[Diagnostic]:
    """Yield the diagnostics that say what one problem means."""
    yield from _Problem(problem).diagnostics()


class _Problem:
    """One problem of the validator, with what the schema says around it."""

    def __init__(self, problem: SchemaProblem) -> None:
        self._problem = problem
        self._outer, self._part, self._node = problem.place
        self._title, self._instead = problem.title, problem.instead
        self._value = plain(problem.place.node)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Yield the diagnostics that say it."""
        match self._problem.keyword:
            case "unevaluatedProperties" | "additionalProperties" if isinstance(
                self._node, Mapping
            ):
                yield from self._unknown_keys(self._node)
            case "required" if isinstance(self._node, Mapping):
                yield from self._missing_key(self._node)
            case "pattern" if self._title in ("Call", "Task name"):
                explainer = explain_call if self._title == "Call" else explain_task_name
                yield Diagnostic(*_placed(explainer(str(self._value)), self._place()))
            case "type" if self._title == "Step":
                yield self._not_a_step()
            case "type" if self._title == "Branch":
                yield Diagnostic(
                    f"a branch is a mapping, not {describe(self._value)}",
                    self._place(),
                    _BRANCH,
                )
            case _:
                yield self._wrong_value()

    def _place(self) -> Location:
        """Return where the value stands, or its key where the value is an empty one."""
        place = self._node.location
        return place if place.text else self._place_of_key(place)

    def _place_of_key(self, otherwise: Location) -> Location:
        """Return where the key of the value stands, if it has one."""
        around = self._outer.node if self._outer is not None else None
        key = around.key(str(self._part)) if isinstance(around, Mapping) else None
        return otherwise if key is None else key.location

    def _wrong_value(self) -> Diagnostic:
        if self._part is None:
            message = f"'{self._value}' cannot be a name"
            return Diagnostic(message, self._node.location, _NAME_LABEL)
        name, subject = self._part, f"'{self._part}'"
        if isinstance(name, int):
            around = self._outer.part if self._outer is not None else None
            subject = f"item {name} of '{around}'" if isinstance(around, str) else f"item {name}"
        instead = (
            f"must be {self._instead}, not {describe(self._value)}"
            if self._instead
            else explain_keyword(self._problem.keyword, self._problem.wanted, self._value)
        )
        cured = ("type", "pattern", "minItems", "minProperties", "minLength")
        cure = _CURES.get(str(name), "") if self._problem.keyword in cured else ""
        return Diagnostic(f"{subject} {instead}", self._place(), cure)

    def _not_a_step(self) -> Diagnostic:
        if self._value is None:
            return Diagnostic(
                "a step is missing here", self._place(), "write a task's name: power, or power x10"
            )
        cure = (
            "write {chain: [steps]} for one after the other, {group: [steps]} for side by side"
            if isinstance(self._value, list)
            else "quote it if it is a task's name"
        )
        return Diagnostic(
            f"a step is a text or a mapping, not {describe(self._value)}",
            self._place(),
            cure,
        )

    def _missing_key(self, mapping: Mapping) -> Iterator[Diagnostic]:
        missing = self._problem.missing
        if missing == "chunks":
            yield from self._missing_step(mapping)
        elif missing == "do" and self._title != "Branch":
            place = _place_of(mapping, "each")
            yield Diagnostic("'each' misses 'do'", place, "the step for each item: do: …")
        elif is_meant(mapping, self._title):
            return  # said of the key that stands in its place
        elif self._title == "Branch":
            yield self._incomplete_branch(mapping)
        else:
            yield Diagnostic(
                f"'{self._part}' misses '{missing}'",
                self._place_of_key(mapping.location),
                _CURES.get(str(self._part), ""),
            )

    def _incomplete_branch(self, mapping: Mapping) -> Diagnostic:
        """A branch of ``switch`` that lacks a key; each key that it lacks is an error."""
        missing = next(key for key in ("when", "do") if key not in mapping)
        return Diagnostic(
            f"a branch of 'switch' misses '{missing}'",
            mapping.entries[0][0].location if mapping.entries else mapping.location,
            _BRANCH,
        )

    def _missing_step(self, mapping: Mapping) -> Iterator[Diagnostic]:
        """A mapping without a step key: is it misspelt, of a later version, or not there?"""
        known = [*self._known_keys(mapping), *BELONGS]
        if self._outer is None:
            known += workflow_schema()["properties"]
        unknown = [key for key in mapping.names() if key not in known]
        for key in unknown[:100]:
            if key in FOREIGN_KEYS:
                yield unknown_key(mapping, key, FOREIGN_KEYS[key])
                return
        in_graph = self._outer is not None and self._outer.part == "graph"
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
        what = "this workflow" if self._outer is None else "this step"
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
            place = _place_of(mapping, "else")
            yield Diagnostic("'else' is a branch of its own", place, _BRANCH)
            return
        known = self._known_keys(mapping)
        for key in mapping.names():
            if key not in known:
                cure = key_cure(mapping, key, known, self._title)
                yield unknown_key(mapping, key, cure)

    def _known_keys(self, mapping: Mapping) -> list[str]:
        return list(known_keys(self._problem.schema, mapping))


def _place_of(mapping: Mapping, name: str) -> Location:
    key = mapping.key(name)
    return mapping.location if key is None else key.location


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
