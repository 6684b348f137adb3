"""An expression's text to tokens, each with its place.

flowrunner reads expressions itself instead of handing them to Python's parser: that one counts
columns in bytes, warns on stderr, changes letters (NFKC), and gives up on long or deep input in
ways that differ between versions.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flowrunner.expressions.errors import ExpressionError
from flowrunner.expressions.limits import DEEPEST_NESTING, LONGEST_EXPRESSION
from flowrunner.suggestion import quoted

__all__ = ["END", "MARK", "NAME", "NUMBER", "TEXT", "Token", "read_tokens"]

NUMBER: Final = "number"
TEXT: Final = "text"
NAME: Final = "name"
MARK: Final = "mark"
END: Final = "end"

_TOKEN: Final = re.compile(
    r"""
      (?P<blank>[ \t\r\n]+)
    | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[^\W\d]\w*)
    | (?P<text>'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*")
    | (?P<mark>\*\*|//|===?|!==?|<=|>=|:=|<<|>>|<>|&&|\|\||\?\?|\.\.\.|->|=>
        |[-+*/%<>()\[\]{},.:=&|^~@!?;])
    """,
    re.VERBOSE,
)
_REST_OF_WORD: Final = re.compile(r"\w*")
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_ESCAPED: Final = {
    "\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f",
}  # fmt: skip
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_OPENING: Final = frozenset(_CLOSING)
_CLOSERS: Final = frozenset(_CLOSING.values())

_CHARACTER_CURES: Final = {
    "$": "write a name without '$', and a literal '${' as '$${'",
    "#": "there are no comments here, and write a literal '${' as '$${'",
    "\\": "remove the '\\' at the end of the line",
    "`": "write a string in ' or \"",
    **dict.fromkeys("“”„‟‘’‚‛«»", "write a string in the straight quotes ' or \""),
    **dict.fromkeys("−–—", "write minus as '-'"),
    "×": "multiply with '*'",
    "÷": "divide with '/'",
    "≤": "write '<='",
    "≥": "write '>='",
    "≠": "write '!='",
}


class Token:
    """A word of an expression: ``offset`` and ``end`` are characters into the whole text.

    ``value`` is the number or text that a literal means; ``text`` is how the token is written.
    """

    __slots__ = ("end", "kind", "offset", "text", "value")

    def __init__(self, kind: str, text: str, offset: int, end: int, value: Any = None) -> None:
        self.kind = kind
        self.text = text
        self.offset = offset
        self.end = end
        self.value = value


def read_tokens(text: str, start: int, *, in_braces: bool, shift: int = 0) -> list[Token]:
    """Return the tokens from ``start`` on, the last of them of the kind :data:`END`.

    ``in_braces`` reads to the ``}`` that closes the expression, which is the last token then,
    otherwise to the end of the text. ``shift`` is added to all offsets.

    Raises :class:`~flowrunner.expressions.ExpressionError`.
    """
    return _Reader(text, start, in_braces=in_braces, shift=shift).read()


class _Reader:
    def __init__(self, text: str, start: int, *, in_braces: bool, shift: int) -> None:
        self._text = text
        self._start = start
        self._in_braces = in_braces
        self._shift = shift
        self._tokens: list[Token] = []
        self._open: list[Token] = []

    def read(self) -> list[Token]:
        text, position = self._text, self._start
        stop = min(len(text), position + LONGEST_EXPRESSION + self._in_braces)
        if stop < len(text) and not self._in_braces:
            raise self._fault(
                f"the expression has more than {LONGEST_EXPRESSION:,} characters", position, stop
            )
        match_at, add = _TOKEN.match, self._add
        while position < stop:
            match = match_at(text, position, stop)
            if match is None:
                raise self._unreadable(position, stop)
            end = match.end()
            kind = match.lastgroup
            if kind == "mark":
                if self._bracket(match[0], position):
                    return self._tokens
            elif kind == "name":
                add(NAME, position, end)
            elif kind == "number":
                self._number(position, end)
            elif kind == "text":
                self._literal_text(position, end)
            position = end
        if self._in_braces:
            raise self._unclosed(stop)
        if self._open:
            raise self._bracket_fault(self._open[-1], "")
        add(END, stop, stop)
        return self._tokens

    def _add(self, kind: str, start: int, end: int, value: Any = None) -> Token:
        shift = self._shift
        token = Token(kind, self._text[start:end], start + shift, end + shift, value)
        self._tokens.append(token)
        return token

    def _fault(self, message: str, start: int, end: int) -> ExpressionError:
        return ExpressionError(message, start + self._shift, end - start)

    def _bracket(self, mark: str, position: int) -> bool:
        """Take a mark, and tell whether it is the brace that closes the expression."""
        if mark in _OPENING:
            self._open.append(self._add(MARK, position, position + 1))
            if len(self._open) > DEEPEST_NESTING:
                raise self._fault(
                    f"brackets are nested more than {DEEPEST_NESTING} deep", position, position + 1
                )
            return False
        if mark not in _CLOSERS:
            self._add(MARK, position, position + len(mark))
            return False
        if not self._open:
            if mark == "}" and self._in_braces:
                self._add(END, position, position + 1)
                return True
            raise self._fault(f"this '{mark}' closes nothing", position, position + 1)
        opener = self._open.pop()
        if _CLOSING[opener.text] != mark:
            raise self._bracket_fault(opener, f" before '{mark}'")
        self._add(MARK, position, position + 1)
        return False

    @staticmethod
    def _bracket_fault(opener: Token, where: str) -> ExpressionError:
        return ExpressionError(
            f"this '{opener.text}' is not closed by '{_CLOSING[opener.text]}'{where}",
            opener.offset,
            1,
        )

    def _unclosed(self, stop: int) -> ExpressionError:
        within = "" if stop == len(self._text) else f" within {LONGEST_EXPRESSION:,} characters"
        return self._fault(
            f"this '${{' is not closed by '}}'{within}; write a literal '${{' as '$${{'",
            self._start - 2,
            self._start,
        )

    def _unreadable(self, position: int, stop: int) -> ExpressionError:
        character = self._text[position]
        if character in "'\"":
            if stop < len(self._text):
                return self._unclosed(stop)
            cure = "; write a literal '${' as '$${'" if self._in_braces else ""
            message = f"the string that begins here is not closed by {character} on its line{cure}"
        elif character in _CHARACTER_CURES:
            message = f"unexpected '{character}': {_CHARACTER_CURES[character]}"
        elif character.isprintable() and character.isascii():
            message = f"unexpected '{character}'"
        else:
            printed = f" '{character}'" if character.isprintable() else ""
            message = f"unexpected character U+{ord(character):04X}{printed}"
        return self._fault(message, position, position + 1)

    def _number(self, start: int, end: int) -> None:
        text = self._text[start:end]
        word = _REST_OF_WORD.match(self._text, end)
        if word is not None and word[0]:
            end = word.end()
            raise self._fault(
                f"{quoted(self._text[start:end])} is not a number: write a number like "
                "10, 0.5 or 2e3",
                start,
                end,
            )
        if text.startswith(".") and self._follows_value(start):
            raise self._fault(
                f"write an item of a list in brackets: [{quoted(text[1:])[1:-1]}]", start, end
            )
        if text.isdigit():
            if len(text) > 1 and text.startswith("0"):
                raise self._fault("remove the leading zeros of the number", start, end)
            # 20 digits are outside the range already; int() may be set to refuse many of them.
            value: int | float = int(text[:20])
        else:
            value = float(text)
            if value - value != 0:
                raise self._fault("the number is too large", start, end)
        self._add(NUMBER, start, end, value)

    def _follows_value(self, start: int) -> bool:
        if not self._tokens:
            return False
        last = self._tokens[-1]
        touches = last.end == start + self._shift
        return touches and (last.kind in (NAME, TEXT) or last.text in _CLOSERS)

    def _literal_text(self, start: int, end: int) -> None:
        last = self._tokens[-1] if self._tokens else None
        touches = last is not None and last.end == start + self._shift
        if last is not None and touches and last.kind in (NAME, TEXT):
            self._refuse_prefixed(last, start, end)
        value = self._text[start + 1 : end - 1]
        if "\\" in value:
            value = _ESCAPE.sub(lambda match: self._unescaped(match, start + 1), value)
        self._add(TEXT, start, end, value)

    def _refuse_prefixed(self, last: Token, start: int, end: int) -> None:
        if last.kind == TEXT:
            triple = last.value == "" and last.text[0] == self._text[start]
            message = (
                "strings in triple quotes are not available: write \\n for a new line"
                if triple
                else "two strings follow each other: write + between them"
            )
        elif last.text.lower() in ("f", "rf", "fr", "t"):
            message = "f-strings are not available: join strings with + and str(…)"
        elif last.text.lower() in ("b", "br", "rb"):
            message = "bytes are not available: JSON has only strings"
        elif last.text.lower() in ("r", "u"):
            message = f"strings have no prefix {last.text!r}: write \\\\ for a backslash"
        else:
            return
        raise self._fault(message, last.offset - self._shift, end)

    def _unescaped(self, match: re.Match[str], start: int) -> str:
        place = start + match.start(), start + match.end()
        digits = match[1] or match[2] or match[3]
        if digits is None:
            character = _ESCAPED.get(match[4])
            if character is None:
                raise self._unknown_escape(match[4], place)
            return character
        code = int(digits, 16)
        if code > 0x10FFFF:
            raise self._fault(f"there is no character {digits}: the last is 0010FFFF", *place)
        if 0xD800 <= code <= 0xDFFF:
            raise self._fault(
                "this is half of a surrogate pair: write the character itself, or \\U and its "
                "8 digits",
                *place,
            )
        return chr(code)

    def _unknown_escape(self, letter: str, place: tuple[int, int]) -> ExpressionError:
        if letter in "xuU":
            wanted = {"x": 2, "u": 4, "U": 8}[letter]
            return self._fault(f"'\\{letter}' needs {wanted} hexadecimal digits", *place)
        written = letter if letter.isprintable() else f"U+{ord(letter):04X}"
        return self._fault(f"unknown escape '\\{written}': write a backslash as '\\\\'", *place)
