"""What a result backend has kept of a task: read, and found out where it is no JSON.

flowrunner's own workers check what a task returns. Plain workers do not: their JSON writes
``NaN`` as it is, and a date as a mapping that the next task gets a date from. What they have
stored tells; what they have made a text of without a trace (keys of another kind) does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from celery import states
from celery.backends.base import decompress_payload

from flowrunner.raised import message_of
from flowrunner.values import NotJSONError, require_json

__all__ = ["read_meta", "retries_of", "stored_values"]

#: What the JSON of a value has in it that is not JSON's own, and of some that are: numbers that
#: are none, Celery's mark of a type, halves of pairs of surrogates.
_SUSPICIOUS: Final = (b"NaN", b"Infinity", b'"__type__"', b"\\ud")


def stored_values(backend: Any, keys: Sequence[Any]) -> list[Any]:
    """Return what a result backend has under these keys, in their order; ``None`` for nothing."""
    found = backend.mget(keys)
    if not isinstance(found, Mapping):
        return list(found)
    # Memcached returns only the keys that it has, as bytes or as strings.
    return [found.get(key, found.get(_other_type(key))) for key in keys]


def _other_type(key: Any) -> Any:
    return key.decode() if isinstance(key, bytes) else key.encode()


def read_meta(backend: Any, payload: Any) -> dict[str, Any]:
    """Return what a backend has kept of a task: its ``status``, its ``result``, …

    A result that is not JSON makes a failure of a success, marked as ``passed_on``: the worker
    has queued what comes next by then.
    """
    payload = decompress_payload(payload)
    try:
        meta: dict[str, Any] = backend.decode(payload)
    except Exception as error:
        return _unreadable(payload, error)
    if meta["status"] == states.SUCCESS and _is_suspicious(payload):
        try:
            require_json(meta["result"])
        except NotJSONError as error:
            return _failed(meta, error)
    return meta


def retries_of(meta: Mapping[str, Any]) -> int | None:
    """Return how often Celery has retried a task, with the retry that is due, where it is kept."""
    retries = meta.get("retries")
    if not isinstance(retries, int):
        return None
    return retries + 1 if meta["status"] == states.RETRY else retries


def _is_suspicious(payload: Any) -> bool:
    # A look through the bytes: to walk the value would take a second for some megabytes.
    stored = payload.encode() if isinstance(payload, str) else payload
    return any(mark in stored for mark in _SUSPICIOUS)


def _unreadable(payload: Any, error: Exception) -> dict[str, Any]:
    """Return the failure of a task whose result cannot be read, saying why where that shows."""
    try:
        meta: dict[str, Any] = json.loads(payload, parse_int=str)
        require_json(meta["result"])
    except NotJSONError as found:
        return _failed(meta, found)
    except Exception:
        meta = {}
    return _failed(meta, NotJSONError(f"the result cannot be read: {message_of(error)}"))


def _failed(meta: dict[str, Any], error: NotJSONError) -> dict[str, Any]:
    kept = {"exc_type": type(error).__name__, "exc_message": [str(error)]}
    return {**meta, "status": states.FAILURE, "result": kept, "traceback": "", "passed_on": True}
