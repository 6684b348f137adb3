"""The short form of a call: ``NAME`` or ``NAME xN``."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

__all__ = ["CallText", "explain_call", "explain_task_name", "parse_call"]

_CALL: Final = re.compile(
    r"(?P<name>[^\s(){}\[\]$]+)(?: +x(?:(?P<count>[0-9]{1,9})|(?P<expression>\$\{.*\})))?"
)
_NAME: Final = re.compile(r"[^\s(){}\[\]$]+")
#: A count that somebody wrote in another way: x-1, x1e9, x1.5, X10, *10, ×10, x 10, x10x.
_OTHER_COUNT: Final = re.compile(r"(?P<sign>[xX×*])\s*(?P<count>\S.*)?")


class CallText(Struct, frozen=True):
    """A call as written: ``count`` is a number or an expression, ``None`` when there is none.

    ``count_offset`` is where the count begins, in characters after the text's own beginning.
    """

    name: str
    count: int | str | None = None
    count_offset: int = 0


def parse_call(text: str) -> CallText | None:
    """Return the call that a text stands for, or ``None``: :func:`explain_call` says why."""
    found = _CALL.fullmatch(text)
    if found is None:
        return None
    if found["count"] is not None:
        return CallText(found["name"], int(found["count"]), found.start("count"))
    return CallText(found["name"], found["expression"], found.start("expression"))


def explain_call(text: str) -> tuple[str, str]:
    """Return a message and a cure for a text that is not a call."""
    if not text.strip():
        return "a step is missing", "write a task's name: TASK, or TASK x10"
    if "${" in text and not _NAME.match(text):
        return (
            "a task's name cannot be an expression",
            "write the name; use ${…} in the arguments",
        )
    name, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if not _NAME.fullmatch(name):
        return explain_task_name(text)
    if not rest:
        return "a call must not begin or end with a space", f"write {name}"
    count = _OTHER_COUNT.fullmatch(rest)
    if count is not None:
        return _explain_count(name, count["count"] or "")
    words = rest.split()
    arguments = ", ".join(words) if len(words) < 4 else "…"
    return (
        f"'{_short(rest)}' cannot follow a task's name",
        f"write arguments in 'args': {{task: {name}, args: [{_short(arguments)}]}}",
    )


def explain_task_name(text: str) -> tuple[str, str]:
    """Return a message and a cure for a text that is not a task's name."""
    call = parse_call(text)
    if call is not None and call.count is not None:
        return (
            "'task' takes only a name",
            f"write 'times: {call.count}' beside 'task: {call.name}'",
        )
    found = _NAME.match(text)
    if found is None:
        return "a task's name is missing", "run 'flowrunner tasks' to list the names"
    name, rest = found[0], text[found.end() :]
    if rest.startswith("("):
        arguments = rest.strip("() ") or "…"
        named = ", kwargs: {…}" if "=" in arguments else ""
        arguments = "…" if named else _short(arguments)
        return (
            f"'{_short(text)}' is not a task's name",
            f"write arguments in their own keys: {{task: {name}, args: [{arguments}]{named}}}",
        )
    return (
        f"'{_short(text)}' is not a task's name",
        f"remove spaces, brackets and '$'; did you mean '{name}'?",
    )


def _explain_count(name: str, count: str) -> tuple[str, str]:
    if re.fullmatch(r"[0-9]{1,9}", count):
        return f"'{name}' and its count must have the form NAME xN", f"write {name} x{count}"
    if re.fullmatch(r"[0-9]+", count):
        return f"{_short(count)} calls are too many", "use at most 100,000 calls in a workflow"
    wanted = "an integer from 0, for instance"
    return f"'x{_short(count)}' is not a number of calls", f"write {wanted} {name} x10"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
