"""The sizes of a call: JSON sizes of its arguments, plus the constants of Celery's message format.

All sizes are in bytes.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from flowrunner.message_format import (
    LONGEST_REPR,
    MESSAGE_SIZE,
    PARENT_ID_SIZE,
    SIGNATURE_SIZE,
    base64_size,
    map_arguments,
    message_task,
)
from flowrunner.plan import Call, Secret

__all__ = ["NULL", "CallSize", "size_of_results"]

NULL: Final = len("null")


def _known(value: Any) -> str | None:
    return value.text if isinstance(value, Secret) else None


# A value that is not known before the run counts as null.
_json: Final = json.JSONEncoder(default=_known).encode


class CallSize(NamedTuple):
    """The sizes of one call: as a ``signature`` in the message of another, and its own message.

    ``rest`` is its own message without ``args``, chain and chord. ``shown`` is the size of
    ``argsrepr``, ``arguments`` that of ``args`` and ``kwargs`` as JSON.
    """

    signature: int
    rest: int
    arguments: int
    shown: int
    takes_result: bool

    @classmethod
    def of(cls, call: Call) -> CallSize:
        """Return the sizes of a call. A value that is not known counts as ``null``."""
        args, kwargs, name = call.args, call.kwargs, message_task(call.kind, call.task)
        if name != call.task:
            args, kwargs = (), map_arguments(call.task, call.args)
        if call.open:
            args, kwargs = json.loads(_json([args, kwargs]))
            args = tuple(args)
        arguments = _size(args) + _size(kwargs)
        return cls(
            SIGNATURE_SIZE + len(name) + arguments + _size(call.options),
            MESSAGE_SIZE + len(name) + sum(map(_size, call.options.values())) + _shown_size(kwargs),
            arguments,
            _shown_size(args),
            not call.immutable,
        )

    def message(self, result: int | None, carried: int, *, by_worker: bool) -> int:
        """Return the size of the call's message.

        ``result`` is the size of the previous result, if there is one; ``carried`` that of the
        chain and the chord. ``by_worker`` says that a worker publishes it, on behalf of a task.
        """
        result = result if self.takes_result and result is not None else 0
        shown = max(self.shown, min(self.shown + result, LONGEST_REPR))
        body = base64_size(self.arguments + result + carried)
        return self.rest + shown + body + (PARENT_ID_SIZE if by_worker else 0)


def _size(value: Any) -> int:
    return len(_json(value)) if value else len("[]")


def _shown_size(arguments: Any) -> int:
    return len(_json(repr(arguments)[:LONGEST_REPR])) if arguments else len('"()"')


def size_of_results(count: int) -> int:
    """Return the size of a list of results; each counts as ``null``."""
    return len("[]") + count * (NULL + len(", "))
