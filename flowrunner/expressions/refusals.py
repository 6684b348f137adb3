"""What to say about things that are not in the language, in the words of who wrote them."""

from __future__ import annotations

from typing import Final

from flowrunner.expressions.tokens import MARK, NAME, NUMBER, TEXT, Token
from flowrunner.suggestion import quoted

__all__ = ["refusal"]

_BITS: Final = "bit operations are not available"
_COMPARE: Final = "to compare, write '=='"
_CHOICE: Final = "to choose, write … if … else …"

_MARKS: Final = {
    "**": "powers are not available: multiply, for example x * x",
    "&&": "write 'and' instead of '&&'",
    "||": "write 'or' instead of '||'",
    "!": "write 'not' instead of '!'",
    "===": "write '==' instead of '==='",
    "!==": "write '!=' instead of '!=='",
    "<>": "write '!=' instead of '<>'",
    "=>": f"functions cannot be defined; {_COMPARE} or '>='",
    "=": f"assignments and named arguments are not available: {_COMPARE}",
    ":=": f"assignments are not available: {_COMPARE}",
    "?": _CHOICE,
    "??": _CHOICE,
    "...": "'...' has no value here",
    "|": f"{_BITS}, nor are filters: call a function, for example len(x)",
    "&": f"{_BITS}: write 'and' for conditions",
    "^": f"{_BITS}, nor are powers: multiply, for example x * x",
    "~": f"{_BITS}: write 'not' for conditions",
    "<<": _BITS,
    ">>": _BITS,
    "@": "matrices are not available",
    ";": "an expression has one value: statements are not available",
    ",": "tuples are not available: write a list, [… , …]",
    ":": "unexpected ':'; write a literal '${' as '$${'",
}

_NEED_VALUE: Final = frozenset(
    ("*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", ".", ",", ")", "]", "}")
)

_WORDS: Final = {
    "is": "'is' is not available: write '==' or '!='",
    "for": "comprehensions and loops are not available: use a task, or a step per item",
    "lambda": "functions cannot be defined: 'lambda' is not available",
    "await": "'await' is not available",
    "yield": "'yield' is not available",
    "if": "a value is missing before 'if': write … if … else …",
    "else": "this 'else' belongs to no 'if': write … if … else …",
}


def refusal(before: Token | None, token: Token) -> str:
    """Return why a token cannot stand where it does, and what to write instead."""
    if token.kind == MARK:
        if token.text in ("*", "**") and (before is None or before.text in ("(", "[", "{", ",")):
            return f"unpacking with '{token.text}' is not available"
        if token.text in _MARKS and not (token.text == "," and _opens(before)):
            return _MARKS[token.text]
        if token.text in _NEED_VALUE:
            return f"a value is missing before '{token.text}'"
    if token.kind == NAME and token.text in _WORDS:
        return _WORDS[token.text]
    if token.kind == NAME and token.text == "not":
        return "write brackets around 'not …'"
    if token.kind == NAME and token.text in ("and", "or", "in"):
        return f"a value is missing before '{token.text}'"
    if token.kind in (NAME, NUMBER, TEXT):
        return f"unexpected {quoted(token.text)}: an operator is missing before it"
    return f"unexpected '{token.text}'"


def _opens(before: Token | None) -> bool:
    return before is None or before.text in ("(", "[", "{", ",")
