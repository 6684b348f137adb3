"""Random expressions: of the grammar, with faults in them, and of nothing but hostile pieces.

Everything follows from a seed, and nothing but this file decides it.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

NUMBERS: Final = (
    *("0", "1", "2", "-1", "7", "10", "0.5", "1.5", "2e3", ".25", "1e-9", "100000", "99999"),
    *("9223372036854775807", "9223372036854775808", "1e308", "1e309", "9" * 400, "-0.0", "1_0"),
    *("0x10", "1j", "007", "0.0", "1e-400", "4611686018427387904"),
)
TEXTS: Final = (
    *("''", "'a'", '"b"', "'key'", "'k'", "'1'", "'1.5'", "'nan'", "'-9'", "'é}'", r"'\n\x41'"),
    *(r"'\ud800'", r"'\U0001F600'", "'${x}'", "'__class__'", "'{0.__class__}'", "'%s'", "'😀'"),
    *("'\u202e'", "'\u0301'", "'" + "a" * 200 + "'", "'items'", r"'\N{DASH}'", "f'{word}'", "b'a'"),
)
NAMES: Final = (
    *("i", "half", "word", "items", "none", "d", "rows", "big", "long", "deep", "huge", "nan", "x"),
    *("wide", "loop", "item", "inputs", "prev", "true", "false", "null", "True", "None"),
    *("__class__", "__import__", "__builtins__", "object", "wοrd", "ｄ", "ﬁ", "größe", "i٣", "_"),
)
KEYS: Final = (
    *("k", "key", "items", "keys", "values", "get", "__class__", "__dict__", "__init__", "real"),
    *("append", "format", "__globals__", "__getattribute__", "a", "n", "größe", "ｋ"),
)
FUNCTIONS: Final = (
    *("len", "min", "max", "sum", "range", "abs", "round", "str", "int", "float", "sorted", "keys"),
    *("join", "join", "len", "eval", "exec", "getattr", "__import__", "open", "type", "ｌｅｎ"),
)
OPERATORS: Final = (
    *("+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "in", "not in", "and", "or"),
    *("**", "<<", "is", "|", "@", ":=", "if", "else", "."),
)
_MARKS: Final = (
    "( ) [ ] { } , : . + - * / // % ** < <= > >= == != = := in not and or if else is for "
    "lambda yield await import ; ... ! ? & | ~ ^ @ -> => ${ $${ } $ # \\ ' \" ` :: ?? []"
)
PIECES: Final = (
    *_MARKS.split(),
    *("\x00", "\n", "\t", " ", "\u00a0", "\u2028", "\u200b", "\ufeff", "é", "²", "٣", "😀"),
    *("\u0301", "\ud800", "\x7f", "\x1b[31m", "()", "{}", "[0]", "[-1]", "[i]", ".k", "['k']"),
    *(NAMES[:10] + KEYS[:4] + FUNCTIONS[:6]),
)

#: Expressions by kind (number, text, list, boolean): without parts, and forms with parts.
_LEAF_TEXTS: Final = {
    "n": "0 | 1 | -7 | 0.5 | 1e3 | i | half | d.k | d['key'][0] | items[-1] | rows[0].n",
    "t": "'' | 'a' | \"b\" | word | inputs.k | d.keys | '\\n' | 'größe' | '1'",
    "l": "[] | items | none | [1, 2] | d.key | range(3) | rows[0].a",
    "b": "true | False | 'k' in d | prev == null | 1 < 2 < 3",
}
_FORM_TEXTS: Final = {
    "n": "·n· + ·n· | ·n· - ·n· | (·n· * ·n·) | ·n· / ·n· | ·n· // ·n· | ·n· % ·n· | -(·n·) | "
    "len(·l·) | len(·t·) | sum(·l·) | abs(·n·) | int(·n·) | float(·n·) | round(·n·, 2) | "
    "max(·n·, ·n·) | min(·l· + [1]) | (·n· if ·b· else ·n·) | (·l· + [1])[0] | {'a': ·n·}.a",
    "t": "·t· + ·t· | ·t· * 3 | str(·n·) | str(·l·) | join(·l·, ·t·) | (·t· if ·b· else ·t·) | "
    "keys({·t·: ·n·})[0] | [·t·][0] | max(·t·, ·t·)",
    "l": "·l· + ·l· | ·l· * 2 | [·n·, ·n·] | sorted(·l·) | range(int(·n·)) | [·n·] | "
    "(·l· if ·b· else ·l·) | range(0, 9, 2)",
    "b": "not (·b·) | (·b· and ·b·) | (·b· or ·b·) | ·n· < ·n· | ·n· == ·n· | ·t· in ·t· | "
    "·n· in ·l· | ·l· != ·l· | ·t· >= ·t· | (·b· if ·b· else ·b·)",
}
LEAVES: Final = {kind: written.split(" | ") for kind, written in _LEAF_TEXTS.items()}
FORMS: Final = {
    kind: [form.split("·") for form in written.split(" | ")]
    for kind, written in _FORM_TEXTS.items()
}


class Generator:
    """Writes expressions; ``template`` texts hold several of them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def text(self) -> tuple[str, bool]:
        """Return a text, and whether it is a template."""
        chance = self._random.random()
        if chance < 0.3:
            text = self._of_kind(self._pick("ntlb"), self._random.randint(1, 5))
        elif chance < 0.55:
            text = self._expression(self._random.randint(0, 5))
        elif chance < 0.82:
            text = self._mutated(self._expression(self._random.randint(0, 4)))
        elif chance < 0.97:
            text = self._pieces()
        else:
            text = self._long()
        if self._random.random() < 0.3:
            return self._template(text), True
        return text, False

    def _pick(self, choices: Any) -> Any:
        return choices[int(self._random.random() * len(choices))]

    def _expression(self, depth: int) -> str:
        if depth <= 0 or self._random.random() < 0.1:
            return str(self._pick(self._pick((NUMBERS, TEXTS, NAMES[:13], NAMES[:13], NAMES))))
        inner = self._expression
        kind = self._random.randrange(13)
        if kind < 4:
            return f"{inner(depth - 1)} {self._operator()} {inner(depth - 1)}"
        if kind == 4:
            return f"({inner(depth - 1)})"
        if kind == 5:
            return f"[{self._listed(depth)}]"
        if kind == 6:
            entries = (
                f"{self._pick(TEXTS)}: {inner(depth - 2)}" for _ in range(self._random.randrange(3))
            )
            return f"{{{', '.join(entries)}}}"
        if kind == 7:
            return f"{inner(depth - 1)} if {inner(depth - 2)} else {inner(depth - 2)}"
        if kind == 8:
            return f"{self._pick(('-', '+', 'not ', '- -', 'not not '))}{inner(depth - 1)}"
        if kind == 9:
            return f"{self._value(depth)}.{self._pick(KEYS)}"
        if kind == 10:
            return f"{self._value(depth)}[{inner(depth - 2)}]"
        name = self._pick(FUNCTIONS[:15] if self._random.random() < 0.95 else FUNCTIONS)
        return f"{name}({self._listed(depth)})"

    def _of_kind(self, kind: str, depth: int) -> str:
        """Return a number, a text, a list of numbers or a boolean, which most often has a value."""
        if depth <= 0:
            return str(self._pick(LEAVES[kind]))
        form = self._pick(FORMS[kind])
        return "".join(self._of_kind(each, depth - 1) if each in LEAVES else each for each in form)

    def _operator(self) -> str:
        return str(self._pick(OPERATORS[:16] if self._random.random() < 0.97 else OPERATORS))

    def _value(self, depth: int) -> str:
        if self._random.random() < 0.7:
            return str(self._pick(NAMES))
        return f"({self._expression(depth - 2)})"

    def _listed(self, depth: int) -> str:
        count = self._pick((0, 1, 1, 1, 2, 2, 3))
        return ", ".join(self._expression(depth - 1) for _ in range(count))

    def _mutated(self, text: str) -> str:
        for _ in range(self._random.randint(1, 3)):
            start = self._random.randint(0, len(text))
            end = min(len(text), start + self._random.choice((0, 0, 1, 1, 3, 9)))
            change = self._random.randrange(5)
            piece = self._pick(PIECES)
            if change == 1:
                piece = chr(
                    self._pick((self._random.randrange(0x250), self._random.randrange(0x110000)))
                )
            elif change == 2:
                piece = ""
            elif change == 3:
                piece = text[start:end] * self._random.choice((2, 3, 40))
            elif change == 4:
                piece = self._expression(1)
            text = text[:start] + piece + text[end:]
        return text

    def _pieces(self) -> str:
        between = self._pick(("", " ", " "))
        return str(between.join(self._pick(PIECES) for _ in range(self._random.randrange(20))))

    def _long(self) -> str:
        count = self._random.choice((10, 33, 100, 400, 1_500))
        one = self._expression(1)
        return str(
            self._pick(
                (
                    "(" * count + one + ")" * count,
                    "[" * count + one + "]" * count,
                    f"{self._pick(FUNCTIONS)}(" * count + one + ")" * count,
                    one + f" {self._pick(OPERATORS)} {self._expression(1)}" * count,
                    one + f".{self._pick(KEYS)}" * count,
                    one + f"[{self._expression(1)}]" * count,
                    self._pick(("not ", "-", "+", "- ")) * count + one,
                    f"{one} if {self._expression(1)} else " * count + one,
                    "'" + self._pick(PIECES) * count + "'",
                    f"[{', '.join([one] * count)}]",
                    one * count,
                )
            )
        )

    def _template(self, text: str) -> str:
        before = "".join(self._pick(PIECES) for _ in range(self._random.randrange(3)))
        after = self._pick(("", "", " ", f" ${{{self._expression(1)}}}", "$", "${", "}", "$${x}"))
        return self._pick((f"${{{text}}}", f"{before}${{{text}}}{after}", f"{before}{text}{after}"))
