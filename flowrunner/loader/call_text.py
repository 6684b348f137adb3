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
        return "a step is missing here", "write a task's name: TASK, or TASK x10"
    if "${" in text and not _NAME.match(text):
        return (
            "a task's name cannot be an expression",
            "write the name; its arguments may hold ${…}",
        )
    name, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if not _NAME.fullmatch(name):
        return explain_task_name(text)
    if not rest:
        return "a call has no blanks around it", f"write {name}"
    count = _OTHER_COUNT.fullmatch(rest)
    if count is not None:
        return _explain_count(name, count["count"] or "")
    words = rest.split()
    arguments = ", ".join(words) if len(words) < 4 else "…"
    return (
        f"'{_short(rest)}' cannot stand after a task's name",
        f"arguments go into args: {{task: {name}, args: [{_short(arguments)}]}}",
    )


def explain_task_name(text: str) -> tuple[str, str]:
    """Return a message and a cure for a text that is not a task's name."""
    call = parse_call(text)
    if call is not None and call.count is not None:
        return (
            "'task' takes a name only",
            f"write 'times: {call.count}' beside 'task: {call.name}'",
        )
    found = _NAME.match(text)
    if found is None:
        return "a task's name is missing here", "flowrunner tasks lists them"
    name, rest = found[0], text[found.end() :]
    if rest.startswith("("):
        arguments = rest.strip("() ") or "…"
        named = ", kwargs: {…}" if "=" in arguments else ""
        arguments = "…" if named else _short(arguments)
        return (
            f"'{_short(text)}' is not a task's name",
            f"arguments stand in keys of their own: {{task: {name}, args: [{arguments}]{named}}}",
        )
    return (
        f"'{_short(text)}' is not a task's name",
        f"a name has no blanks, brackets or '$'; is it '{name}'?",
    )


def _explain_count(name: str, count: str) -> tuple[str, str]:
    if re.fullmatch(r"[0-9]{1,9}", count):
        return f"'{name}' and its count need the form NAME xN", f"write {name} x{count}"
    if re.fullmatch(r"[0-9]+", count):
        return f"{_short(count)} calls are too many", "a workflow has at most 100,000 calls"
    wanted = "a whole number from 0, for instance"
    return f"'x{_short(count)}' is no number of calls", f"it must be {wanted} {name} x10"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
