"""The guard of flowrunner's own workers: whether a task of a run is to run now, again, or not.

It acts on the messages of runs alone, in one round trip, and on Redis in that which tells that a
task has started; all other tasks run as they are. What it asks and does is in :mod:`.turn`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from inspect import Signature
from typing import Any, Final

from celery import Celery, states
from celery.app.task import Task
from celery.backends.redis import RedisBackend
from celery.exceptions import Reject

from flowrunner.engines.application import keep_results_of_replacements
from flowrunner.engines.celery_patches.apps import wrap_task
from flowrunner.engines.celery_patches.backends import change_starts, encoded_meta, on_lost_state
from flowrunner.engines.continuation import GUARDED
from flowrunner.engines.failure_notes import noting, noting_before_start
from flowrunner.engines.run_flags import COMES_AGAIN, is_task_of_a_run
from flowrunner.engines.secret_arguments import discreet
from flowrunner.engines.turn import Turn
from flowrunner.engines.worker_facts import note_guard
from flowrunner.hints.adapter import ADAPTS, Adapter
from flowrunner.message_format import is_builtin_task
from flowrunner.raised import message_of
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
            "signature_from_request": discreet(kind.signature_from_request),
            **noting_before_start(kind),
        }
        if task.Request == Task.Request:
            attributes["Request"] = "flowrunner.engines.worker_consumer:Request"
        wrap_task(task, _guarded, attributes)


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
        adapts = is_builtin_task(task.name) or getattr(function, ADAPTS, False)
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

    def store_start(
        store: Callable[[Any], Any], task_id: str, result: Any, traceback: Any, request: Any
    ) -> Any:
        if request is None or not _is_of_a_run(request):
            return store(result)
        if backend.app.tasks[request.task].acks_late:
            result = {COMES_AGAIN: True, **result}
        if hasattr(request, TURN):
            return store(result)
        turn = Turn(backend, request)
        started = encoded_meta(backend, task_id, result, states.STARTED, traceback, request)
        told = turn.ask(started=started)
        setattr(request, TURN, turn)
        return result if told else store(result)

    def give_back(error: Exception, state: str, request: Any) -> None:
        if state == states.STARTED and request is not None and _is_of_a_run(request):
            reason = f"the result backend is away: {message_of(error)}"
            raise Reject(reason, requeue=True) from error

    on_lost_state(backend, give_back)
    change_starts(backend, store_start)
