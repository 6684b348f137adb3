"""The embedded engine with its task functions in processes, for work that needs the CPU."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import wraps
from types import TracebackType
from typing import Any

from celery import Celery

from flowrunner.engines.embedded import EmbeddedEngine
from flowrunner.engines.process_pool import ProcessPool
from flowrunner.engines.process_worker import Failure, Order
from flowrunner.engines.task_failure import TaskFailure, carry_failure
from flowrunner.masking import known_secrets
from flowrunner.plan import Call
from flowrunner.plugins import PluginReference
from flowrunner.tasks import TaskDefinition, TaskRegistry

__all__ = ["ProcessPoolEngine", "RemoteTaskError"]


class RemoteTaskError(Exception):
    """Stands for an exception that cannot travel between processes."""

    def __init__(self, failure: TaskFailure) -> None:
        super().__init__(failure)
        self.failure = failure

    def __str__(self) -> str:
        return self.failure.message

    def __repr__(self) -> str:
        return f"{self.failure.type}({self.failure.message!r})"


class ProcessPoolEngine(EmbeddedEngine):
    """Celery and the canvas in this process, the functions of plain tasks in others.

    Existing Celery tasks stay in this process's threads: they may need their request, and nothing
    can interrupt them.
    What a task prints appears as it prints it, on this process's own streams.
    """

    def __init__(
        self,
        registry: TaskRegistry,
        *,
        configure: Callable[[Celery], None],
        references: Sequence[PluginReference],
        processes: int,
        concurrency: int | None = None,
    ) -> None:
        self._pool = ProcessPool(processes, references)
        self._registry = registry
        super().__init__(
            registry, configure=configure, concurrency=concurrency or processes, wrap=self._wrap
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, traceback)
        finally:
            self._pool.close()

    def _wrap(self, definition: TaskDefinition, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call_in_process(*args: Any, **kwargs: Any) -> Any:
            task = self._app.current_worker_task
            hard, soft = task.request.timelimit or (None, None)
            order = Order(
                definition.name,
                args,
                kwargs,
                hard or task.time_limit,
                soft or task.soft_time_limit,
                known_secrets(),
            )
            reply = self._pool.call(order, task_id=task.request.id)
            if isinstance(reply, Failure):
                raise _exception(reply)
            return json.loads(reply.json)

        return call_in_process

    def _keeps_limits(self, call: Call) -> bool:
        definition = self._registry.get(call.task)
        return call.kind == "task" and definition is not None and definition.celery_task is None

    def _abandon(self, task_ids: Collection[str]) -> None:
        super()._abandon(task_ids)
        self._pool.abandon(task_ids)


def _exception(failure: Failure) -> BaseException:
    """Return the task's own exception where it can travel, for Celery's ``autoretry_for``."""
    error: object = None
    if failure.pickled is not None:
        with suppress(Exception):
            error = pickle.loads(failure.pickled)  # noqa: S301
    if not isinstance(error, BaseException) or type(error).__name__ != failure.told.type:
        error = RemoteTaskError(failure.told)
    carry_failure(error, failure.told)
    return error
