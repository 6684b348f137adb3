"""Expressions with ``env`` in them: checked here, and put in where a message is made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flowrunner import model
from flowrunner.environment import EnvironmentValueError, hide, revealed
from flowrunner.plan import Secret
from flowrunner.planner.scope import Scope
from flowrunner.planner.texts import Text, Texts
from flowrunner.suggestion import did_you_mean

__all__ = ["Secrets"]


class Secrets:
    """The secrets of a workflow and of the files that it uses.

    In an ``environment`` the variables have to be set; without one they need not.
    """

    def __init__(self, texts: Texts, environment: Mapping[str, str] | None) -> None:
        self._texts = texts
        self.environment = environment
        #: The variables that expressions use.
        self.used: set[str] = set()

    def listed(self, workflow: model.Workflow) -> frozenset[str]:
        """Return the variables that a file lists; their values are hidden from now on."""
        names = frozenset(str(name.value) for name in workflow.env)
        if self.environment is not None:
            hide(names, self.environment)
        return names

    def are_right(self, text: Text, scope: Scope) -> bool:
        """Tell whether a text uses variables rightly; what is wrong is reported."""
        right = True
        for reference in text.references_to("env"):
            message, label = "", ""
            if not reference.path:
                message, label = "'env' alone has no value", "name a variable: env.NAME"
            elif len(reference.path) > 1:
                message, label = (
                    f"'env.{reference.path[0]}' is a string",
                    "remove the rest: a string has no parts",
                )
            elif reference.path[0] not in scope.env:
                name = reference.path[0]
                message = f"the file does not list '{name}' in 'env:'"
                label = did_you_mean(name, _sorted(scope.env), f"add it: env: [{name}]")
            elif not scope.idle and self._is_missing(reference.path[0]):
                message = f"the environment variable '{reference.path[0]}' is not set"
                label = "set it where you apply the workflow"
            if message:
                right = False
                self._texts.report(text.node, message, reference.offset, reference.length, label)
        if right:
            self.used.update(reference.path[0] for reference in text.references_to("env"))
        return right

    def _is_missing(self, name: str) -> bool:
        return self.environment is not None and name not in self.environment

    @staticmethod
    def first_in(text: Text, scope: Scope) -> str | None:
        """Return the first secret that a text uses, as it writes it."""
        for reference in text.template.references:
            name = ".".join((reference.name, *reference.path[:1]))
            if reference.name == "env":
                return name
            if reference.name == "inputs" and scope.inputs.secret.intersection(
                reference.path[:1] or scope.inputs.secret
            ):
                return name
        return None

    def secret(self, text: Text, names: Mapping[str, Any]) -> Secret | None:
        """Return what stands for a text's value; ``None`` where it has none, which is reported."""
        found = Secret(str(text.node.value), text.node.location, names)
        if self.environment is not None:
            try:
                revealed(found, self.environment)
            except EnvironmentValueError as error:
                self._texts.report(text.node, error.reason, 0, len(found.text))
                return None
        return found


@lru_cache(maxsize=4)
def _sorted(names: frozenset[str]) -> tuple[str, ...]:
    """Return names in their order, once for all problems of a file."""
    return tuple(sorted(names))
