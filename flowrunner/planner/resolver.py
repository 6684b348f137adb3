"""Values of a workflow: nodes with ``${…}`` in them to JSON data."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from flowrunner.node import Mapping, Node, Scalar, Sequence, has_expression
from flowrunner.planner.problems import Problems
from flowrunner.source import Location
from flowrunner.suggestion import did_you_mean

if TYPE_CHECKING:
    from flowrunner.expressions import Budget, Reference, Template

__all__ = ["UNKNOWN", "Resolver", "Unknown", "is_unknown"]


class Unknown:
    """A value that is not known while a file is checked: it hangs on an input without a value."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()


def is_unknown(value: Any) -> bool:
    """Tell whether a value, or anything in it, is not known."""
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    return value is UNKNOWN


class Resolver:
    """Gives nodes their values, and collects what is wrong with their expressions.

    ``step_ids`` are the ids that steps of the workflow have: their results are known at run
    time only. ``inputs`` may hold :data:`UNKNOWN` values.
    """

    def __init__(
        self, inputs: Lookup[str, Any], step_ids: frozenset[str], problems: Problems
    ) -> None:
        self._inputs = inputs
        self._step_ids = step_ids
        self._problems = problems
        self._templates: dict[tuple[str, int], Template | None] = {}
        self._budget: Budget | None = None

    def value(self, node: Node, loop: Lookup[str, Any] | None = None) -> Any:
        """Return a node's value; :data:`UNKNOWN` where it is not known or was reported.

        ``loop`` holds the loop variable of a fan-out.
        """
        match node:
            case Scalar():
                if isinstance(node.value, str) and has_expression(node.value):
                    return self._evaluate(node, loop or {})
                return node.value
            case Sequence():
                return [self.value(item, loop) for item in node.items]
            case Mapping():
                return {str(key.value): self.value(item, loop) for key, item in node.entries}

    def depends_on(self, node: Node, name: str) -> bool:
        """Tell whether a node's value may change with the name; all of it is read for that."""
        match node:
            case Scalar():
                if not (isinstance(node.value, str) and has_expression(node.value)):
                    return False
                template = self._parsed(node, {name: None})
                return template is not None and any(r.name == name for r in template.references)
            case Sequence():
                return max((self.depends_on(item, name) for item in node.items), default=False)
            case Mapping():
                return max((self.depends_on(item, name) for _, item in node.entries), default=False)

    def _evaluate(self, node: Scalar, loop: Lookup[str, Any]) -> Any:
        from flowrunner.expressions import ExpressionError

        template = self._parsed(node, loop)
        if template is None or self._needs_unknown(template):
            return UNKNOWN
        try:
            return template.evaluate({"inputs": self._inputs, **loop}, self._work_together())
        except ExpressionError as error:
            self._report(node, error.message, error.offset, error.length)
            self._templates[str(node.value), node.location.start] = None  # said once is enough
            return UNKNOWN

    def _parsed(self, node: Scalar, loop: Lookup[str, Any]) -> Template | None:
        key = (str(node.value), node.location.start)
        if key not in self._templates:
            self._templates[key] = self._parse(node, loop)
        return self._templates[key]

    def _parse(self, node: Scalar, loop: Lookup[str, Any]) -> Template | None:
        from flowrunner.expressions import ExpressionError, parse_template

        try:
            template = parse_template(str(node.value))
        except ExpressionError as error:
            self._report(node, error.message, error.offset, error.length)
            return None
        known = len(self._problems)
        for reference in template.references:
            self._check_reference(node, reference, loop)
        return template if len(self._problems) == known else None

    def _check_reference(self, node: Scalar, reference: Reference, loop: Lookup[str, Any]) -> None:
        def report(message: str, label: str) -> None:
            self._report(node, message, reference.offset, reference.length, label)

        name = reference.name
        if name == "inputs":
            if reference.path and reference.path[0] not in self._inputs:
                report(
                    f"unknown input '{reference.path[0]}'",
                    self._suggestion(reference.path[0], self._inputs, "inputs"),
                )
        elif name in loop:
            return
        elif name == "prev" or name in self._step_ids:
            report(
                f"'{name}' is known at run time only",
                "this version evaluates expressions before the run: inputs and the loop's index",
            )
        else:
            report(
                f"unknown name '{name}'", self._suggestion(name, ["inputs", *loop], "known names")
            )

    @staticmethod
    def _suggestion(name: str, known: Any, heading: str) -> str:
        listed = f"{heading}: {', '.join(sorted(known))}" if known else f"there are no {heading}"
        return did_you_mean(name, known, listed)

    def _work_together(self) -> Budget:
        from flowrunner.expressions import Budget

        if self._budget is None:
            self._budget = Budget()
        return self._budget

    @cached_property
    def _unknown_inputs(self) -> frozenset[str]:
        return frozenset(name for name, value in self._inputs.items() if value is UNKNOWN)

    def _needs_unknown(self, template: Template) -> bool:
        return any(
            reference.name == "inputs"
            and (not reference.path or reference.path[0] in self._unknown_inputs)
            for reference in template.references
            if self._unknown_inputs
        )

    def _report(
        self, node: Scalar, message: str, offset: int, length: int, label: str = ""
    ) -> None:
        self._problems.report(message, location_within(node, offset, length), label)


def location_within(node: Scalar, offset: int, length: int) -> Location:
    """Return the place of a part of a scalar's text, or of all of it where quoting hides it."""
    text = str(node.value)
    written = node.location.text
    if written == text:
        return node.location.part(offset, length)
    if written[1:-1] == text:
        return node.location.part(offset + 1, length)
    return node.location
