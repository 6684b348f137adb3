"""The texts with expressions in them that a workflow has, each read once."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from typing import TYPE_CHECKING, Any

from flowrunner.budget import Budget, BudgetUsedUpError
from flowrunner.node import Mapping, Node, Scalar, Sequence, has_expression
from flowrunner.planner.problems import Problems
from flowrunner.planner.scope import UNKNOWN
from flowrunner.source import Location

if TYPE_CHECKING:
    from flowrunner.expressions import Expression, ExpressionError, Reference, Template

__all__ = ["Text", "Texts", "location_within", "texts_in"]


class Text:
    """A text that was read; ``names`` are those that it uses, each once.

    ``inputs`` are the inputs that it uses, ``None`` where that may be any.
    """

    __slots__ = ("bare", "inputs", "names", "node", "template")

    def __init__(self, node: Scalar, template: Template | Expression, *, bare: bool) -> None:
        self.node = node
        self.template = template
        self.bare = bare
        self.names = tuple({reference.name: None for reference in template.references})
        paths = [reference.path for reference in self.references_to("inputs")]
        self.inputs = frozenset(path[0] for path in paths) if all(paths) else None

    def references_to(self, name: str) -> list[Reference]:
        """Return where it uses a name."""
        return [each for each in self.template.references if each.name == name]


class Texts:
    """Reads texts, and reports those that cannot be read."""

    def __init__(self, problems: Problems, budget: Budget) -> None:
        self._problems = problems
        self._budget = budget
        self._read: dict[int, Text | None] = {}
        self._read_bare: dict[int, Text | None] = {}
        self._failure: tuple[type[ExpressionError], ...] = ()  # imported with the first text
        self._nodes: list[Scalar] = []  # so that nothing else gets their id()

    def read(self, node: Scalar, *, bare: bool = False) -> Text | None:
        """Return the text of a node; ``None`` where something is wrong with it."""
        read = self._read_bare if bare else self._read
        try:
            return read[id(node)]
        except KeyError:
            self._nodes.append(node)
            text = read[id(node)] = self._parsed(node, bare=bare)
            return text

    def _parsed(self, node: Scalar, *, bare: bool) -> Text | None:
        from flowrunner.expressions import ExpressionError, parse_expression, parse_template

        self._failure = (ExpressionError,)
        try:
            parse = parse_expression if bare else parse_template
            return Text(node, parse(str(node.value)), bare=bare)
        except ExpressionError as error:
            self.report(node, error.message, error.offset, error.length)
            return None

    def give_up(self, text: Text) -> None:
        """Take a text for one that cannot be read: what is wrong with it has been said."""
        read = self._read_bare if text.bare else self._read
        read[id(text.node)] = None

    def value(self, text: Text, names: Lookup[str, Any]) -> Any:
        """Return a text's value, :data:`UNKNOWN` where it has none, which is reported."""
        try:
            return text.template.evaluate(names, self._budget)
        except BudgetUsedUpError as error:
            raise error.at(text.node.location) from None
        except self._failure as error:
            self.report(text.node, error.message, error.offset, error.length)
            self.give_up(text)  # said once is enough
            return UNKNOWN

    def report(
        self,
        node: Scalar,
        message: str,
        offset: int,
        length: int,
        label: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        """Note a problem of a part of a text."""
        self._problems.report(message, location_within(node, offset, length), label, notes)


def texts_in(node: Node) -> list[Scalar]:
    """Return the scalars of a node that have expressions in them."""
    match node:
        case Scalar():
            return [node] if isinstance(node.value, str) and has_expression(node.value) else []
        case Sequence():
            return [text for item in node.items for text in texts_in(item)]
        case Mapping():
            return [text for _, item in node.entries for text in texts_in(item)]


def location_within(node: Scalar, offset: int, length: int) -> Location:
    """Return the place of a part of a scalar's text, or of all of it where quoting hides it."""
    text = str(node.value)
    written = node.location.text
    if written == text:
        return node.location.part(offset, length)
    if written[1:-1] == text:
        return node.location.part(offset + 1, length)
    return node.location
