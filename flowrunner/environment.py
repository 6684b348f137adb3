"""Variables of the environment that a workflow names: put in place late, and kept out of sight.

Whatever shows or keeps a plan has :class:`~flowrunner.plan.Secret` texts. Their values are put in
where a message is made, and replaced by their names in what this process shows or records.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flowrunner.errors import Diagnostic, EngineError, Finding, WorkflowError
from flowrunner.masking import learn, masked_text
from flowrunner.plan import Secret, has_secret
from flowrunner.template import parsed

__all__ = [
    "EnvironmentValueError",
    "hardly_hidden",
    "hide",
    "missing",
    "require_environment",
    "revealed",
    "shown_secrets",
    "variables",
    "without_secrets",
]


class EnvironmentValueError(EngineError):
    """A variable of the environment that a step needs is not set, or has an unfit value.

    ``reason`` says so without the place.
    """

    def __init__(self, reason: str, place: str = "") -> None:
        self.reason = reason
        super().__init__(f"{place}: {reason}" if place else reason)


def variables(value: Any) -> frozenset[str]:
    """Return the names of the variables that the secrets in a value need."""
    return frozenset(_variables(value))


def _variables(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        for reference in parsed(value.text, False).references:
            if reference.name == "env":
                yield reference.path[0]
        yield from _variables(value.names)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _variables(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _variables(each)


def missing(names: Iterable[str], environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the variables that are not set; an empty one is."""
    environment = os.environ if environment is None else environment
    return sorted(name for name in set(names) if name not in environment)


def require_environment(names: Iterable[str]) -> None:
    """Raise :class:`~flowrunner.errors.WorkflowError` for variables that are not set here."""
    if absent := missing(names):
        raise WorkflowError(
            Diagnostic(
                f"the environment variable '{name}' is not set",
                notes=(f"set it for this command, {name}=…: the workflow lists it in 'env:'",),
            )
            for name in absent
        )


def revealed(value: Any, environment: Mapping[str, str] | None = None) -> Any:
    """Return a value with what its secrets stand for; what they use is hidden from now on.

    Raises :class:`EnvironmentValueError`, which does not say any value.
    """
    if not has_secret(value):
        return value
    environment = os.environ if environment is None else environment
    names = variables(value)
    if absent := missing(names, environment):
        raise EnvironmentValueError(
            f"the environment variable{'s'[: len(absent) - 1]} {', '.join(absent)} "
            f"{'is' if len(absent) == 1 else 'are'} not set in this process, and a step needs "
            f"{'its value' if len(absent) == 1 else 'their values'}"
        )
    hide(names, environment)
    return _revealed(value, {name: environment[name] for name in names})


def _revealed(value: Any, environment: Mapping[str, str]) -> Any:
    from flowrunner.expressions import ExpressionError

    if isinstance(value, Secret):
        names = {name: _revealed(each, environment) for name, each in value.names.items()}
        try:
            return parsed(value.text, False).evaluate({**names, "env": environment})
        except ExpressionError as error:
            raise EnvironmentValueError(
                without_secrets(error.message), str(value.location)
            ) from None
    if not has_secret(value):
        return value
    if isinstance(value, Mapping):
        return {key: _revealed(each, environment) for key, each in value.items()}
    return type(value)(_revealed(each, environment) for each in value)


def shown_secrets(value: Any) -> Any:
    """Return a value with the texts of its secrets in their places."""
    if isinstance(value, Secret):
        return value.text
    if not has_secret(value):
        return value
    if isinstance(value, Mapping):
        return {key: shown_secrets(each) for key, each in value.items()}
    return type(value)(map(shown_secrets, value))


def hide(names: Iterable[str], environment: Mapping[str, str] | None = None) -> None:
    """Let :func:`without_secrets` replace the values of these variables by their names."""
    environment = os.environ if environment is None else environment
    for name in names:
        if value := environment.get(name):
            learn(value, f"${{env.{name}}}")


def hardly_hidden(
    names: Iterable[str], environment: Mapping[str, str] | None = None
) -> list[Finding]:
    """Return a warning for each variable whose value is too short to be masked everywhere."""
    names = sorted(names)
    if not names:
        return []
    from flowrunner.masking.forms import SHORTEST_ENCODED, SHORTEST_VALUE, has_short_forms

    environment = os.environ if environment is None else environment
    found = []
    for name in names:
        value = environment.get(name, "").strip()
        if not value:
            continue
        if len(value) < SHORTEST_VALUE:
            what = (
                f"the value of ${{env.{name}}} is not masked: it has fewer than "
                f"{SHORTEST_VALUE} characters"
            )
        elif has_short_forms(value):
            what = (
                f"the value of ${{env.{name}}} is not masked in every encoding: some encoded "
                f"forms have fewer than {SHORTEST_ENCODED} characters"
            )
        else:
            continue
        found.append(
            Finding(
                "warning",
                "secrets",
                what,
                "logs and errors may show the value, or an encoded form of it",
                "use a longer value, of 8 characters or more",
            )
        )
    return found


def without_secrets(text: str) -> str:
    """Return a text with the values of secrets, in any form, replaced by their names."""
    return masked_text(text)
