"""Texts with ``${…}`` in them, and bare expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flowrunner.budget import Budget
from flowrunner.expressions.conversion import as_text, require_text_length
from flowrunner.expressions.errors import ExpressionError, OperandError
from flowrunner.expressions.evaluator import Part, Scope
from flowrunner.expressions.kinds import NUMBER, kind_of, require_carriable, require_number
from flowrunner.expressions.limits import MOST_EXPRESSION_TEXT
from flowrunner.expressions.parser import Parsed, Reference, parse
from flowrunner.expressions.tokens import Token, read_tokens
from flowrunner.node import has_expression

__all__ = ["Expression", "Template", "has_expression", "parse_expression", "parse_template"]

_OPENING = "${"
#: An expression as GitHub Actions and Jinja write it.
_DOUBLE_BRACES = re.compile(r"\$\{\{\s*([^{}:*][^{}:]{0,200}?)\s*\}\}")
#: Steps of the budget: for an evaluation, for each character of it, and for what it makes.
_LEAST_COST = 12
_CHARACTERS_PER_STEP = 2
_BYTES_PER_STEP = 8
_BYTES_PER_ITEM = 64
_WIDEST_CHARACTER = 4
# The caps keep an expression to some 500 frames: what called flowrunner has used up the rest.
_NO_STACK = "the expression is nested too deeply for what is left of Python's stack"


class Expression:
    """One expression.

    ``references`` are the names that it uses, in the order written.
    """

    __slots__ = ("_cost", "_parsed", "references")

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._cost = _cost_of(parsed)
        self.references: tuple[Reference, ...] = parsed.references

    def evaluate(self, names: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """Return the value, which is JSON if the names' values are.

        What is looked up in a name is returned as it is, not copied. ``budget`` is that of the
        file. Raises :class:`~flowrunner.expressions.ExpressionError` and
        :class:`~flowrunner.budget.BudgetUsedUpError`.
        """
        if budget is None:
            return _value(self._parsed, Scope(names))
        budget.spend_on_part(self._cost)
        scope = Scope(names, budget)
        try:
            return _value(self._parsed, scope)
        finally:
            budget.left -= scope.done


class Template:
    """A text with expressions in it.

    ``references`` are the names that they use, in the order written.
    """

    __slots__ = ("_cost", "_pieces", "references")

    def __init__(self, pieces: Sequence[str | Parsed]) -> None:
        self._pieces = tuple(pieces)
        self._cost = sum(_cost_of(piece) for piece in pieces if isinstance(piece, Parsed))
        self.references: tuple[Reference, ...] = tuple(
            reference
            for piece in pieces
            if isinstance(piece, Parsed)
            for reference in piece.references
        )

    def evaluate(self, names: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """Return the value: of any kind if the text is one expression only, else a text.

        Inside a longer text a text is put in as it is, anything else as JSON. Values are data:
        a ``${`` in one of them means nothing. ``budget`` is that of the file.
        Raises :class:`~flowrunner.expressions.ExpressionError` and
        :class:`~flowrunner.budget.BudgetUsedUpError`.
        """
        if budget is None:
            return self._value(Scope(names), None)
        budget.spend_on_part(self._cost)
        scope = Scope(names, budget)
        try:
            value = self._value(scope, budget)
        finally:
            budget.left -= scope.done
        if len(self._pieces) == 1 and _builds(self._pieces[0]):
            _spend_on_made(value, budget)
        return value

    def _value(self, scope: Scope, budget: Budget | None) -> Any:
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
        if budget is not None:
            wide = 1 if all(map(str.isascii, texts)) else _WIDEST_CHARACTER
            budget.spend(length * wide // _BYTES_PER_STEP)
        return "".join(texts)


def _cost_of(parsed: Parsed) -> int:
    part = parsed.part
    return _LEAST_COST + (part.end - part.offset) // _CHARACTERS_PER_STEP


def _builds(piece: str | Parsed) -> bool:
    return isinstance(piece, Parsed) and piece.builds


def _spend_on_made(value: Any, budget: Budget) -> None:
    """Take what it costs to keep a value that an expression has made, in memory."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            wide = 1 if value.isascii() else _WIDEST_CHARACTER
            budget.spend(len(value) * wide // _BYTES_PER_STEP)
        elif isinstance(value, (list, dict)):
            budget.spend(len(value) * _BYTES_PER_ITEM // _BYTES_PER_STEP)
            pending += value if isinstance(value, list) else value.values()


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
        try:
            tokens = read_tokens(text, opening + len(_OPENING), in_braces=True)
            parsed = _parsed(tokens, opening, tokens[-1].end)
        except ExpressionError:
            if (doubled := _DOUBLE_BRACES.match(text, opening)) is None:
                raise
            raise ExpressionError(
                f"an expression takes single braces: write ${{{doubled[1]}}}",
                opening,
                doubled.end() - opening,
            ) from None
        position = tokens[-1].end
        expression_text += position - opening
        if expression_text > MOST_EXPRESSION_TEXT:
            raise ExpressionError(
                f"the expressions of one string have more than {MOST_EXPRESSION_TEXT:,} characters",
                opening,
                position - opening,
            )
        pieces.append(parsed)
    literal.append(text[position:])
    if any(literal) or not pieces:
        pieces.append("".join(literal))
    return Template(pieces)


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
