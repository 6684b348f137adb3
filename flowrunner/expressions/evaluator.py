"""The parts of an expression as functions that give their values.

The parser calls these once for an expression; what they return is called for every evaluation.
Chains (``a + b - c``, ``a.b.c``, ``not not a``) are one part each, so that the depth of the calls
depends on brackets only, which are capped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from flowrunner.budget import Budget
from flowrunner.expressions.errors import ExpressionError, OperandError
from flowrunner.expressions.functions import FUNCTIONS, Function
from flowrunner.expressions.kinds import TEXT, kind_of
from flowrunner.expressions.limits import Work
from flowrunner.expressions.operations import Operation, require_boolean, selected
from flowrunner.suggestion import quoted, suggestion

__all__ = [
    "Part",
    "Scope",
    "Selector",
    "calling",
    "choosing",
    "comparing",
    "connecting",
    "constant",
    "listing",
    "mapping",
    "naming",
    "negating",
    "operating",
    "selecting",
    "signing",
]


class Scope(Work):
    """What one evaluation works with: the names, and the work that is left."""

    __slots__ = ("names",)

    def __init__(self, names: Mapping[str, Any], budget: Budget | None = None) -> None:
        super().__init__(budget)
        self.names = names


Evaluate: TypeAlias = Callable[[Scope], Any]


class Part:
    """A sub-expression: its value, and its place in the whole text."""

    __slots__ = ("end", "evaluate", "offset")

    def __init__(self, evaluate: Evaluate, offset: int, end: int) -> None:
        self.evaluate = evaluate
        self.offset = offset
        self.end = end

    def blame(self, message: str) -> ExpressionError:
        """Return the error that this part is guilty of."""
        return ExpressionError(message, self.offset, self.end - self.offset)


class Selector(NamedTuple):
    """``.b`` or ``['b']`` of a chain of look-ups; ``end`` is where it ends in the text."""

    key: Part
    end: int
    by_name: bool


def constant(value: Any) -> Evaluate:
    """Give a literal's value."""
    return lambda scope: value


def naming(name: str, offset: int, end: int) -> Evaluate:
    """Give a name's value."""

    def evaluate(scope: Scope) -> Any:
        try:
            return scope.names[name]
        except KeyError:
            raise ExpressionError(_unknown_name(name, scope.names), offset, end - offset) from None

    return evaluate


def _unknown_name(name: str, names: Mapping[str, Any]) -> str:
    if name in FUNCTIONS:
        return f"'{name}' is a function: write {FUNCTIONS[name].usage}"
    return f"unknown name {quoted(name)}; {suggestion(name, names, 'known names')}"


def selecting(first: Part, selectors: Sequence[Selector]) -> Evaluate:
    """Give the value at the end of a chain of look-ups."""
    steps = [(each.key.evaluate, each) for each in selectors]

    def evaluate(scope: Scope) -> Any:
        value = first.evaluate(scope)
        for key, selector in steps:
            wanted = key(scope)
            try:
                value = selected(value, wanted, by_name=selector.by_name)
            except OperandError as error:
                if error.operand == 1:
                    raise selector.key.blame(error.message) from None
                raise ExpressionError(
                    error.message, first.offset, selector.end - first.offset
                ) from None
        return value

    return evaluate


def operating(first: Part, rest: Sequence[tuple[Operation, Part]]) -> Evaluate:
    """Give the value of operators of one precedence, from left to right."""
    steps = [(operation, operand.evaluate, operand) for operation, operand in rest]

    def evaluate(scope: Scope) -> Any:
        value = first.evaluate(scope)
        for operation, right, operand in steps:
            other = right(scope)
            try:
                value = operation(value, other, scope)
            except OperandError as error:
                if error.operand == 1:
                    raise operand.blame(error.message) from None
                raise ExpressionError(
                    error.message, first.offset, operand.end - first.offset
                ) from None
        return value

    return evaluate


def signing(operations: Sequence[Callable[[Any], Any]], operand: Part, whole: Part) -> Evaluate:
    """Give the value of a signed operand; the sign next to it comes first."""

    def evaluate(scope: Scope) -> Any:
        value = operand.evaluate(scope)
        try:
            for operation in operations:
                value = operation(value)
        except OperandError as error:
            guilty = whole if error.operand is None else operand
            raise guilty.blame(error.message) from None
        return value

    return evaluate


def comparing(first: Part, rest: Sequence[tuple[Operation, Part]]) -> Evaluate:
    """Give whether every comparison of a chain holds; stop at the first that does not."""

    def evaluate(scope: Scope) -> bool:
        left_part, left = first, first.evaluate(scope)
        for operation, right_part in rest:
            right = right_part.evaluate(scope)
            try:
                holds = operation(left, right, scope)
            except OperandError as error:
                if error.operand is not None:
                    raise (left_part, right_part)[error.operand].blame(error.message) from None
                raise ExpressionError(
                    error.message, left_part.offset, right_part.end - left_part.offset
                ) from None
            if not holds:
                return False
            left_part, left = right_part, right
        return True

    return evaluate


def _boolean(part: Part, scope: Scope, what: str) -> bool:
    value = part.evaluate(scope)
    try:
        return value if type(value) is bool else require_boolean(value, what)
    except OperandError as error:
        raise part.blame(error.message) from None


def connecting(word: str, operands: Sequence[Part]) -> Evaluate:
    """Give the value of an ``and`` or an ``or``; stop where it is decided."""
    decided = word == "or"

    def evaluate(scope: Scope) -> bool:
        for operand in operands:
            if _boolean(operand, scope, f"'{word}'") is decided:
                return decided
        return not decided

    return evaluate


def negating(operand: Part, times: int) -> Evaluate:
    """Give the value of one or several ``not``."""
    odd = bool(times % 2)
    return lambda scope: _boolean(operand, scope, "'not'") is not odd


def choosing(branches: Sequence[tuple[Part, Part]], otherwise: Part) -> Evaluate:
    """Give the value of the first branch (condition, value) whose condition holds."""

    def evaluate(scope: Scope) -> Any:
        for condition, value in branches:
            if _boolean(condition, scope, "'if'"):
                return value.evaluate(scope)
        return otherwise.evaluate(scope)

    return evaluate


def listing(items: Sequence[Part]) -> Evaluate:
    """Give a list."""
    evaluates = [item.evaluate for item in items]
    return lambda scope: [evaluate(scope) for evaluate in evaluates]


def mapping(entries: Sequence[tuple[Part, Part]]) -> Evaluate:
    """Give a dict."""

    def evaluate(scope: Scope) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_part, value_part in entries:
            key = key_part.evaluate(scope)
            try:
                kind = kind_of(key)
            except OperandError as error:
                raise key_part.blame(error.message) from None
            if kind is not TEXT:
                raise key_part.blame(
                    f"the keys of a mapping are strings, but this is {kind}: quote it"
                )
            if key in result:
                raise key_part.blame(f"the key {quoted(key)} is a duplicate")
            result[key] = value_part.evaluate(scope)
        if result.keys() == {"__type__", "__value__"}:
            raise entries[0][0].blame(
                "a mapping cannot consist of '__type__' and '__value__': Celery reserves them"
            )
        return result

    return evaluate


def calling(function: Function, arguments: Sequence[Part], whole: Part) -> Evaluate:
    """Give what a function returns."""
    evaluates = [argument.evaluate for argument in arguments]
    call = function.call

    def evaluate(scope: Scope) -> Any:
        values = [argument(scope) for argument in evaluates]
        try:
            return call(values, scope)
        except OperandError as error:
            guilty = whole if error.operand is None else arguments[error.operand]
            raise guilty.blame(error.message) from None

    return evaluate
