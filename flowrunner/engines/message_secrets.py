"""What flowrunner's own workers learn from messages: which values they must not show.

A worker need not have the values in its environment: a message's headers say which of its
arguments are secrets, and so do the headers of the signatures that it carries. The worker masks
them from the moment in which it receives the message, in all that it logs, prints and stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from celery.signals import task_postrun, task_prerun

from flowrunner.engines.celery_patches.workers import receive_first
from flowrunner.engines.secret_arguments import PARTS, SECRETS
from flowrunner.masking import learn
from flowrunner.masking.streams import finish_streams, mask_logs, mask_streams
from flowrunner.message_format import signatures_in

__all__ = ["learn_of_message", "mask_worker"]

#: Where a request's ``delivery_info`` has what its message has told, for a process of the pool:
#: unlike its headers, that is not published when the task is queued again.
TOLD: Final = "flowrunner_told"


def learn_of_message(request: dict[str, Any], body: Any, payload: Any) -> None:
    """Learn the secrets of a message; ``request`` is what the process that runs it is given."""
    carries = SECRETS.encode() in body if isinstance(body, bytes) else SECRETS in str(body)
    if not carries and not request.get(SECRETS):
        return
    args, kwargs, embed = payload
    told = list(_secrets(request, args, kwargs))
    if carries:
        told += _carried([args, kwargs, embed])
    _learn(told)
    request["delivery_info"] = {**request["delivery_info"], TOLD: told}


def mask_worker() -> None:
    """Let this process, a worker, mask what it learns in all that it logs and prints."""
    mask_logs()
    receive_first(task_prerun, _before_task)  # any other receiver may print arguments
    task_postrun.connect(_after_task, weak=False, dispatch_uid=_after_task.__name__)


def _before_task(task: Any, args: Any, kwargs: Any, **_: Any) -> None:
    request = task.request
    told = (request.delivery_info or {}).get(TOLD)
    if told is None and getattr(request, SECRETS, None):
        told = list(_secrets(vars(request), args, kwargs))
    if told:
        _learn(told)
        mask_streams()


def _after_task(**_: Any) -> None:
    finish_streams()


def _learn(told: Iterable[Iterable[str]]) -> None:
    for value, shown in told:
        learn(value, shown)


def _secrets(headers: Mapping[str, Any], args: Any, kwargs: Any) -> Iterator[tuple[str, str]]:
    """Yield the values that a message's headers name, and what is shown in their places."""
    for text, *way in _entries(headers, SECRETS):
        for leaf in _leaves(_at(args, kwargs, way)):
            yield leaf, str(text)
    for entry in _entries(headers, PARTS):
        shown, start, end, *way = [*entry, None, None, None][: max(len(entry), 4)]
        value = _at(args, kwargs, way)
        if isinstance(value, str) and isinstance(start, int) and isinstance(end, int):
            yield value[start:end], str(shown)


def _entries(headers: Mapping[str, Any], name: str) -> list[list[Any]]:
    found = headers.get(name)
    return [each for each in found if isinstance(each, list) and each] if found else []


def _at(args: Any, kwargs: Any, way: list[Any]) -> Any:
    found = args if way and isinstance(way[0], int) else kwargs
    try:
        for key in way:
            found = found[key]
    except (LookupError, TypeError):
        return None  # the task was queued again, by something else, with other arguments
    return found


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def _carried(data: Any) -> Iterator[tuple[str, str]]:
    """Yield the secrets of all signatures in data, which is JSON."""
    for signature in signatures_in(data):
        headers = signature["options"].get("headers")
        if isinstance(headers, dict) and SECRETS in headers:
            yield from _secrets(headers, signature.get("args"), signature.get("kwargs"))
