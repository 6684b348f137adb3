"""Calls with secrets among their arguments: what their messages carry.

The values are in a message's body and nowhere else: in place of what Celery shows of arguments
stand the names. Headers say which arguments the values are, so that flowrunner's own workers know
what to mask (:mod:`.message_secrets`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, Final

from flowrunner.environment import revealed, shown_secrets, variables
from flowrunner.plan import Call, Secret

__all__ = ["PARTS", "SECRETS", "discreet", "has_secret_arguments", "with_secrets"]

#: The header with the places of a message's secrets: of each its text, and the way to it. That
#: begins with a keyword, or with a number that counts from the last argument.
SECRETS: Final = "flowrunner_secrets"
#: The header with the places of variables' values that are parts of arguments: of each the name
#: that is shown, the value's start and end, and the way to the argument.
PARTS: Final = "flowrunner_secret_parts"

_Way = tuple[Any, ...]


def with_secrets(call: Call) -> Call:
    """Return a call with the values of its secrets, and what hides them again.

    Raises :class:`~flowrunner.environment.EnvironmentValueError`.
    """
    args, kwargs = revealed(call.args), revealed(call.kwargs)
    shown_args, shown_kwargs = shown_secrets(call.args), shown_secrets(call.kwargs)
    found = [(secret, _at(kwargs, way), way) for secret, way in _secrets(call.kwargs)]
    mapped = call.kind in ("map", "starmap")
    if mapped:
        shown_args, shown_kwargs = (), {"task": call.task, "it": list(shown_args)}
    for secret, (at, *inner) in _secrets(call.args):
        way = ("it", at, *inner) if mapped else (at - len(call.args), *inner)
        found.append((secret, _at(args, (at, *inner)), way))
    headers: dict[str, Any] = {SECRETS: [[secret.text, *way] for secret, _, way in found]}
    if parts := [part for secret, value, way in found for part in _parts(secret, value, way)]:
        headers[PARTS] = parts
    options = {
        **call.options,
        "argsrepr": repr(shown_args),
        "kwargsrepr": repr(shown_kwargs),
        "headers": {**call.options.get("headers", {}), **headers},
    }
    return replace(call, args=args, kwargs=kwargs, options=options)


def _secrets(value: Any) -> Iterator[tuple[Secret, _Way]]:
    if isinstance(value, Secret):
        yield value, ()
        return
    if isinstance(value, Mapping):
        inner: Any = value.items()
    elif isinstance(value, (list, tuple)):
        inner = enumerate(value)
    else:
        return
    for key, each in inner:
        yield from ((secret, (key, *way)) for secret, way in _secrets(each))


def _at(value: Any, way: _Way) -> Any:
    for key in way:
        value = value[key]
    return value


def _parts(secret: Secret, value: Any, way: _Way) -> Iterator[list[Any]]:
    """Yield where a secret's value has those of variables in it, and other characters."""
    if not isinstance(value, str):
        return
    for name in sorted(variables(secret)):
        part = os.environ[name]
        start = value.find(part)
        if part and part != value and start >= 0:
            yield [f"${{env.{name}}}", start, start + len(part), *way]


def has_secret_arguments(request: Any) -> bool:
    """Tell whether a message has secrets among its arguments."""
    return bool(getattr(request, SECRETS, None))


def discreet(signature_from_request: Callable[..., Any]) -> Callable[..., Any]:
    """Let what queues a task again show no more of its arguments than its message did."""

    @wraps(signature_from_request)
    def hiding(task: Any, request: Any = None, *given: Any, **options: Any) -> Any:
        request = task.request if request is None else request
        if has_secret_arguments(request):
            shown = {"argsrepr": request.argsrepr, "kwargsrepr": request.kwargsrepr}
            options = {**shown, **options}
        return signature_from_request(task, request, *given, **options)

    return hiding
