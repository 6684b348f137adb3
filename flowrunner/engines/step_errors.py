"""Why a call failed, from what Celery keeps of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from celery.utils.serialization import UnpickleableExceptionWrapper

from flowrunner.engines.messages import message_of
from flowrunner.environment import without_secrets
from flowrunner.plan import Call
from flowrunner.runs.ledger import StepError

__all__ = ["step_error"]


def step_error(
    call: Call, result: Any, trace: str | None, worker: str | None = None
) -> StepError | None:
    """Return why a call failed, from what Celery gives as its result; ``None`` for no failure.

    The result is an exception, or the mapping that a result backend keeps of one; Celery puts
    an ``UnpickleableExceptionWrapper`` in place of one that does not pickle. The values of secrets
    are replaced in it.
    """
    found = _found(call, result, trace, worker)
    if found is None:
        return None
    message, trace = without_secrets(found.message), without_secrets(found.traceback)
    return replace(found, message=message, traceback=trace)


def _found(call: Call, result: Any, trace: str | None, worker: str | None) -> StepError | None:
    if isinstance(result, UnpickleableExceptionWrapper):
        return StepError(call, result.exc_cls_name, _text(result.exc_args), trace or "", worker)
    if isinstance(result, BaseException):
        kind = getattr(result, "remote_type", type(result).__name__)
        for raised in (result, result.__cause__):
            trace = getattr(raised, "remote_traceback", trace)
        return StepError(call, kind, message_of(result), trace or "", worker)
    if isinstance(result, dict) and "exc_type" in result:
        kind, message = _stored(str(result["exc_type"]), result.get("exc_message"), trace or "")
        return StepError(call, kind, message, trace or "", worker)
    return None


def _stored(kind: str, arguments: Any, trace: str) -> tuple[str, str]:
    if kind == UnpickleableExceptionWrapper.__name__ and len(arguments) == 4:
        _, kind, arguments, _ = arguments
    message = _message_in(trace, kind)
    return kind, _text(arguments) if message is None else message


def _message_in(trace: str, kind: str) -> str | None:
    """Return what a traceback gives as the message of its last exception.

    A result backend keeps an exception's arguments only, which are not what it says:
    ``[Errno 2] No such file…`` is kept as ``(2, 'No such file…')``.
    """
    heads = list(re.finditer(rf"^(?:[\w.<>]+\.)?{re.escape(kind)}: ", trace, re.MULTILINE))
    return trace[heads[-1].end() :].rstrip() if heads else None


def _text(arguments: Any) -> str:
    """Return an exception's arguments as its message, as ``str()`` makes it of them."""
    if isinstance(arguments, (list, tuple)):
        return str(arguments[0]) if len(arguments) == 1 else str(tuple(arguments) or "")
    return str(arguments)
