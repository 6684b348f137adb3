"""What runs in a child of ``--processes``: task functions by name, and nothing of Celery.

The child reads calls from a socket and answers each with a :class:`Reply`; what a task prints
goes there too, as it is printed, so that the parent shows it where it shows everything else.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import pickle
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread
from types import FrameType
from typing import Any, Literal, TypeAlias

from flowrunner.engines.task_failure import TaskFailure, failure_of
from flowrunner.hints.adapter import Adapter
from flowrunner.masking import learn
from flowrunner.masking.streams import mask_logs
from flowrunner.plugins import PluginReference, load_plugins
from flowrunner.tasks import TaskDefinition

__all__ = ["Failure", "Order", "Output", "Ready", "Reply", "Success", "serve"]


@dataclass(frozen=True)
class Order:
    """A call to make: the task's name and what it is called with.

    After ``soft_time_limit`` seconds it is sent Celery's ``SoftTimeLimitExceeded``; after
    ``time_limit`` seconds the parent kills the child. ``secrets`` are the values that the child
    must not log, and what stands in their places.
    """

    task: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    time_limit: float | None = None
    soft_time_limit: float | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """Something that was printed."""

    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True)
class Ready:
    """The plugins are loaded: calls may come."""


@dataclass(frozen=True)
class Success:
    """What a call returned, as JSON: a plain value, whatever classes the task has used."""

    json: str


@dataclass(frozen=True)
class Failure:
    """What a call raised.

    ``pickled`` is ``None`` where the exception cannot travel between processes; what is told of it
    always can.
    """

    told: TaskFailure
    pickled: bytes | None


Reply: TypeAlias = Success | Failure


class _Channel:
    """The child's end of the socket; the task's own threads may print at any time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    def send(self, message: Reply | Output | Ready) -> None:
        with self._lock:
            self._connection.send(message)

    def orders(self) -> SimpleQueue[Order]:
        """Return a queue of what the parent asks for; without a parent this process ends."""
        orders: SimpleQueue[Order] = SimpleQueue()

        def read() -> None:
            try:
                while True:
                    orders.put(self._connection.recv())
            finally:
                os._exit(1)  # even in the middle of a task: nobody waits for its result

        Thread(target=read, name="orders", daemon=True).start()
        return orders


class _Printed(io.RawIOBase):
    def __init__(self, channel: _Channel, stream: Literal["stdout", "stderr"]) -> None:
        self._channel = channel
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def fileno(self) -> int:
        return 2  # for a program that the task starts

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        written = bytes(data)
        self._channel.send(Output(self._stream, self._decoder.decode(written)))
        return len(written)


def serve(descriptor: int) -> None:
    """Answer calls that come over the socket ``descriptor`` until the parent closes it."""
    connection = Connection(descriptor)
    references = connection.recv()
    channel = _Channel(connection)
    # Before the plugins are loaded: their log handlers keep the streams that they find.
    sys.stdout = _text_stream(channel, "stdout")
    sys.stderr = _text_stream(channel, "stderr")
    orders = channel.orders()
    functions = _load(references)
    channel.send(Ready())
    while True:
        channel.send(_answer(functions, orders.get()))


def _text_stream(channel: _Channel, stream: Literal["stdout", "stderr"]) -> io.TextIOWrapper:
    buffered = io.BufferedWriter(_Printed(channel, stream))
    return io.TextIOWrapper(buffered, "utf-8", "backslashreplace", line_buffering=True)


def _load(references: tuple[PluginReference, ...]) -> dict[str, Callable[..., Any]] | Failure:
    """Return the functions of all tasks, loaded as the command line loads them."""
    try:
        registry = load_plugins(references).tasks()
    except BaseException as error:  # told in answer to whatever is called
        return _failure(error)
    return {definition.name: _Task(definition) for definition in registry}


class _Task:
    """A task's function, which takes and returns JSON data."""

    def __init__(self, definition: TaskDefinition) -> None:
        self._definition = definition

    @cached_property
    def _adapter(self) -> Adapter:
        task = self._definition
        return Adapter(task.function, task.signature, {"celery_task_name": task.name})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        adapter = self._adapter
        args, kwargs = adapter.args(args), adapter.kwargs(kwargs)
        return adapter.result(self._definition.function(*args, **kwargs))


def _answer(functions: dict[str, Callable[..., Any]] | Failure, order: Order) -> Reply:
    if isinstance(functions, Failure):
        return functions
    if order.secrets:
        mask_logs()
        for value, shown in order.secrets.items():
            learn(value, shown)
    try:
        call = partial(functions[order.task], *order.args, **order.kwargs)
        value = _within(order.soft_time_limit, call)
        return Success(json.dumps(value))
    except BaseException as error:  # whatever it was: the parent waits for an answer
        return _failure(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _within(seconds: float | None, call: Callable[[], Any]) -> Any:
    """Make a call; after so many seconds it raises Celery's ``SoftTimeLimitExceeded``."""
    if seconds is None:
        return call()
    from billiard.exceptions import SoftTimeLimitExceeded

    def exceeded(number: int, frame: FrameType | None) -> None:
        raise SoftTimeLimitExceeded(seconds)

    before = signal.signal(signal.SIGALRM, exceeded)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    # No context manager: it could not raise a frozen dataclass again.
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _failure(error: BaseException) -> Failure:
    try:
        pickled = pickle.dumps(error)
    except Exception:
        pickled = None
    return Failure(failure_of(error), pickled)
