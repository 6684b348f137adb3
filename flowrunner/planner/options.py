"""Celery's own options of a call, by the names that Celery users know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flowrunner.node import Node
from flowrunner.planner.problems import Problems
from flowrunner.planner.resolver import Resolver, is_unknown
from flowrunner.tasks import TaskDefinition
from flowrunner.values import shown

__all__ = ["OPTION_CHECKS", "resolve_options"]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


#: What each option takes: a test, and the words for it. The schema says the same for literals;
#: this is for what an expression has given.
OPTION_CHECKS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "queue": (lambda value: isinstance(value, str) and bool(value), "a queue's name"),
    "routing_key": (lambda value: isinstance(value, str) and bool(value), "a text"),
    "priority": (
        lambda value: _is_number(value) and isinstance(value, int) and 0 <= value <= 255,
        "a whole number from 0 to 255",
    ),
    "countdown": (lambda value: _is_number(value) and value >= 0, "seconds, 0 or more"),
    "time_limit": (lambda value: _is_number(value) and value > 0, "seconds, more than 0"),
    "soft_time_limit": (lambda value: _is_number(value) and value > 0, "seconds, more than 0"),
    "headers": (lambda value: isinstance(value, dict), "a mapping"),
}


def resolve_options(
    definition: TaskDefinition,
    written: Mapping[str, Node],
    resolver: Resolver,
    problems: Problems,
) -> dict[str, Any]:
    """Return the options of a call: the task's own beneath those that the workflow writes."""
    options = dict(definition.routing)
    for name, node in written.items():
        value = resolver.value(node)
        accepts, wanted = OPTION_CHECKS[name]
        if not is_unknown(value) and not accepts(value):
            problems.report(f"'{name}' must be {wanted}, not {shown(value)}", node.location)
        options[name] = value
    return options
