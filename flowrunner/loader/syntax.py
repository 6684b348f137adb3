"""What is wrong with a text that is not YAML, in words that help."""

from __future__ import annotations

import re
from typing import Any, Final

from flowrunner.errors import Diagnostic
from flowrunner.source import Location, Source

__all__ = ["explain_syntax_error"]

#: What YAML 1.2 (section 5.1) does not let stand in a text.
_NOT_PRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_ANGLE_BRACKETS: Final = re.compile(r"^(\s*(?:- )?[^\s#][^:#]*:\s+)<(.+)>\s*$")
_BARE_EXPRESSION: Final = re.compile(r"(?<![\"'])\$\{")
_INDENTATION: Final = "check the indentation of the line"

#: libyaml's words, and PyYAML's own, to a message and a cure.
_PROBLEMS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "mapping values are not allowed",
        "a ':' is not allowed here",
        "quote a string that contains ': ', or begin the inner keys on a new line",
    ),
    (
        "character that cannot start any token",
        "a string cannot begin with this character",
        "quote it",
    ),
    ("did not find expected key", "a 'key: value' was expected here", _INDENTATION),
    ("expected <block end>", "a 'key: value' was expected here", _INDENTATION),
    ("did not find expected '-'", "an item of a list was expected here", _INDENTATION),
    ("could not find expected ':'", "a ':' is missing after this key", "write key: value"),
    ("unexpected end of stream", "a closing quote is missing", "the string begins here"),
    ("while scanning a quoted scalar", "a closing quote is missing", "the string begins here"),
    (
        "unknown escape character",
        "unknown escape sequence",
        "write '…': there, a \\ is an ordinary character",
    ),
    ("did not find expected ',' or ']'", "a ',' or the closing ']' is missing", ""),
    ("expected ',' or ']'", "a ',' or the closing ']' is missing", ""),
    ("did not find expected ',' or '}'", "a ',' or the closing '}' is missing", ""),
    ("expected ',' or '}'", "a ',' or the closing '}' is missing", ""),
    ("did not find expected node content", "a value is missing or not allowed here", ""),
    ("block sequence entries are not allowed", "a list cannot begin here", ""),
    ("did not find expected alphabetic", "a name is missing after & or *", "quote the string"),
    ("found undefined tag handle", "unknown tag", "quote a string that begins with !"),
    ("did not find expected <document start>", "the file continues after its end", ""),
    ("exceeded maximum nesting depth", "values are nested too deeply", ""),
    ("found duplicate", "duplicate directive", ""),
)


def _explain_character(source: Source, text: str, offset: int) -> Diagnostic | None:
    found = _NOT_PRINTABLE.search(text)
    if found is None:
        return None
    start = found.start() + offset
    return Diagnostic(
        f"the character U+{ord(found[0]):04X} is not allowed in YAML",
        Location(source, start, start + 1),
        "remove it, or write it as an escape inside double quotes",
    )


def explain_syntax_error(error: Any, source: Source, text: str, offset: int) -> Diagnostic:
    """Return the diagnostic of what PyYAML raised for ``text``, a part of ``source``."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = min(mark.index, len(text)) if mark is not None else 0
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    context = str(getattr(error, "context", None) or "")
    begin = getattr(error, "context_mark", None)
    return (
        _explain_character(source, text, offset)
        or _explain_angle_brackets(source, text, index, offset)
        or _explain_tab(source, text, index, offset)
        or _explain_bare_expression(source, text, index, offset)
        or _explain_problem(source, problem, context, index + offset, begin, offset)
    )


def _line_around(text: str, index: int) -> tuple[int, str]:
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    return start, text[start : end if end >= 0 else len(text)]


def _explain_angle_brackets(
    source: Source, text: str, index: int, offset: int
) -> Diagnostic | None:
    start, line = _line_around(text, index)
    found = _ANGLE_BRACKETS.match(line.rstrip("\r"))
    if found is None:
        return None
    begin, end = start + found.end(1), start + found.end(2) + 1
    return Diagnostic(
        "a mapping on one line needs braces",
        Location(source, begin + offset, end + offset),
        f"write {{{found[2].strip()}}}",
    )


def _explain_tab(source: Source, text: str, index: int, offset: int) -> Diagnostic | None:
    start, line = _line_around(text, index)
    blanks = line[: len(line) - len(line.lstrip())]
    if "\t" not in blanks:
        return None
    place = start + blanks.index("\t") + offset
    return Diagnostic(
        "a tab cannot indent a line",
        Location(source, place, place + 1),
        "indent with spaces",
    )


def _explain_bare_expression(
    source: Source, text: str, index: int, offset: int
) -> Diagnostic | None:
    """Inside ``[ ]`` and ``{ }`` the braces of ``${…}`` would be YAML's own."""
    start, line = _line_around(text, index)
    candidates = [
        found for found in _BARE_EXPRESSION.finditer(line) if start + found.start() <= index
    ]
    if not candidates or not re.search(r"[\[{]", line[: candidates[-1].start()]):
        return None
    begin = candidates[-1].start()
    end = line.find("}", begin) + 1 or len(line)
    written = line[begin:end]
    return Diagnostic(
        "an expression inside [ ] or { } needs quotes",
        Location(source, start + begin + offset, start + end + offset),
        f'write "{written}"',
    )


def _explain_problem(
    source: Source, problem: str, context: str, place: int, begin: Any, offset: int
) -> Diagnostic:
    said = f"{context} {problem}"
    known = (words for words in _PROBLEMS if words[0] in said)
    _, message, cure = next(known, ("", "this is not YAML", problem))
    if cure == "the string begins here" and begin is not None:
        place = begin.index + offset
    notes: tuple[str, ...] = ()
    if begin is not None and begin.index + offset != place:
        line, _ = source.position(begin.index + offset)
        notes = (f"it belongs to the block that begins in line {line}",)
    return Diagnostic(message, Location(source, place, place + 1), cure, notes)
