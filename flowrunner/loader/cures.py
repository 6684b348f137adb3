"""What to write instead of a value that cannot stand where it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from flowrunner.duration import (
    MOST_SECONDS,
    read_clock,
    read_duration,
    read_iso_duration,
    written_duration,
)
from flowrunner.loader.language import STEPS
from flowrunner.loader.shape_cures import shape_cure

__all__ = ["cure_of", "name_cure"]

#: What a key's value looks like.
_EXAMPLES: Final = {
    **{key: words.example for key, words in STEPS.items() if words.example},
    "args": "write a list: [VALUE]",
    "kwargs": "write names and values: {NAME: VALUE}",
    "inputs": "write names and values: {NAME: DEFAULT}",
    "defaults": "write task names and keys: {TASK: {queue: NAME}}",
    "immutable": "write true or false",
    "retry": "write retry: 3, or retry: {max: 3, delay: 1}",
    "required": "list the required keys of a mapping; to require an input, omit 'default'",
    "needs": "write a list of names: [NAME]",
    "with": "write names and values: {NAME: VALUE}",
    "outputs": "write names and values: {NAME: '${prev}'}",
    "env": "write a list of names: [NAME]",
    "only": "write a list of names: [ConnectionError]",
    "never": "write a list of names: [ValueError]",
    "over": "write a list, or an expression that gives one: ${inputs.rows}",
}

#: What types are called elsewhere.
_TYPES: Final = {
    **dict.fromkeys(("int", "long", "Integer"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "Number"), "number"),
    **dict.fromkeys(("str", "text", "String"), "string"),
    **dict.fromkeys(("bool", "Boolean"), "boolean"),
    **dict.fromkeys(("list", "tuple", "sequence", "List"), "array"),
    **dict.fromkeys(("dict", "map", "mapping"), "object"),
    **dict.fromkeys(("none", "None", "nil"), "null"),
}

#: Keywords that leave open only how much, which their message says.
_SAY_ALL: Final = ("minimum", "maximum", "exclusiveMinimum", "enum", "const")

_LISTS_OF_NAMES: Final = ("needs", "env", "only", "never")
#: Keys whose values are expressions as well; 'when' alone is one without ${ and }.
_TAKE_EXPRESSIONS: Final = (
    *("each", "over", "times", "size", "max_parallel", "tolerate", "retry"),
    *("max", "delay", "backoff", "cap", "priority", "countdown", "time_limit", "soft_time_limit"),
    *("headers", "timeout"),
)
_SECONDS: Final = ("delay", "cap", "countdown", "time_limit", "soft_time_limit", "timeout")
_BARE_EXPRESSION: Final = re.compile(r"(?:inputs|prev|item|env)\b[\w.\[\]' ]{0,80}|\w+\(.{0,80}\)")
_NUMBER: Final = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")


def cure_of(key: str, value: Any, keyword: str = "") -> str:
    """Return what to write instead of a key's value, which this keyword of the schema refuses.

    It is empty where the message has said all that is known.
    """
    special = _SPECIAL.get(key)
    cure = (special(value) if special is not None else "") or _cure_of_text(key, value)
    cure = cure or shape_cure(key, value)
    return cure or ("" if keyword in _SAY_ALL else _EXAMPLES.get(key, ""))


def _cure_of_text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        return ""
    if key in _LISTS_OF_NAMES and "${" not in value and len(value) < 60:
        names = ", ".join(re.findall(r"[\w.]+", value, re.ASCII))
        return f"write a list of names: [{names}]" if names else ""
    if key == "timeout" and "${" in value:
        return "write a duration without an expression: 30 or 5m"
    if key in _SECONDS and not _NUMBER.fullmatch(value) and re.search(r"\d", value):
        found = _duration(value)
        if found:
            return found
    if key in _TAKE_EXPRESSIONS:
        if _NUMBER.fullmatch(value):
            return f"write it without quotes: {value}"
        if key != "timeout" and _BARE_EXPRESSION.fullmatch(value):
            return f"write ${{{value}}}"
    return ""


def _duration(text: str) -> str:
    clock = read_clock(text)
    if clock is not None:
        return f"write {written_duration(clock)}"
    found = read_iso_duration(text) or read_duration(text)
    if found is not None and 0 < found <= MOST_SECONDS:
        return f"write {written_duration(found)}"
    return "" if _BARE_EXPRESSION.fullmatch(text) else "use the units ms, s, m, h, d and w"


def _each(value: Any) -> str:
    if isinstance(value, dict):
        if "do" in value:
            return "write only the list in 'each', and 'do' and 'as' beside it"
        return "to run a step for each of its keys, write ${keys(…)}"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return f"to count, write ${{range({value})}}"
    return ""


def _tolerate(value: Any) -> str:
    if isinstance(value, float) and 0 < value < 1:
        return f"write {value * 100:.4g}%"
    if not isinstance(value, str):
        return ""
    per_cent = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)\s*(?:%|per ?cent)", value, re.ASCII)
    if per_cent is None:
        return "to tolerate every failure, write 100%" if value == "all" else ""
    if float(per_cent[1]) > 100:
        return "write at most 100%"
    return f"write {per_cent[1]}%, without a space"


def _jitter(value: Any) -> str:
    if value is True:
        return "write full"
    return "write none, or remove the key" if value in (False, None) else ""


def _when(value: Any) -> str:
    if isinstance(value, (int, float)):
        return f"write a comparison: prev == {value}"
    return ""


def _jsontype(value: Any) -> str:
    own = _TYPES.get(value) if isinstance(value, str) else None
    return f"write {own}" if own else ""


_SPECIAL: Final[dict[str, Callable[[Any], str]]] = {
    "each": _each,
    "tolerate": _tolerate,
    "jitter": _jitter,
    "when": _when,
    "type": _jsontype,
}


def name_cure(text: str, *, of_variable: bool = False) -> str:
    """Return a name like a text that is none; one of the environment cannot be another."""
    if of_variable:
        bare = text.strip("${} ")
        return f"write {bare}" if re.fullmatch(r"[A-Za-z_]\w*", bare, re.ASCII) else ""
    words = re.findall(r"\w+", text, re.ASCII)
    if not words or len(text) > 60:
        return ""
    name = "_".join(words)
    return f"write {name if not name[0].isdigit() else f'_{name}'}"
