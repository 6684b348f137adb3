"""Patches of Celery's result backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import states

__all__ = [
    "change_meta",
    "change_starts",
    "change_writes",
    "encoded_meta",
    "is_too_long",
    "keeps_chords_in_order",
    "on_lost_state",
    "stop_subscribing",
    "stored_meta",
    "wrap_chord_script",
    "write_state",
]


def change_meta(backend: Any, change: Callable[[dict[str, Any], str, Any], dict[str, Any]]) -> None:
    """Let ``change`` return what is stored of a task, given that, the state and the request.

    Changes: ``celery.backends.base.Backend._get_result_meta``.
    Reason: Celery stores the worker and the retries with ``result_extended`` only, together with
    all arguments, and of an exception that does not pickle no more than its nearest base class.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/celery/issues/401
    """
    meta_of = backend._get_result_meta

    def changed(
        result: Any, state: str, traceback: Any, request: Any, **options: Any
    ) -> dict[str, Any]:
        return change(meta_of(result, state, traceback, request, **options), state, request)

    backend._get_result_meta = changed


def encoded_meta(
    backend: Any, task_id: str, result: Any, state: str, traceback: Any, request: Any
) -> Any:
    """Return what a backend would store of a task, encoded.

    Uses: ``celery.backends.base.Backend._get_result_meta``.
    Reason: the state is stored by a script, or under a condition, that Celery does not have.
    Checked: Celery 5.7.0. Issue: none known.
    """
    meta = backend._get_result_meta(result, state, traceback, request)
    return backend.encode({**meta, "task_id": task_id})


def stored_meta(backend: Any, task_id: str) -> dict[str, Any]:
    """Return what a backend has stored of a task, past the backend's own cache.

    Uses: ``celery.backends.base.KeyValueStoreBackend._get_task_meta_for``.
    Reason: ``get_task_meta`` keeps what it reads in a cache.
    Checked: Celery 5.7.0. Issue: none known.
    """
    meta: dict[str, Any] = backend._get_task_meta_for(task_id)
    return meta


def change_starts(backend: Any, change: Callable[..., Any]) -> None:
    """Let ``change`` store that a task has started.

    It is given a function that stores a result as Celery does, then the task's id, the result, the
    traceback and the request; it returns the result.

    Changes: ``celery.backends.base.KeyValueStoreBackend._store_result``.
    Reason: a message that comes twice stores ``STARTED`` twice, and Celery keeps no final state but
    ``SUCCESS``. It also asks and stores in three round trips.
    Checked: Celery 5.7.0. Issue: none known.
    """
    store = backend._store_result

    def changed(
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Any = None,
        **options: Any,
    ) -> Any:
        def as_celery(told: Any) -> Any:
            return store(task_id, told, state, traceback, request=request, **options)

        if state != states.STARTED:
            return as_celery(result)
        return change(as_celery, task_id, result, traceback, request)

    backend._store_result = changed


def on_lost_state(backend: Any, handle: Callable[[Exception, str, Any], None]) -> None:
    """Call ``handle`` with the error, the state and the request when a state cannot be stored.

    The error is raised unless ``handle`` raises another one.

    Changes: ``celery.backends.base.Backend.store_result``.
    Reason: a task whose start cannot be stored could not store its result either, and Celery
    acknowledges its message. ``handle`` can reject the message instead.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/celery/issues/8588
    """
    store = backend.store_result

    def handling(
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
            handle(error, state, request)
            raise

    backend.store_result = handling


def change_writes(
    backend: Any, change: Callable[[Callable[..., None], bytes, str, str], None]
) -> None:
    """Let ``change`` write a task's state, given what writes as Celery does, key, value and state.

    Changes: ``celery.backends.base.KeyValueStoreBackend._set_with_state``.
    Checked: Celery 5.7.0.
    Reason: Celery queues a retry before it stores ``RETRY``, which then replaces the result of the
    retry.
    Issue: https://github.com/celery/celery/pull/6115 (the same race, mended for Elasticsearch).
    """
    write = backend._set_with_state
    backend._set_with_state = lambda key, value, state: change(write, key, value, state)


def write_state(backend: Any, task_id: str, value: Any, state: str) -> None:
    """Write a task's state, encoded, whatever is stored.

    Uses: ``celery.backends.base.KeyValueStoreBackend._set_with_state``.
    Reason: ``store_result`` would look again whether the task has ended.
    Checked: Celery 5.7.0. Issue: none known.
    """
    backend._set_with_state(backend.get_key_for_task(task_id), value, state)


def is_too_long(backend: Any, value: str) -> bool:
    """Tell whether Celery refuses to write a value to Redis.

    Uses: ``celery.backends.redis.RedisBackend._MAX_STR_VALUE_SIZE``.
    Reason: Celery's own write refuses such a value in clear words; another write would not.
    Checked: Celery 5.7.0. Issue: none known.
    """
    return bool(len(value) > backend._MAX_STR_VALUE_SIZE)


def keeps_chords_in_order(backend: Any) -> bool:
    """Tell whether a Redis backend keeps the members of a chord by their numbers.

    Uses: ``celery.backends.redis.RedisBackend._chord_zset``.
    Reason: the option ``result_chord_ordered`` has a default that only this property knows.
    Checked: Celery 5.7.0. Issue: none known.
    """
    return bool(getattr(backend, "_chord_zset", True))


def wrap_chord_script(
    backend: Any, wrap: Callable[[Callable[[], Callable[..., Any]]], Callable[..., Any]]
) -> None:
    """Let ``wrap`` return what counts a member of a chord, given what returns Celery's own script.

    Changes: ``celery.backends.redis.RedisBackend._chord_part_return_script``; uses
    ``celery.backends.redis.CHORD_PART_RETURN_LUA``.
    Reason: the last member claims the right to queue the body. If its worker dies, the broker
    delivers the member again while the claim still holds, and no worker queues the body.
    Checked: Celery 5.7.0. A Celery without the script stays as it is. Issue: none known.
    """
    from celery.backends import redis as celery_redis

    text = getattr(celery_redis, "CHORD_PART_RETURN_LUA", None)
    if text is not None:
        backend.__dict__["_chord_part_return_script"] = wrap(
            lambda: backend.client.register_script(text)
        )


def stop_subscribing(backend: Any) -> None:
    """Keep a result backend from subscribing to every result.

    Changes: ``celery.backends.base.Backend.on_task_call``,
    ``celery.backends.asynchronous.AsyncBackendMixin.add_pending_result``,
    ``celery.backends.asynchronous.AsyncBackendMixin.remove_pending_result``.
    Reason: flowrunner reads results itself. When an ``AsyncResult`` is collected as garbage,
    Celery unsubscribes over the network, and may wait for a lock that its own thread holds.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/celery/issues/10477
    """
    backend.on_task_call = lambda producer, task_id: None
    backend.add_pending_result = lambda result, *_, **__: result
    backend.remove_pending_result = lambda result: result
