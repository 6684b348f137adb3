"""Celery's own options of a call, by the names that Celery users know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flowrunner.duration import DELAY, LIMIT, MOST_SECONDS, in_seconds
from flowrunner.message_format import PROTOCOL_HEADERS
from flowrunner.node import Node
from flowrunner.planner.problems import Problems
from flowrunner.planner.resolver import Resolver
from flowrunner.planner.scope import Scope, is_unknown
from flowrunner.tasks import TaskDefinition
from flowrunner.values import shown

__all__ = ["OPTION_CHECKS", "resolve_options"]


#: Options in seconds.
_DURATIONS: Final = ("countdown", "time_limit", "soft_time_limit")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


#: What each option takes: a test, and the words for it. The schema says the same for literals;
#: this is for what an expression has given.
OPTION_CHECKS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "queue": (lambda value: isinstance(value, str) and bool(value), "the name of a queue"),
    "routing_key": (lambda value: isinstance(value, str) and bool(value), "a string"),
    "priority": (
        lambda value: _is_number(value) and isinstance(value, int) and 0 <= value <= 255,
        "an integer from 0 to 255",
    ),
    "countdown": (lambda value: _is_number(value) and 0 <= value <= MOST_SECONDS, DELAY),
    "time_limit": (lambda value: _is_number(value) and 0 < value <= MOST_SECONDS, LIMIT),
    "soft_time_limit": (lambda value: _is_number(value) and 0 < value <= MOST_SECONDS, LIMIT),
    "headers": (lambda value: isinstance(value, dict), "a mapping"),
}


def resolve_options(
    definition: TaskDefinition,
    written: Mapping[str, Node],
    resolver: Resolver,
    problems: Problems,
    scope: Scope,
    names: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the options of a call: the task's own beneath those that the workflow writes.

    ``names`` holds the index of a fan-out.
    """
    options = dict(definition.routing)
    for name, node in written.items():
        value = written = resolver.known(node, scope, f"'{name}'", names)
        accepts, wanted = OPTION_CHECKS[name]
        seconds = in_seconds(value) if name in _DURATIONS and isinstance(value, str) else None
        value = value if seconds is None else seconds
        if not is_unknown(value) and not accepts(value):
            problems.report(f"'{name}' must be {wanted}, not {shown(written)}", node.location)
        options[name] = value
        if name == "headers" and isinstance(value, dict):
            for header in PROTOCOL_HEADERS.intersection(value):
                problems.report(
                    f"the header '{header}' is reserved by Celery",
                    node.location,
                    "choose another name",
                )
    return options
