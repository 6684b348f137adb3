"""Texts with ``${…}`` in them, and bare expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowrunner.expressions.conversion import as_text, require_text_length
from flowrunner.expressions.errors import ExpressionError, OperandError
from flowrunner.expressions.evaluator import Part, Scope
from flowrunner.expressions.kinds import NUMBER, kind_of, require_carriable, require_number
from flowrunner.expressions.limits import MOST_EXPRESSION_TEXT, Budget
from flowrunner.expressions.parser import Parsed, Reference, parse
from flowrunner.expressions.tokens import Token, read_tokens
from flowrunner.node import has_expression

__all__ = ["Expression", "Template", "has_expression", "parse_expression", "parse_template"]

_OPENING = "${"
# The caps keep an expression to some 500 frames: what called flowrunner has used up the rest.
_NO_STACK = "the expression is nested too deeply for what is left of Python's stack"


class Expression:
    """One expression.

    ``references`` are the names that it uses, in the order written.
    """

    __slots__ = ("_parsed", "references")

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self.references: tuple[Reference, ...] = parsed.references

    def evaluate(self, names: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """Return the value, which is JSON if the names' values are.

        What is looked up in a name is returned as it is, not copied. ``budget`` is what all texts
        of a workflow share. Raises :class:`~flowrunner.expressions.ExpressionError`.
        """
        scope = Scope(names)
        value = _value(self._parsed, scope)
        part = self._parsed.part
        _charge(scope, budget, part.offset, part.end - part.offset)
        return value


class Template:
    """A text with expressions in it.

    ``references`` are the names that they use, in the order written.
    """

    __slots__ = ("_length", "_pieces", "references")

    def __init__(self, pieces: Sequence[str | Parsed], length: int) -> None:
        self._length = length
        self._pieces = tuple(pieces)
        self.references: tuple[Reference, ...] = tuple(
            reference
            for piece in pieces
            if isinstance(piece, Parsed)
            for reference in piece.references
        )

    def evaluate(self, names: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """Return the value: of any kind if the text is one expression only, else a text.

        Inside a longer text a text is put in as it is, anything else as JSON. Values are data:
        a ``${`` in one of them means nothing. ``budget`` is what all texts of a workflow share.
        Raises :class:`~flowrunner.expressions.ExpressionError`.
        """
        scope = Scope(names)
        value = self._value(scope)
        _charge(scope, budget, 0, self._length)
        return value

    def _value(self, scope: Scope) -> Any:
        if len(self._pieces) == 1:
            piece = self._pieces[0]
            return piece if isinstance(piece, str) else _value(piece, scope)
        texts: list[str] = []
        length = 0
        for piece in self._pieces:
            if isinstance(piece, str):
                texts.append(piece)
                length += len(piece)
                continue
            value = _evaluated(piece.part, scope)
            try:
                text = as_text(value, scope)
                length += len(text)
                require_text_length(length)
            except OperandError as error:
                raise piece.part.blame(error.message) from None
            texts.append(text)
        return "".join(texts)


def _charge(scope: Scope, budget: Budget | None, offset: int, length: int) -> None:
    if budget is not None and not budget.take(scope.done):
        message = "the expressions of this workflow are too much work together: do it in a task"
        raise ExpressionError(message, offset, length)


def parse_template(text: str) -> Template:
    """Return the template that a text is.

    ``${ … }`` is an expression, ``$${`` a literal ``${``, anything else stays as it is.
    Raises :class:`~flowrunner.expressions.ExpressionError`.
    """
    pieces: list[str | Parsed] = []
    literal: list[str] = []
    position = expression_text = 0
    while (opening := text.find(_OPENING, position)) >= 0:
        if opening > position and text[opening - 1] == "$":
            literal.append(text[position : opening - 1] + _OPENING)
            position = opening + len(_OPENING)
            continue
        literal.append(text[position:opening])
        if any(literal):
            pieces.append("".join(literal))
        literal.clear()
        tokens = read_tokens(text, opening + len(_OPENING), in_braces=True)
        position = tokens[-1].end
        expression_text += position - opening
        if expression_text > MOST_EXPRESSION_TEXT:
            raise ExpressionError(
                f"the expressions of one text have more than {MOST_EXPRESSION_TEXT:,} characters",
                opening,
                position - opening,
            )
        pieces.append(_parsed(tokens, opening, position))
    literal.append(text[position:])
    if any(literal) or not pieces:
        pieces.append("".join(literal))
    return Template(pieces, len(text))


def parse_expression(text: str, offset: int = 0) -> Expression:
    """Return the expression that a whole text is, such as the value of ``when:``.

    ``offset`` is added to the places in references and errors.
    Raises :class:`~flowrunner.expressions.ExpressionError`.
    """
    stripped = text.strip()
    if stripped.startswith(_OPENING):
        raise ExpressionError(
            "write the expression without '${' and '}' here", offset + text.find(_OPENING), 2
        )
    tokens = read_tokens(text, 0, in_braces=False, shift=offset)
    return Expression(_parsed(tokens, offset, offset + len(text)))


def _parsed(tokens: list[Token], start: int, end: int) -> Parsed:
    if len(tokens) == 1:
        raise ExpressionError("the expression is empty", start, max(1, end - start))
    try:
        return parse(tokens)
    except RecursionError:
        raise ExpressionError(_NO_STACK, start, end - start) from None


def _evaluated(part: Part, scope: Scope) -> Any:
    try:
        return part.evaluate(scope)
    except RecursionError:
        raise part.blame(_NO_STACK) from None


def _value(parsed: Parsed, scope: Scope) -> Any:
    value = _evaluated(parsed.part, scope)
    kind = type(value)
    if kind is int or kind is str or kind is bool or value is None:
        return value
    try:
        if parsed.builds:
            require_carriable(value, scope)
        elif kind_of(value) is NUMBER:
            require_number(value)
    except OperandError as error:
        raise parsed.part.blame(error.message) from None
    return value
