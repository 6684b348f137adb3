"""What the schema finds wrong with a document, in words. Imported only when there is something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowrunner.errors import Diagnostic
from flowrunner.loader.call_text import explain_call, explain_task_name
from flowrunner.loader.cures import cure_of, name_cure
from flowrunner.loader.foreign_words import FOREIGN_KEYS
from flowrunner.loader.key_words import BELONGS, foreign_cure, is_meant, key_cure, unknown_key
from flowrunner.loader.language import STEP_KEYS
from flowrunner.loader.schema import known_keys, workflow_schema
from flowrunner.loader.shape_cures import call_cure
from flowrunner.loader.validator import SchemaProblem
from flowrunner.loader.violation import describe, explain_keyword
from flowrunner.node import Mapping, plain
from flowrunner.source import Location
from flowrunner.suggestion import did_you_mean

__all__ = ["explain_problem"]

_NAME_LABEL: Final = "use a letter or underscore, then letters, digits and underscores"

_BRANCH: Final = "write {when: CONDITION, do: STEP}, or {else: STEP}"


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
                    f"a branch must be a mapping, not {describe(self._value)}",
                    self._place(),
                    _BRANCH,
                )
            case "minProperties" if self._node.location.text != "{}":
                return  # what stands in it is not a key, which has been said
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
            message, cure = f"'{self._value}' is not a valid name", name_cure(str(self._value))
            label = f"{_NAME_LABEL}; {cure}" if cure else _NAME_LABEL
            return Diagnostic(message, self._node.location, label)
        name, subject = str(self._part), f"'{self._part}'"
        if isinstance(self._part, int):
            around = self._outer.part if self._outer is not None else None
            subject = f"item {self._part}"
            if isinstance(around, str):
                subject = f"{subject} of '{around}'"
            name = f"{around} item"
        instead = (
            f"must be {self._instead}, not {describe(self._value)}"
            if self._instead
            else explain_keyword(self._problem.keyword, self._problem.wanted, self._value)
        )
        if self._title == "Name in expressions" and isinstance(self._value, str):
            cure = name_cure(self._value, of_variable=name == "env item")
        else:
            cure = cure_of(name, self._value, self._problem.keyword)
        return Diagnostic(f"{subject} {instead}", self._place(), cure)

    def _not_a_step(self) -> Diagnostic:
        if self._value is None:
            return Diagnostic(
                "a step is missing", self._place(), "write a task's name: TASK, or TASK x10"
            )
        cure = (
            "write {chain: [steps]} to run one after another, {group: [steps]} in parallel"
            if isinstance(self._value, list)
            else "if it is a task's name, quote it"
        )
        return Diagnostic(
            f"a step must be a string or a mapping, not {describe(self._value)}",
            self._place(),
            cure,
        )

    def _missing_key(self, mapping: Mapping) -> Iterator[Diagnostic]:
        missing = self._problem.missing
        if missing == "chunks":
            yield from self._missing_step(mapping)
        elif is_meant(mapping, missing, self._title):
            return  # said of the key that stands in its place
        elif missing == "do" and self._title != "Branch":
            if sum(key in mapping for key in STEP_KEYS) == 1:
                place = _place_of(mapping, "each")
                yield Diagnostic("'each' needs 'do'", place, "write the step for each item: do: …")
        elif self._title == "Branch":
            yield self._incomplete_branch(mapping)
        elif not self._stands_beside(missing):
            # Each is a problem of its own; what is said of all of them is said once.
            all_missing = [
                f"'{key}'"
                for key in self._problem.wanted
                if key not in mapping
                and not is_meant(mapping, key, self._title)
                and not self._stands_beside(key)
            ]
            yield Diagnostic(
                f"'{self._part}' needs {' and '.join(all_missing)}",
                self._place_of_key(mapping.location),
                cure_of(str(self._part), None),
            )

    def _stands_beside(self, missing: str) -> bool:
        """Tell whether a key stands beside the mapping that misses it, which is said of the key."""
        around = self._outer.node if self._outer is not None else None
        return isinstance(around, Mapping) and missing in around

    def _incomplete_branch(self, mapping: Mapping) -> Diagnostic:
        """A branch of ``switch`` that lacks a key; each key that it lacks is an error."""
        missing = [key for key in ("when", "do") if key not in mapping]
        return Diagnostic(
            f"a branch of 'switch' needs '{missing[0]}'"
            if len(missing) == 1
            else "a branch of 'switch' needs 'when' or 'else'",
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
                yield unknown_key(mapping, key, foreign_cure(mapping, key))
                return
        in_graph = self._outer is not None and self._outer.part == "graph"
        for key, cure in BELONGS.items():
            if key in mapping and not (in_graph and key == "needs"):
                yield Diagnostic("the step key is missing", _place_of(mapping, key), cure)
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
        what = "this workflow" if self._outer is None else "this step"
        cure = f"add one of {', '.join(STEP_KEYS)}"
        value = mapping.get(unknown[0]) if len(unknown) == 1 else None
        if value is not None and (call := call_cure(unknown[0], plain(value))):
            place, cure = _place_of(mapping, unknown[0]), call
        yield Diagnostic(f"{what} has no step key", place, cure)

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
            yield Diagnostic("'else' must be a branch of its own", place, _BRANCH)
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
    inner = next((name for name in ("map", "starmap", "chunks") if name in names), None)
    if inner is not None and "task" in names:
        cure = f"write 'task' inside '{inner}', beside 'over'"
    elif ("each" in names or "switch" in names) and "do" not in mapping:
        around = "each" if "each" in names else "switch"
        cure = f"write the other step in 'do' of '{around}'"
    return Diagnostic(
        f"a step takes one step key, not both '{first}' and '{second}'",
        place.location if place else mapping.location,
        cure,
    )
