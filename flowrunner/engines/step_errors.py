"""Why a call failed, from what was noted when it was raised, or from what Celery keeps of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from celery.utils.serialization import UnpickleableExceptionWrapper

from flowrunner.engines.failure_notes import kept_failure
from flowrunner.engines.task_failure import TaskFailure, failure_of
from flowrunner.environment import without_secrets
from flowrunner.plan import Call
from flowrunner.runs.step_state import StepError

__all__ = ["step_error", "stored_error"]

#: Where a traceback begins to show the exceptions of a group.
_MEMBERS: Final = re.compile(r"^ +\+-\+-", re.MULTILINE)


def step_error(
    call: Call, result: Any, trace: str | None, worker: str | None = None
) -> StepError | None:
    """Return why a call failed, from what Celery gives as its result; ``None`` for no failure.

    The result is a :class:`TaskFailure`, an exception, or the mapping that a result backend keeps
    of one; Celery puts an ``UnpickleableExceptionWrapper`` in place of one that does not pickle.
    The values of secrets are replaced in it.
    """
    found = _found(result, trace or "")
    return None if found is None else _without_secrets(call, found, worker)


def stored_error(
    call: Call, meta: Mapping[str, Any], worker: str | None = None
) -> StepError | None:
    """Return why a call failed, from what a result backend keeps of its task."""
    result = kept_failure(meta) or meta.get("result")
    return step_error(call, result, meta.get("traceback"), worker)


def _without_secrets(call: Call, failure: TaskFailure, worker: str | None) -> StepError:
    return StepError(
        call,
        failure.type,
        without_secrets(failure.message),
        without_secrets(failure.traceback),
        worker,
        notes=tuple(map(without_secrets, failure.notes)),
    )


def _found(result: Any, trace: str) -> TaskFailure | None:
    if isinstance(result, TaskFailure):
        return result
    if isinstance(result, UnpickleableExceptionWrapper):
        return TaskFailure(result.exc_cls_name, _text(result.exc_args), trace)
    if isinstance(result, BaseException):
        found = failure_of(result)
        return replace(found, traceback=trace) if trace else found
    if isinstance(result, dict) and "exc_type" in result:
        kind, message = _stored(str(result["exc_type"]), result.get("exc_message"), trace)
        return TaskFailure(kind, message, trace)
    return None


def _stored(kind: str, arguments: Any, trace: str) -> tuple[str, str]:
    """Return type and message of an exception as a plain worker keeps it.

    Celery keeps the qualified name: ``Order.DoesNotExist`` of a class inside another one.
    """
    if kind == UnpickleableExceptionWrapper.__name__ and len(arguments) == 4:
        _, kind, arguments, _ = arguments
    kind, given = kind.rpartition(".")[2], _text(arguments)
    message = _message_in(trace, kind)
    # Notes follow the message, and nothing tells where it ends but the arguments.
    if message is None or message.startswith(f"{given}\n"):
        return kind, given
    return kind, message


def _message_in(trace: str, kind: str) -> str | None:
    """Return what a traceback gives as the message of its last exception.

    A result backend keeps an exception's arguments only, which are not what it says:
    ``[Errno 2] No such file…`` is kept as ``(2, 'No such file…')``.
    """
    heads = list(
        re.finditer(rf"^(?:  \| )?(?:[\w.<>]+\.)?{re.escape(kind)}: ", trace, re.MULTILINE)
    )
    if not heads:
        return None
    message = trace[heads[-1].end() :]
    if heads[-1][0].startswith(" "):
        message = _MEMBERS.split(message, maxsplit=1)[0].replace("\n  | ", "\n")
    return message.rstrip()


def _text(arguments: Any) -> str:
    """Return an exception's arguments as its message, as ``str()`` makes it of them."""
    if isinstance(arguments, (list, tuple)):
        return str(arguments[0]) if len(arguments) == 1 else str(tuple(arguments) or "")
    return str(arguments)
