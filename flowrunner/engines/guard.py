"""The guard of flowrunner's own workers: whether a task of a run is to run now, again, or not.

It acts on the messages of runs alone, in one round trip, and on Redis in that which tells that a
task has started; all other tasks run as they are. What it asks and does is in :mod:`.turn`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from inspect import Signature
from typing import Any, Final

from celery import Celery
from celery.app.task import Task
from celery.backends.redis import RedisBackend
from celery.exceptions import Reject

from flowrunner.engines.continuation import GUARDED
from flowrunner.engines.failure_notes import noting, noting_before_start
from flowrunner.engines.messages import message_of
from flowrunner.engines.replacement import keep_results_of_replacements
from flowrunner.engines.run_flags import COMES_AGAIN, is_task_of_a_run
from flowrunner.engines.secret_arguments import discreet
from flowrunner.engines.turn import Turn
from flowrunner.engines.worker_facts import note_guard
from flowrunner.hints.adapter import ADAPTS, Adapter
from flowrunner.tasks import signature_of

__all__ = ["guard_backend", "guard_tasks"]

_Function = Callable[..., Any]

#: What a request is marked with whose turn was asked for.
TURN: Final = "flowrunner_turn"


def guard_tasks(app: Celery) -> None:
    """Put the guard around every task of an app, before Celery builds what runs them."""
    note_guard()
    keep_results_of_replacements(app.tasks.values())
    for task in app.tasks.values():
        kind = type(task)
        if getattr(kind, GUARDED, False):
            continue
        attributes: dict[str, Any] = {
            GUARDED: True,
            "__module__": kind.__module__,
            "signature_from_request": discreet(kind.signature_from_request),
            **noting_before_start(kind),
        }
        if task.Request == Task.Request:
            attributes["Request"] = "flowrunner.engines.worker_request:Request"
        if kind.__call__ is Task.__call__:
            task.run = _guarded(task, task.run)
        else:  # Celery calls the task itself, which may do anything before its function
            attributes["__call__"] = _guarded_call(kind.__call__)
        task.__class__ = type(kind.__name__, (kind,), attributes)


def _guarded_call(call: _Function) -> _Function:
    @wraps(call)
    def guarded(task: Any, /, *args: Any, **kwargs: Any) -> Any:
        return _guarded(task, lambda *a, **k: call(task, *a, **k))(*args, **kwargs)

    return guarded


def _guarded(task: Any, function: _Function) -> _Function:
    adapter = _adapter(task)

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        request = task.request
        # A task may call its own function, or another's, directly.
        if not _is_of_a_run(request) or getattr(request, GUARDED, False):
            return function(*args, **kwargs)
        setattr(request, GUARDED, True)
        turn = getattr(request, TURN, None) or Turn(task.backend, request)
        return turn.take(task, lambda: function(*adapter().args(args), **adapter().kwargs(kwargs)))

    return noting(task, guarded)


def _adapter(task: Any) -> Callable[[], Adapter]:
    """Return what gives the adapter of an app's own task; those of plugins have theirs."""
    function = task.run

    @cache
    def adapter() -> Adapter:
        adapts = task.name.startswith("celery.") or getattr(function, ADAPTS, False)
        return Adapter(function, Signature() if adapts else signature_of(function))

    return adapter


def _is_of_a_run(request: Any) -> bool:
    return bool(
        is_task_of_a_run(request.id)
        and request.root_id
        and not request.called_directly
        and not request.is_eager
    )


def guard_backend(backend: Any) -> None:
    """Let a worker's result backend ask for a task's turn as it tells that the task has started.

    Celery makes three round trips of that alone. A task of which that cannot be told goes back to
    the broker: nor could its result be kept.
    """
    if not isinstance(backend, RedisBackend):
        return
    store, store_once = backend.store_result, backend._store_result

    def store_result(
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Any = None,
        **options: Any,
    ) -> Any:
        try:
            return store(task_id, result, state, traceback, request=request, **options)
        except Exception as error:
            if state != "STARTED" or request is None or not _is_of_a_run(request):
                raise
            reason = f"the result backend is away: {message_of(error)}"
            raise Reject(reason, requeue=True) from error

    def store_result_once(
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Any = None,
        **options: Any,
    ) -> Any:
        starts = state == "STARTED" and request is not None and _is_of_a_run(request)
        if starts and backend.app.tasks[request.task].acks_late:
            result = {COMES_AGAIN: True, **result}
        if starts and not hasattr(request, TURN):
            meta = backend._get_result_meta(result, state, traceback, request)
            turn = Turn(backend, request)
            told = turn.ask(started=backend.encode({**meta, "task_id": task_id}))
            setattr(request, TURN, turn)
            if told:
                return result
        return store_once(task_id, result, state, traceback, request=request, **options)

    backend.store_result = store_result
    backend._store_result = store_result_once
