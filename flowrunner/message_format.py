"""Celery's message format (protocol 2) and its signatures, as far as flowrunner reads them.

``planner/message_size.py`` has their sizes. Nothing here imports Celery.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

__all__ = [
    "ACCUMULATE",
    "PROTOCOL_HEADERS",
    "is_builtin_task",
    "message_task",
    "signatures_in",
    "task_ids_in",
]

#: The task of Celery's that returns its arguments as a list, or one of them.
ACCUMULATE: Final = "celery.accumulate"
#: Celery's own headers of a message; ``compression`` and ``delivery_mode`` are kombu's.
PROTOCOL_HEADERS: Final = frozenset(
    {
        *("lang", "task", "id", "root_id", "parent_id", "group", "group_index", "shadow", "eta"),
        *("expires", "retries", "timelimit", "argsrepr", "kwargsrepr", "origin", "ignore_result"),
        *("replaced_task_nesting", "stamped_headers", "stamps", "compression", "delivery_mode"),
    }
)
#: A stored message names its task in its headers; the body, in base64, holds no quotes.
_TASK_ID: Final = re.compile(rb'"id": "([0-9a-f-]{36})"')


def is_builtin_task(name: str) -> bool:
    """Tell whether a task is one of Celery's own, which every worker knows."""
    return name.startswith("celery.")


def message_task(kind: str, task: str) -> str:
    """Return the task that a call's message names: ``map`` and ``starmap`` are tasks themselves."""
    return f"celery.{kind}" if kind in ("map", "starmap") else task


def signatures_in(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every signature in data, at any depth: ``data`` itself, a chain's steps, a body."""
    left = [data]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "task" in value and isinstance(value.get("options"), dict):
                yield value
            left += value.values()
        elif isinstance(value, (list, tuple)):
            left += value


def task_ids_in(messages: Iterable[bytes | str]) -> Iterator[str]:
    """Yield the ids of the tasks of stored messages, as kombu writes them to Redis."""
    for message in messages:
        found = _TASK_ID.search(message.encode() if isinstance(message, str) else message)
        if found is not None:
            yield found[1].decode()
