"""A Celery worker pool of daemon threads.

Celery's own thread pool is a ``ThreadPoolExecutor``, whose threads are joined when the
interpreter exits: a task that sleeps for an hour would hold the whole process for an hour
after Ctrl-C. Daemon threads let the engine decide how long it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from os import getpid
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeAlias

from celery import states
from celery.concurrency.base import BasePool

from flowrunner.engines.memory_backend import MemoryStore
from flowrunner.plan import Call
from flowrunner.task_output import printed_by

__all__ = ["DaemonThreadPool"]

_Job: TypeAlias = Callable[[], None]


class DaemonThreadPool(BasePool):  # type: ignore[misc]
    """Runs up to ``limit`` tasks at a time; threads start as they are needed."""

    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = Lock()
        self._unfinished = 0
        self._threads = 0
        # By job: one that retries or replaces itself is queued again, by its id, while it runs.
        self._running: dict[_Job, str] = {}
        self._abandoned: set[_Job] = set()
        #: The calls of runs by the ids of their tasks: what a task prints is its call's.
        self.calls: dict[str, Call] = {}

    @property
    def unfinished(self) -> int:
        """How many tasks run or wait for a thread."""
        return self._unfinished

    @property
    def threads(self) -> int:
        """How many threads there are."""
        return self._threads

    def abandon(self, task_ids: Container[str]) -> None:
        """Let other tasks take the places of those of these that run: nobody waits for them."""
        with self._lock:
            running = {job for job, task_id in self._running.items() if task_id in task_ids}
            self.limit += len(running - self._abandoned)
            self._abandoned |= running
            self._start_threads()

    def _start_threads(self) -> None:
        while self._threads < min(self._unfinished, self.limit):
            self._threads += 1
            Thread(target=self._work, name=f"task-{self._threads}", daemon=True).start()

    def on_apply(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        callback: Callable[..., Any] | None = None,
        accept_callback: Callable[..., Any] | None = None,
        **_: Any,
    ) -> None:
        """Queue a task for the next free thread."""
        task_id = args[1]

        def run() -> None:
            store: MemoryStore = self.app.backend.store
            if store.is_cancelled(task_id):
                store.tell(task_id, states.REVOKED, None, None)
                return
            try:
                if accept_callback is not None:
                    accept_callback(getpid(), monotonic())
                result = target(*args, **(kwargs or {}))
                if callback is not None:
                    callback(result)
            except BaseException as error:  # without this the run would wait for ever
                self.app.backend.mark_as_failure(task_id, error)

        def job() -> None:
            with self._lock:
                self._running[job] = task_id
            try:
                with printed_by(self.calls.get(task_id)):
                    run()
            finally:
                with self._lock:
                    del self._running[job]
                    if job in self._abandoned:
                        self._abandoned.remove(job)
                        self.limit -= 1

        with self._lock:
            self._unfinished += 1
            self._start_threads()
        self._jobs.put(job)

    def _work(self) -> None:
        self.app.set_current()  # tracing looks the app up in its thread
        while (job := self._jobs.get()) is not None:
            try:
                job()
            finally:
                with self._lock:
                    self._unfinished -= 1
                    surplus = self._threads > self.limit
                    self._threads -= surplus
            if surplus:
                return

    def on_stop(self) -> None:
        """Let the threads end as they become idle; the engine has waited for their tasks."""
        for _ in range(self._threads):
            self._jobs.put(None)
