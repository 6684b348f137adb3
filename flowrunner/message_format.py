"""Celery's message format (protocol 2), its signatures and their sizes, as flowrunner needs them.

Nothing here imports Celery. Sizes are in bytes, as kombu's Redis transport writes a message: a
JSON text whose body is base64. ``tests/test_message_sizes.py`` measures them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

__all__ = [
    "ACCUMULATE",
    "CHAIN_SIZE",
    "CHORD_BODY_SIZE",
    "CHORD_SIZE",
    "LAST_OF_MEMBER_SIZE",
    "LONGEST_REPR",
    "MEMBER_SIZE",
    "MESSAGE_SIZE",
    "PARENT_ID_SIZE",
    "PROTOCOL_HEADERS",
    "ROOT_ID_SIZE",
    "SIGNATURE_SIZE",
    "base64_size",
    "is_builtin_task",
    "map_arguments",
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

#: A message of a header's member, without its task's name, arguments, options, chain and chord.
MESSAGE_SIZE: Final = 946
#: The id of the parent, in a message that a task publishes.
PARENT_ID_SIZE: Final = 34
#: A signature in a chain, without its task's name, arguments and options.
SIGNATURE_SIZE: Final = 192
#: The id of the run's first task, in each signature of a chord that a task publishes.
ROOT_ID_SIZE: Final = 51
#: A chord in a chain, without the signatures of its members and its body.
CHORD_SIZE: Final = 397
#: A chain in a header, without its signatures.
CHAIN_SIZE: Final = 170
#: The options of a header's member.
MEMBER_SIZE: Final = 18
#: The options of the last signature of a chain in a header, without the chord's body.
LAST_OF_MEMBER_SIZE: Final = 81
#: The options of a chord's body in the message of a member: from 45 to 80.
CHORD_BODY_SIZE: Final = 75
#: The characters to which Celery cuts ``argsrepr`` and ``kwargsrepr`` (``amqp.argsrepr_maxsize``).
LONGEST_REPR: Final = 1024


def is_builtin_task(name: str) -> bool:
    """Tell whether a task is one of Celery's own, which every worker knows."""
    return name.startswith("celery.")


def message_task(kind: str, task: str) -> str:
    """Return the task that a call's message names: ``map`` and ``starmap`` are tasks themselves."""
    return f"celery.{kind}" if kind in ("map", "starmap") else task


def map_arguments(task: str, items: Any) -> dict[str, Any]:
    """Return the keyword arguments of ``map`` or ``starmap`` over items."""
    signature = {"task": task, "args": [], "kwargs": {}, "options": {}}
    return {"task": {**signature, "subtask_type": None, "immutable": False}, "it": items}


def base64_size(size: int) -> int:
    """Return the bytes that ``size`` bytes of JSON take in a message's body, as base64."""
    return 4 * -(-size // 3)


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
