"""Calls with secrets among their arguments: what their messages carry, and what workers tell.

The values are in a message's body and nowhere else: in place of what Celery shows of arguments
stand the names. A header says which arguments they are, so that flowrunner's own workers replace
them in what a failure says, before it is logged or kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, Final

from celery import current_task

from flowrunner.environment import SHORTEST_HIDDEN, revealed, shown_secrets
from flowrunner.plan import Call, Secret

__all__ = [
    "SECRETS",
    "discreet",
    "hide_secrets_in_logs",
    "hides_secrets",
    "with_secrets",
    "without_secret_arguments",
]

#: The header with the places of a message's secrets: of each its text, and the way to it. That
#: begins with a keyword, or with a number that counts from the last argument.
SECRETS: Final = "flowrunner_secrets"


def with_secrets(call: Call) -> Call:
    """Return a call with the values of its secrets, and what hides them again.

    Raises :class:`~flowrunner.environment.EnvironmentValueError`.
    """
    shown_args, shown_kwargs = shown_secrets(call.args), shown_secrets(call.kwargs)
    places = list(_places(call.kwargs))
    if call.kind in ("map", "starmap"):
        shown_args, shown_kwargs = (), {"task": call.task, "it": list(shown_args)}
        places += ([text, "it", *way] for text, *way in _places(call.args))
    else:
        count = len(call.args)
        places += ([text, at - count, *way] for text, at, *way in _places(call.args))
    options = {
        **call.options,
        "argsrepr": repr(shown_args),
        "kwargsrepr": repr(shown_kwargs),
        "headers": {**call.options.get("headers", {}), SECRETS: places},
    }
    return replace(call, args=revealed(call.args), kwargs=revealed(call.kwargs), options=options)


def _places(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, Secret):
        yield [value.text]
        return
    if isinstance(value, Mapping):
        inner: Any = value.items()
    elif isinstance(value, (list, tuple)):
        inner = enumerate(value)
    else:
        return
    for key, each in inner:
        yield from ([text, key, *way] for text, *way in _places(each))


def hides_secrets(request: Any) -> bool:
    """Tell whether a message has secrets among its arguments."""
    return bool(getattr(request, SECRETS, None))


def without_secret_arguments(value: Any, request: Any) -> Any:
    """Return texts, or data with texts in them, with the message's secrets replaced."""
    return _replaced(value, dict(_texts(request)))


def _texts(request: Any) -> Iterator[tuple[str, str]]:
    for text, *way in getattr(request, SECRETS):
        found = request.args if isinstance(way[0], int) else request.kwargs
        try:
            for key in way:
                found = found[key]
        except (LookupError, TypeError):
            continue  # the task was queued again, by something else, with other arguments
        for each in _leaves(found):
            yield from ((spelling, text) for spelling in (each, repr(each)[1:-1]))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str) and len(value) >= SHORTEST_HIDDEN:
        yield value


def _replaced(value: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for secret in sorted(texts, key=len, reverse=True):
            value = value.replace(secret, texts[secret])
        return value
    if isinstance(value, Mapping):
        return {key: _replaced(each, texts) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_replaced(each, texts) for each in value)
    return value


def discreet(signature_from_request: Callable[..., Any]) -> Callable[..., Any]:
    """Let what queues a task again show no more of its arguments than its message did."""

    @wraps(signature_from_request)
    def hiding(task: Any, request: Any = None, *given: Any, **options: Any) -> Any:
        request = task.request if request is None else request
        if hides_secrets(request):
            shown = {"argsrepr": request.argsrepr, "kwargsrepr": request.kwargsrepr}
            options = {**shown, **options}
        return signature_from_request(task, request, *given, **options)

    return hiding


class _HideSecrets(logging.Filter):
    """Replaces the secrets of the task that runs in what Celery logs of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(current_task, "request", None)
        if request is not None and hides_secrets(request):
            record.msg, record.args = record.getMessage(), ()
            record.msg = without_secret_arguments(record.msg, request)
            if record.exc_info:
                text = logging.Formatter().formatException(record.exc_info)
                record.exc_text = without_secret_arguments(text, request)
                record.exc_info = None
        return True


def hide_secrets_in_logs() -> None:
    """Let what Celery logs of a task that fails tell none of its secrets, in this process."""
    logger = logging.getLogger("celery.app.trace")
    if not any(isinstance(each, _HideSecrets) for each in logger.filters):
        logger.addFilter(_HideSecrets())
