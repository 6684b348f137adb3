"""A pool of processes that call task functions.

Not ``concurrent.futures``: there one child that dies takes every other call with it, and
nobody can say which call it was. Here each call has a child to itself while it runs. Children
are started afresh, not forked: a forked one inherits this process's locks and signals.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Pipe
from signal import Signals
from subprocess import DEVNULL, Popen, TimeoutExpired
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Any, Final, TextIO

from flowrunner.engines.process_worker import Order, Output, Ready, Reply
from flowrunner.plugins import PluginReference
from flowrunner.task_output import printed_by

__all__ = ["ProcessDiedError", "ProcessPool"]

#: Seconds for a child whose socket has closed to end by itself.
LAST_BREATH: Final = 5.0

_PROGRAM: Final = (
    "import sys; sys.path[:] = {path!r}; "
    "from flowrunner.engines.process_worker import serve; serve({descriptor})"
)


class ProcessDiedError(RuntimeError):
    """The process that ran a task is gone: it was killed, ran out of memory or ended itself."""


class ProcessPool:
    """Up to ``limit`` children; one is started when it is needed and none is idle."""

    def __init__(self, limit: int, references: Sequence[PluginReference]) -> None:
        # Where a child starts in a working directory that has changed, paths still hold.
        self._references = tuple(
            replace(reference, folder=reference.folder.resolve()) for reference in references
        )
        self._free = BoundedSemaphore(limit)
        self._lock = Lock()
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()
        self._busy: dict[_Child, str] = {}
        self._abandoned: set[str] = set()
        self._closed = False

    def call(self, order: Order, *, task_id: str = "") -> Reply:
        """Make a call in a child and return what came of it.

        What the task prints appears on this process's streams. Raises
        :class:`ProcessDiedError` when the child ends before it has answered, or when the call
        is abandoned, and Celery's ``TimeLimitExceeded`` when it takes too long.
        """
        with self._free:
            child = self._take(task_id)
            try:
                reply = child.call(order)
            except BaseException as error:
                with self._lock:
                    del self._busy[child]
                    self._children.discard(child)
                if isinstance(error, (EOFError, OSError)):
                    raise ProcessDiedError(
                        f"the process that ran task '{order.task}' {child.end()}"
                    ) from None
                child.kill()
                raise
            with self._lock:
                del self._busy[child]
                if child in self._children:  # not killed while it answered
                    self._idle.append(child)
            return reply

    def _take(self, task_id: str) -> _Child:
        with self._lock:
            if self._closed:
                raise ProcessDiedError("the engine has stopped")
            if task_id in self._abandoned:
                raise ProcessDiedError("the run has ended")
            if self._idle:
                child = self._idle.pop()
            else:
                child = _Child(self._references)
                self._children.add(child)
            self._busy[child] = task_id
            return child

    def abandon(self, task_ids: Collection[str]) -> None:
        """Kill the children that run these tasks, and let none of the tasks start any more."""
        with self._lock:
            self._abandoned.update(task_ids)
            # Before any of them can take another call.
            for child in [child for child, task in self._busy.items() if task in self._abandoned]:
                self._children.discard(child)
                child.kill()

    def close(self) -> None:
        """Kill every child, whatever it is doing."""
        with self._lock:
            self._closed = True
            children, self._children = self._children, set()
        for child in children:
            child.kill()


class _Child:
    def __init__(self, references: tuple[PluginReference, ...]) -> None:
        self._is_ready = False
        self._connection, theirs = Pipe()
        program = _PROGRAM.format(path=sys.path, descriptor=theirs.fileno())
        with theirs:
            # Its own process group: a terminal sends Ctrl-C to a whole group, and what runs
            # may end. A program that a task starts writes to stderr: stdout is for the result.
            self._process = Popen(  # noqa: S603
                [sys.executable, "-c", program],
                stdin=DEVNULL,
                stdout=2,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self._connection.send(references)

    def call(self, order: Order) -> Reply:
        self._connection.send(order)
        if not self._is_ready:
            with printed_by(None):  # what the plugins print as they are loaded is no call's
                self._await_ready()
        limit = order.time_limit
        deadline = None if limit is None else monotonic() + limit
        while isinstance(message := self._message(limit, deadline), Output):
            _show(message)
        reply: Reply = message
        return reply

    def _await_ready(self) -> None:
        """Wait until the plugins are loaded: a limit is for the task, not for its process."""
        while not isinstance(message := self._connection.recv(), Ready):
            if isinstance(message, Output):
                _show(message)
        self._is_ready = True

    def _message(self, limit: float | None, deadline: float | None) -> Any:
        if deadline is not None and not self._connection.poll(max(deadline - monotonic(), 0)):
            from billiard.exceptions import TimeLimitExceeded

            raise TimeLimitExceeded(limit)
        return self._connection.recv()

    def end(self) -> str:
        """Return, for a child that has gone silent, how it ended."""
        self._connection.close()
        try:
            status = self._process.wait(LAST_BREATH)
        except TimeoutExpired:
            self._process.kill()
            return "closed its connection"
        if status < 0:
            return f"was killed by {_signal_name(-status)}{_guess(-status)}"
        return f"ended with exit status {status} before the task had"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def _show(output: Output) -> None:
    stream: TextIO = getattr(sys, output.stream)
    with suppress(OSError, ValueError):  # nobody looks any more
        stream.write(output.text)
        stream.flush()


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def _guess(number: int) -> str:
    if number == Signals.SIGKILL:
        return ": by a user, or by the system for lack of memory"
    if number == Signals.SIGSEGV:
        return ": native code that it called has crashed"
    return ""
