"""How many bytes Celery and kombu make of a call, without importing either.

Message protocol 2 in JSON (``celery/app/amqp.py``, ``as_task_v2``; ``celery/canvas.py``), as
kombu's Redis transport pushes it: a JSON text whose body is base64. What tasks give each other
is not known before a run: each result counts as ``null``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from flowrunner.plan import Call, Deferred, Secret

__all__ = [
    "CHAIN",
    "CHORD",
    "NULL",
    "RESULT",
    "SEPARATOR",
    "UUID",
    "Given",
    "call_size",
    "in_base64",
    "message_size",
    "options_size",
    "results",
    "wrapped",
]

#: Stands for the id of a task or a group: they are all of one length.
UUID: Final = "0" * 36
NULL: Final = len("null")
#: Between the items of a list.
SEPARATOR: Final = len(", ")
#: Celery cuts ``argsrepr`` and ``kwargsrepr`` to this (``amqp.argsrepr_maxsize``).
LONGEST_REPR: Final = 1024
#: Who sends a message, ``gen{process}@{host}``: here of a usual length, so that a plan costs the
#: same wherever it is made.
ORIGIN: Final = "gen00000@000000000000"
#: The queue of a call that names none (``task_default_queue``).
DEFAULT_QUEUE: Final = "celery"


class Given(Struct, frozen=True):
    """A previous result: its size as JSON, and how Python shows it."""

    size: int
    text: str


#: What a task returned.
RESULT: Final = Given(NULL, "None")


def results(count: int) -> Given:
    """Return a list of what so many tasks returned."""
    size = len("[]") + count * (NULL + SEPARATOR) - (SEPARATOR if count else 0)
    return Given(size, repr([None] * min(count, LONGEST_REPR)))


def _written(value: Any) -> Any:
    """Return what stands for a value that is not known: the text of it, else null."""
    return value.text if isinstance(value, (Deferred, Secret)) else None


# What a plan that is only checked does not know, its inputs, counts as null.
_text: Final = json.JSONEncoder(default=_written).encode


def wrapped(given: Given) -> Given:
    """Return a list of one such result."""
    return Given(len("[]") + given.size, f"[{_cut(given.text)}]")


def _size(value: Any) -> int:
    return len(_text(value)) if value or not isinstance(value, (list, dict)) else len("[]")


def _text_size(text: str) -> int:
    # Most texts are written as they are; JSON's encoder takes ten times as long.
    plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
    return len(text) + len('""') if plain else _size(text)


def _signature(task: str, kind: str | None = None, **parts: Any) -> dict[str, Any]:
    return {
        "task": task,
        "args": [],
        "kwargs": {},
        "options": {},
        "subtask_type": kind,
        "immutable": False,
        **parts,
    }


_GROUP: Final = _signature(
    "celery.group",
    "group",
    kwargs={"tasks": []},
    options={"task_id": UUID, "root_id": None, "parent_id": None},
)
#: A call that waits, without its name and its arguments.
_CALL: Final = _size(
    _signature("", args=0, kwargs=0, options={"task_id": UUID, "reply_to": UUID}, immutable=True)
) - len('""00')
#: What an id takes in place of ``null``.
_IDENTIFIED: Final = len(f'"{UUID}"') - NULL
#: A message's body without its arguments, its chain and its chord.
_EMBEDDED: Final = len('[, , {"callbacks": null, "errbacks": null, "chain": , "chord": }]')
#: A chord that waits in a chain, without its header's members and its body.
CHORD: Final = _size(
    _signature(
        "celery.chord",
        "chord",
        kwargs={"kwargs": {}, "header": _GROUP, "body": ""},
        options={"task_id": UUID},
    )
) - len('""')
#: A chain that waits in a header, without its steps.
CHAIN: Final = _size(
    _signature("celery.chain", "chain", kwargs={"tasks": []}, options={"task_id": UUID})
)


def options_size(**options: Any) -> int:
    """Return what more options add to a signature's, in bytes."""
    return _size(options) - len("{}") + SEPARATOR


def call_size(call: Call) -> int:
    """Return the size of a call where it waits in another call's message, in bytes."""
    size = _CALL + _text_size(_name(call)) + sum(map(_size, _arguments(call)))
    if call.options:
        size += options_size(**call.options)
    return size + (0 if call.immutable else len("false") - len("true"))


def message_size(
    call: Call,
    given: Given | None,
    *,
    chain: int,
    chord: int = NULL,
    in_group: bool = False,
    group_index: int | None = None,
    in_worker: bool,
) -> int:
    """Return the size of a call's own message, in bytes.

    ``given`` is the previous result.
    ``chain`` and ``chord`` are the sizes of what it carries there. ``in_group`` says that it
    names a group: that of its header, where it has the number ``group_index``, or that whose
    results it joins. ``in_worker`` says that a worker publishes it, on behalf of a task.
    """
    args, kwargs = _arguments(call)
    if call.immutable:
        given = None
    body = _EMBEDDED + _size(args) + _size(kwargs) + chain + chord
    if given is not None:
        body += given.size + (SEPARATOR if args else 0)
    options = _text(call.options) if call.options else "{}"
    size = _envelope_size(_name(call), options) + in_base64(body)
    size += _text_size(_arguments_text(args, given)) + _text_size(_cut(repr(kwargs)))
    if in_group:
        size += _IDENTIFIED
    if group_index is not None:
        size += _size(group_index) - NULL
    if in_worker:
        size += _IDENTIFIED  # its parent's id
    return size


@lru_cache(maxsize=1024)
def _envelope_size(task: str, options_text: str) -> int:
    """Return the size of a message that says nothing yet: no body, no arguments, no group."""
    options = json.loads(options_text)
    headers = {
        **(options.get("headers") or {}),
        "lang": "py",
        "task": task,
        "id": UUID,
        "shadow": None,
        "eta": "2026-01-01T00:00:00.000000+00:00" if options.get("countdown") else None,
        "expires": None,
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [options.get("time_limit"), options.get("soft_time_limit")],
        "root_id": UUID,
        "parent_id": None,
        "argsrepr": 0,
        "kwargsrepr": 0,
        "origin": ORIGIN,
        "ignore_result": False,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }
    queue = options.get("routing_key") or options.get("queue") or DEFAULT_QUEUE
    properties = {
        "correlation_id": UUID,
        "reply_to": UUID,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": options.get("priority", 0),
        "body_encoding": "base64",
        "delivery_tag": UUID,
    }
    message = {
        "body": "",
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
    return _size(message) - len("00")


def in_base64(size: int) -> int:
    """Return the size of that many bytes in a message's body."""
    return 4 * -(-size // 3)


def _arguments_text(args: list[Any], given: Given | None) -> str:
    texts = [] if given is None else [given.text]
    texts += map(repr, args)
    return _cut(f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_REPR else f"{text[:LONGEST_REPR]}..."


def _arguments(call: Call) -> tuple[list[Any], dict[str, Any]]:
    if call.kind in ("map", "starmap"):
        return [], {"task": _signature(call.task), "it": list(call.args)}
    return list(call.args), dict(call.kwargs)


def _name(call: Call) -> str:
    return f"celery.{call.kind}" if call.kind in ("map", "starmap") else call.task
