"""The inputs of a workflow: given values, defaults, and whether they are what is wanted."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from typing import Any

from flowrunner.budget import Budget
from flowrunner.loader.integers import with_integers
from flowrunner.model import InputDefinition, Workflow
from flowrunner.node import Mapping, Node, plain
from flowrunner.planner.problems import Problems
from flowrunner.planner.scope import UNKNOWN
from flowrunner.suggestion import did_you_mean, listed

__all__ = ["resolve_inputs"]


def resolve_inputs(
    workflow: Workflow,
    given: Mapping,
    problems: Problems,
    budget: Budget,
    *,
    assume_missing: bool,
) -> dict[str, Any]:
    """Return the value of every input.

    ``assume_missing`` gives an input without a value :data:`UNKNOWN` instead of reporting it:
    a file can be checked without knowing what it will be run with.
    """
    definitions = {definition.name: definition for definition in workflow.inputs}
    for key, _ in given.entries:
        name = str(key.value)
        if name not in definitions:
            problems.report(f"unknown input '{name}'", key.location, _known(name, definitions))
    return {
        name: _value(definition, given.get(name), problems, budget, assume_missing=assume_missing)
        for name, definition in definitions.items()
    }


def _value(
    definition: InputDefinition,
    given: Node | None,
    problems: Problems,
    budget: Budget,
    *,
    assume_missing: bool,
) -> Any:
    if given is not None:
        from flowrunner.loader.violation import violations

        found = violations(given, definition.schema, budget)
        for violation in found:
            problems.report(
                f"input '{definition.name}' {violation.message}",
                violation.location,
                violation.label,
                (f"the input is defined at {definition.location}", *violation.notes),
            )
        return UNKNOWN if found else with_integers(plain(given), definition.schema)
    if definition.default is not None:
        return with_integers(plain(definition.default), definition.schema)
    if not assume_missing:
        problems.report(
            f"input '{definition.name}' has no value",
            definition.location,
            "the input has no default",
            (f"set it: -i {definition.name}=…",),
        )
    return UNKNOWN


def _known(name: str, definitions: Lookup[str, InputDefinition]) -> str:
    if not definitions:
        return "the workflow has no inputs"
    return did_you_mean(name, definitions, f"known inputs: {listed(sorted(definitions))}")
