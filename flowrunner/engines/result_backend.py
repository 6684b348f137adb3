"""What the result backend of flowrunner's own workers does better than Celery's."""

from __future__ import annotations

from typing import Any

from celery import states
from celery.backends.redis import RedisBackend
from celery.signals import celeryd_after_setup

__all__ = ["mended_backend"]

#: The name of the worker that this process is, or that it was forked from.
_this_worker: list[str | None] = [None]


@celeryd_after_setup.connect(weak=False)  # type: ignore[untyped-decorator]
def _remember_worker(sender: str, **_: Any) -> None:
    _this_worker[0] = sender


def mended_backend(backend: Any) -> Any:
    """Return a Celery result backend that names workers and loses no result to a retry."""
    _name_workers(backend)
    if isinstance(backend, RedisBackend):
        _keep_results(backend)
    return backend


def _name_workers(backend: Any) -> None:
    """Keep with every failure which worker it happened on.

    Celery keeps that with ``result_extended`` only, together with all arguments.
    """
    meta_of = backend._get_result_meta

    def with_worker(
        result: Any, state: str, traceback: Any, request: Any, **options: Any
    ) -> dict[str, Any]:
        meta: dict[str, Any] = meta_of(result, state, traceback, request, **options)
        if state in states.EXCEPTION_STATES:
            # A request that was made up, for a task that is unknown, does not name it.
            meta["worker"] = getattr(request, "hostname", None) or _this_worker[0]
        return meta

    backend._get_result_meta = with_worker


def _keep_results(backend: Any) -> None:
    """Let no ``RETRY`` take the place of how the task has ended in the meantime.

    Celery queues the next try before it stores that there is one (``celery/app/task.py``,
    ``retry``; ``celery/app/trace.py``): another thread or worker may have run it by then.
    """
    store = backend._set_with_state

    def store_unless_ended(key: bytes, value: str, state: str) -> None:
        if state != states.RETRY:
            store(key, value, state)
            return

        def unless_ended(pipeline: Any) -> None:
            current = pipeline.get(key)
            pipeline.multi()
            if current is None or backend.decode(current)["status"] not in states.READY_STATES:
                pipeline.set(key, value, ex=backend.expires or None)

        backend.ensure(backend.client.transaction, (unless_ended, key))

    backend._set_with_state = store_unless_ended
