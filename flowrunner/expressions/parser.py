"""The grammar: a whitelisted subset of Python's expressions.

Recursive descent, one method a precedence, from the loosest to the tightest. The recursion is
as deep as the brackets, which the tokens' reader caps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from flowrunner.expressions import evaluator
from flowrunner.expressions.errors import ExpressionError
from flowrunner.expressions.evaluator import Part, Selector
from flowrunner.expressions.functions import FUNCTIONS, Function
from flowrunner.expressions.limits import LARGEST_INTEGER, SMALLEST_INTEGER
from flowrunner.expressions.operations import BINARY, COMPARISONS, Operation, negated, positive
from flowrunner.expressions.refusals import refusal
from flowrunner.expressions.tokens import END, MARK, NAME, NUMBER, TEXT, Token
from flowrunner.suggestion import quoted, suggestion

__all__ = ["Parsed", "Reference", "parse"]

_CONSTANTS: Final[dict[str, Any]] = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
}
_RESERVED: Final = frozenset(
    ("and", "or", "not", "if", "else", "in", "is", "for", "lambda", "await", "yield")
)
_SIGNS: Final[dict[str, Callable[[Any], Any]]] = {"-": negated, "+": positive}


@dataclass(frozen=True)
class Reference:
    """A name that an expression uses, with the constant keys that follow it.

    ``inputs.count`` and ``inputs['count']`` have the name ``inputs`` and the path ``("count",)``.
    ``offset`` and ``length`` cover both, in characters into the whole text.
    """

    name: str
    path: tuple[str, ...]
    offset: int
    length: int


class Parsed(NamedTuple):
    """An expression that can be evaluated.

    ``builds`` tells that its value may be larger than what the names hold.
    """

    part: Part
    references: tuple[Reference, ...]
    builds: bool


def parse(tokens: list[Token]) -> Parsed:
    """Return the expression that the tokens are.

    Raises :class:`~flowrunner.expressions.ExpressionError`.
    """
    return _Parser(tokens).parse()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._references: list[Reference] = []
        self._builds = False

    def parse(self) -> Parsed:
        part = self._expression()
        if self._current.kind != END:
            raise self._unexpected()
        return Parsed(part, tuple(self._references), self._builds)

    @property
    def _current(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._tokens[self._position]
        self._position += 1
        return token

    def _at(self, *marks: str) -> bool:
        token = self._tokens[self._position]
        return token.kind == MARK and token.text in marks

    def _at_word(self, word: str, ahead: int = 0) -> bool:
        token = self._tokens[min(self._position + ahead, len(self._tokens) - 1)]
        return token.kind == NAME and token.text == word

    def _expect(self, mark: str) -> Token:
        if not self._at(mark):
            raise self._unexpected()
        return self._take()

    def _unexpected(self) -> ExpressionError:
        before = self._tokens[self._position - 1] if self._position else None
        if self._current.kind == END and before is not None:
            return _fault(f"a value is missing after '{before.text}'", before)
        return _fault(refusal(before, self._current), self._current)

    def _part(self, evaluate: evaluator.Evaluate, offset: int) -> Part:
        """Return the part that begins at the offset and ends where the last token did."""
        return Part(evaluate, offset, self._tokens[self._position - 1].end)

    def _expression(self) -> Part:
        offset = self._current.offset
        value = self._or()
        branches: list[tuple[Part, Part]] = []
        while self._at_word("if"):
            word = self._take()
            condition = self._or()
            if not self._at_word("else"):
                if self._current.kind == END or self._at(")", "]", "}", ","):
                    raise _fault("this 'if' has no 'else': write … if … else …", word)
                raise self._unexpected()
            self._take()
            branches.append((condition, value))
            value = self._or()
        if not branches:
            return value
        return self._part(evaluator.choosing(branches, value), offset)

    def _or(self) -> Part:
        return self._connected("or", self._and)

    def _and(self) -> Part:
        return self._connected("and", self._not)

    def _connected(self, word: str, operand: Callable[[], Part]) -> Part:
        first = operand()
        if not self._at_word(word):
            return first
        operands = [first]
        while self._at_word(word):
            self._take()
            operands.append(operand())
        return self._part(evaluator.connecting(word, operands), first.offset)

    def _not(self) -> Part:
        offset = self._current.offset
        times = 0
        while self._at_word("not"):
            self._take()
            times += 1
        operand = self._comparison()
        return self._part(evaluator.negating(operand, times), offset) if times else operand

    def _comparison(self) -> Part:
        first = self._sum()
        rest: list[tuple[Operation, Part]] = []
        while (comparison := self._take_comparison()) is not None:
            rest.append((COMPARISONS[comparison], self._sum()))
        return self._part(evaluator.comparing(first, rest), first.offset) if rest else first

    def _take_comparison(self) -> str | None:
        if self._at("==", "!=", "<", "<=", ">", ">="):
            return self._take().text
        if self._at_word("in"):
            return self._take().text
        if self._at_word("not") and self._at_word("in", ahead=1):
            self._take()
            self._take()
            return "not in"
        return None

    def _sum(self) -> Part:
        return self._operated(("+", "-"), self._product)

    def _product(self) -> Part:
        return self._operated(("*", "/", "//", "%"), self._signed)

    def _operated(self, signs: tuple[str, ...], operand: Callable[[], Part]) -> Part:
        first = operand()
        if not self._at(*signs):
            return first
        rest: list[tuple[Operation, Part]] = []
        while self._at(*signs):
            operation = BINARY[self._take().text]
            rest.append((operation, operand()))
        self._builds = True
        return self._part(evaluator.operating(first, rest), first.offset)

    def _signed(self) -> Part:
        offset = self._current.offset
        signs: list[str] = []
        while self._at("+", "-"):
            signs.append(self._take().text)
        if self._current.kind == NUMBER:
            return self._number(offset, negative=signs.count("-") % 2 == 1)
        operand = self._chain()
        if not signs:
            return operand
        whole = self._part(operand.evaluate, offset)
        operations = [_SIGNS[sign] for sign in reversed(signs)]
        return self._part(evaluator.signing(operations, operand, whole), offset)

    def _number(self, offset: int, *, negative: bool) -> Part:
        token = self._take()
        value = -token.value if negative else token.value
        if isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            raise _fault("the number is outside the integers that fit: -2**63 to 2**63 - 1", token)
        if self._at(".", "[", "("):
            raise _fault("a number has no items and cannot be called", self._current)
        return self._part(evaluator.constant(value), offset)

    def _chain(self) -> Part:
        """Parse a value and the look-ups that follow it."""
        place = len(self._references)
        first = self._value()
        # The name's own reference, if it is one, grows with every constant key.
        growing = len(self._references) > place and self._tokens[self._position - 1].kind == NAME
        selectors: list[Selector] = []
        while self._at(".", "[", "("):
            selector, name = self._selector()
            selectors.append(selector)
            growing = growing and name is not None
            if growing and name is not None:
                known = self._references[place]
                self._references[place] = Reference(
                    known.name, (*known.path, name), known.offset, selector.end - known.offset
                )
        if not selectors:
            return first
        return self._part(evaluator.selecting(first, selectors), first.offset)

    def _selector(self) -> tuple[Selector, str | None]:
        """Parse one look-up; return it, and its key where that is a constant text."""
        mark = self._take()
        if mark.text == "(":
            raise self._uncallable(mark)
        if mark.text == ".":
            if self._current.kind != NAME:
                raise self._unexpected_key(mark)
            name = self._take()
            key = Part(evaluator.constant(name.text), name.offset, name.end)
            return Selector(key, name.end, by_name=True), name.text
        token, position = self._current, self._position
        if self._at("]"):
            raise _fault("the brackets are empty: write a key or a number", mark)
        if self._at(":"):
            raise _fault("slices are not available: use single items, or slice in a task", token)
        key = self._expression()
        if self._at(":"):
            raise _fault(
                "slices are not available: use single items, or slice in a task", self._current
            )
        constant = token.value if token.kind == TEXT and self._position == position + 1 else None
        closing = self._expect("]")
        return Selector(key, closing.end, by_name=False), constant

    def _unexpected_key(self, dot: Token) -> ExpressionError:
        if self._current.kind == END:
            return _fault("a name is missing after '.'", dot)
        return _fault("write a name after '.', and other keys as ['…']", self._current)

    def _uncallable(self, bracket: Token) -> ExpressionError:
        name = self._tokens[self._position - 2]
        if name.kind != NAME:
            return _fault("only functions can be called", bracket)
        cure = f": write {FUNCTIONS[name.text].usage}" if name.text in FUNCTIONS else ""
        return _fault(f"methods are not available, so '{name.text}' cannot be called{cure}", name)

    def _value(self) -> Part:
        token = self._current
        if token.kind == TEXT:
            self._take()
            return self._part(evaluator.constant(token.value), token.offset)
        if token.kind == NAME and token.text not in _RESERVED:
            return self._name(self._take())
        if token.kind == MARK and token.text in ("(", "[", "{"):
            self._take()
            evaluate = {"(": self._bracketed, "[": self._list, "{": self._dict}[token.text](token)
            return self._part(evaluate, token.offset)
        raise self._unexpected()

    def _name(self, token: Token) -> Part:
        if token.text in _CONSTANTS:
            return self._part(evaluator.constant(_CONSTANTS[token.text]), token.offset)
        if self._at("("):
            return self._call(token)
        length = token.end - token.offset
        self._references.append(Reference(token.text, (), token.offset, length))
        return self._part(evaluator.naming(token.text, token.offset, token.end), token.offset)

    def _bracketed(self, opener: Token) -> evaluator.Evaluate:
        if self._at(")"):
            raise _fault("tuples are not available: write a list, []", opener)
        inner = self._expression()
        if self._at(","):
            raise _fault("tuples are not available: write a list, [… , …]", self._current)
        self._expect(")")
        return inner.evaluate

    def _list(self, opener: Token) -> evaluator.Evaluate:
        self._builds = True
        return evaluator.listing(self._items("]"))

    def _items(self, closing: str) -> list[Part]:
        items: list[Part] = []
        while not self._at(closing):
            items.append(self._expression())
            if not self._at(closing):
                self._expect(",")
        self._take()
        return items

    def _dict(self, opener: Token) -> evaluator.Evaluate:
        self._builds = True
        entries: list[tuple[Part, Part]] = []
        while not self._at("}"):
            key = self._expression()
            if self._at("}", ","):
                message = "sets are not available: write a list, [… , …]"
                if opener is self._tokens[0]:
                    message += "; write an expression in single braces, ${ … }"
                raise _fault(message, opener)
            self._expect(":")
            entries.append((key, self._expression()))
            if not self._at("}"):
                self._expect(",")
        self._take()
        return evaluator.mapping(entries)

    def _call(self, name: Token) -> Part:
        function = FUNCTIONS.get(name.text)
        if function is None:
            cure = suggestion(name.text, FUNCTIONS, "functions")
            raise _fault(f"unknown function {quoted(name.text)}; {cure}", name)
        self._builds = True
        self._take()
        arguments = self._items(")")
        whole = self._part(evaluator.constant(None), name.offset)
        _check_count(name.text, function, len(arguments), whole)
        return self._part(evaluator.calling(function, arguments, whole), name.offset)


def _check_count(name: str, function: Function, given: int, whole: Part) -> None:
    least, most = function.least, function.most
    if given >= least and (most is None or given <= most):
        return
    wanted = f"{least} value{'s' if least > 1 else ''}"
    if most is None:
        wanted = f"{least} or more values"
    elif most > least:
        wanted = f"{least} to {most} values"
    raise whole.blame(f"{name} takes {wanted}, not {given}: write {function.usage}")


def _fault(message: str, token: Token) -> ExpressionError:
    # The end of a text is no place for a caret: it needs a character to stand under.
    return ExpressionError(message, token.offset, max(1, token.end - token.offset))
