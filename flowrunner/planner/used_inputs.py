"""The inputs that a file is used with: what ``with`` gives, else the file's defaults."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Lookup
from typing import Any, Final

from msgspec import Struct, field

from flowrunner.budget import Budget
from flowrunner.environment import revealed
from flowrunner.loader.integers import with_integers
from flowrunner.model import InputDefinition, Use, Workflow
from flowrunner.node import Mapping, Node, Scalar, Sequence, has_expression, plain
from flowrunner.plan import Secret, has_secret, is_open
from flowrunner.planner.problems import Problems
from flowrunner.planner.scope import UNKNOWN, is_unknown
from flowrunner.suggestion import did_you_mean, listed

__all__ = ["UsedInputs", "used_inputs"]

#: Steps of the budget for an input of a used file, and how often its value is walked through.
_STEPS_PER_INPUT: Final = 10
_TIMES_WALKED: Final = 4


class UsedInputs(Struct):
    """The inputs of a used file, by name.

    Of ``values`` those that only run time knows are deferred, and may be
    :data:`~flowrunner.planner.scope.UNKNOWN`; ``schemas`` has what the deferred ones have to
    satisfy then.
    """

    values: dict[str, Any] = field(default_factory=dict)
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)


def used_inputs(
    workflow: Workflow,
    use: Use,
    resolve: Callable[[Node], Any],
    problems: Problems,
    *,
    assume_missing: bool,
    environment: Lookup[str, str] | None = None,
    budget: Budget | None = None,
) -> UsedInputs:
    """Return the inputs of a used file; what is wrong with them is reported where they are given.

    ``resolve`` gives the value of a node in the file that uses it. ``assume_missing`` is for a file
    of which something is wrong already. Secrets are checked where an ``environment`` is given.
    """
    given = use.inputs or Mapping((), use.location)
    definitions = {definition.name: definition for definition in workflow.inputs}
    file = workflow.source.name
    known = f"known inputs: {listed(sorted(definitions))}" if definitions else "it has no inputs"
    for key, value in given.entries:
        name = str(key.value)
        if name not in definitions:
            label = did_you_mean(name, definitions, known)
            problems.report(f"{file} has no input '{name}'", key.location, label)
            resolve(value)  # what is wrong with it is said as well
    found = UsedInputs()
    budget = budget or Budget()
    budget.spend(_STEPS_PER_INPUT * len(definitions))
    for name, definition in definitions.items():
        node = given.get(name)
        if node is not None:
            value = resolve(node)
            _give(found, definition, node, value, problems, budget)
            if environment is not None and has_secret(value) and not is_open(value):
                _check_secret(definition, node, revealed(value, environment), problems)
        elif definition.default is not None:
            value = with_integers(plain(definition.default), definition.schema)
            found.values[name] = value
            budget.spend_on_value(value, _TIMES_WALKED)
        else:
            found.values[name] = UNKNOWN
            if not assume_missing:
                problems.report(
                    f"input '{name}' of {file} has no value",
                    use.file.location,
                    f"set it beside 'use': with: {{{name}: …}}",
                    (_defined(definition),),
                )
    return found


def _give(
    found: UsedInputs,
    definition: InputDefinition,
    node: Node,
    value: Any,
    problems: Problems,
    budget: Budget,
) -> None:
    name = definition.name
    found.values[name] = value
    if is_unknown(value):
        found.values[name] = UNKNOWN
    elif has_secret(value):
        if is_open(value):
            problems.report(
                f"input '{name}' mixes a secret with a value known only at run time",
                node.location,
                "use two inputs",
            )
        # One text, whatever it stands in: whoever uses the input knows it for a secret.
        elif not isinstance(value, Secret):
            held = {"inputs": {name: value}}
            found.values[name] = Secret(f"${{inputs.{name}}}", node.location, held)
    elif is_open(value):
        found.schemas[name] = dict(definition.schema)
    else:
        from flowrunner.loader.violation import violations

        budget.spend_on_value(value, _TIMES_WALKED)
        wrong = violations(_with_values(node, value), definition.schema, budget)
        for violation in wrong:
            problems.report(
                f"input '{name}' {violation.message}",
                violation.location,
                violation.label,
                (_defined(definition), *violation.notes),
            )
        found.values[name] = UNKNOWN if wrong else with_integers(value, definition.schema)


def _check_secret(definition: InputDefinition, node: Node, value: Any, problems: Problems) -> None:
    """Report a secret that does not fit, without saying it."""
    from flowrunner.loader.violation import value_problem

    whole = with_integers(value, definition.schema)
    if value_problem(value, definition.schema) is not None or type(whole) is not type(value):
        problems.report(
            f"the secret for input '{definition.name}' does not match its definition",
            node.location,
            notes=(_defined(definition),),
        )


def _defined(definition: InputDefinition) -> str:
    return f"the input is defined at {definition.location}"


def _with_values(node: Node, value: Any) -> Node:
    """Return a node in which expressions have become their values, in their places."""
    match node:
        case Scalar():
            if isinstance(node.value, str) and has_expression(node.value):
                return _valued(node, value)
            return node
        case Sequence():
            pairs = zip(node.items, value, strict=True)
            return Sequence(tuple(_with_values(*pair) for pair in pairs), node.location)
        case Mapping():
            entries = ((key, _with_values(each, value[key.value])) for key, each in node.entries)
            return Mapping(tuple(entries), node.location)


def _valued(place: Scalar, value: Any) -> Node:
    if isinstance(value, dict):
        entries = (
            (Scalar(key, place.location), _valued(place, each)) for key, each in value.items()
        )
        return Mapping(tuple(entries), place.location)
    if isinstance(value, list):
        return Sequence(tuple(_valued(place, each) for each in value), place.location)
    return Scalar(value, place.location)
