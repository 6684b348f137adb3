"""What the result backend of flowrunner's own workers does better than Celery's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, Final

from celery import states
from celery.signals import celeryd_after_setup

from flowrunner.engines.failure_notes import FAILURE, noted_failure, with_failure
from flowrunner.engines.lease import lease_key
from flowrunner.engines.run_flags import is_task_of_a_run
from flowrunner.masking import knows_secrets, masked_data

__all__ = ["mended_backend", "outlasting_claims"]

#: Seconds between looks at a chord that another worker is about to go on with, and for how long:
#: Celery's claim lapses sooner (``_chord_publish_claim_expires``, a minute with our settings).
LOOK_EVERY: Final = 0.5
LONGEST_CLAIM: Final = 80.0

#: The name of the worker that this process is, or that it was forked from.
_this_worker: list[str | None] = [None]


@celeryd_after_setup.connect(weak=False)  # type: ignore[untyped-decorator]
def _remember_worker(sender: str, **_: Any) -> None:
    _this_worker[0] = sender


def mended_backend(backend: Any) -> Any:
    """Return a Celery result backend that tells of failures and loses no result to a retry."""
    _tell_of_failures(backend)
    if _is_redis(backend):
        _keep_ends(backend)
        _keep_results(backend)
        _outlast_claims(backend)
    return backend


def _tell_of_failures(backend: Any) -> None:
    """Keep what was raised and on which worker, with every state the retries, and no secret.

    Celery keeps worker and retries with ``result_extended`` only, together with all arguments.
    """
    meta_of = backend._get_result_meta

    def told(
        result: Any, state: str, traceback: Any, request: Any, **options: Any
    ) -> dict[str, Any]:
        meta: dict[str, Any] = meta_of(result, state, traceback, request, **options)
        if state in states.EXCEPTION_STATES:
            # A request that was made up, for a task that is unknown, does not name it.
            meta["worker"] = getattr(request, "hostname", None) or _this_worker[0]
        failure = noted_failure(request) if state == states.FAILURE else None
        if failure is not None:
            meta = with_failure(meta, failure)
        if retries := getattr(request, "retries", None):
            meta["retries"] = retries
        return _without_secrets(meta) if state in states.EXCEPTION_STATES else meta

    backend._get_result_meta = told


def _without_secrets(meta: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a failure, with its texts masked.

    The values are those of all messages that this process has received: the body of a chord fails
    with the error of a member. Names of types stay, and ids.
    """
    if not knows_secrets():
        return meta
    masked = {**meta, "traceback": masked_data(meta.get("traceback"))}
    for name, texts in (("result", ("exc_message",)), (FAILURE, ("message", "notes"))):
        if isinstance(told := meta.get(name), dict):
            masked[name] = {
                key: masked_data(each) if key in texts else each for key, each in told.items()
            }
    return masked


def _keep_ends(backend: Any) -> None:
    """Let no ``STARTED`` take the place of how a task of a run has ended: its message came twice.

    Celery looks for success alone (``celery/backends/base.py``, ``_store_result``).
    """
    store = backend._store_result

    def store_result(
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Any = None,
        **options: Any,
    ) -> Any:
        if state != states.STARTED or not is_task_of_a_run(task_id):
            return store(task_id, result, state, traceback, request=request, **options)
        if backend._get_task_meta_for(task_id)["status"] not in states.READY_STATES:
            meta = backend._get_result_meta(result, state, traceback, request)
            kept = backend.encode({**meta, "task_id": task_id})
            backend._set_with_state(backend.get_key_for_task(task_id), kept, state)
        return result

    backend._store_result = store_result


def _keep_results(backend: Any) -> None:
    """Let no ``RETRY`` take the place of how the task has ended in the meantime.

    Celery queues the next try before it stores that there is one (``celery/app/task.py``,
    ``retry``; ``celery/app/trace.py``): another thread or worker may have run it by then.
    With how a task of a run has ended its lease goes, in the same round trip.
    """
    store = backend._set_with_state
    start = len(backend.get_key_for_task("-")) - 1

    def store_and_release(key: bytes, value: str, state: str, lease: Any) -> None:
        expires = backend.failure_expires if state == states.FAILURE else backend.expires
        with backend.client.pipeline() as pipeline:
            pipeline.set(key, value, ex=expires or None)
            pipeline.publish(key, value)
            pipeline.delete(lease)
            pipeline.execute()

    def store_unless_ended(key: bytes, value: str, state: str) -> None:
        if state != states.RETRY:
            task_id = key[start:].decode()
            if state not in states.READY_STATES or not is_task_of_a_run(task_id):
                store(key, value, state)
            elif len(value) > backend._MAX_STR_VALUE_SIZE:
                store(key, value, state)  # which says so
            else:
                lease = lease_key(backend, task_id)
                backend.ensure(store_and_release, (key, value, state, lease))
            return

        def unless_ended(pipeline: Any) -> None:
            current = pipeline.get(key)
            pipeline.multi()
            if current is None or backend.decode(current)["status"] not in states.READY_STATES:
                pipeline.set(key, value, ex=backend.expires or None)

        backend.ensure(backend.client.transaction, (unless_ended, key))

    backend._set_with_state = store_unless_ended


def _is_redis(backend: Any) -> bool:
    """Tell whether it is Celery's for Redis, whose imports an embedded run is spared."""
    module = sys.modules.get("celery.backends.redis")
    return module is not None and isinstance(backend, module.RedisBackend)


def _outlast_claims(backend: Any) -> None:
    """Let a chord go on whose last member was killed as it was about to queue the body.

    Celery 5.7 lets one worker claim that. The member comes again before the claim of the dead
    worker has lapsed, and would be the last one to look.
    """

    from celery.backends import redis as celery_redis

    text = getattr(celery_redis, "CHORD_PART_RETURN_LUA", None)
    if text is None:  # another Celery, which claims nothing or does so otherwise
        return

    def script() -> Callable[..., Any]:
        registered: Callable[..., Any] = backend.client.register_script(text)
        return registered

    backend.__dict__["_chord_part_return_script"] = outlasting_claims(script)


def outlasting_claims(script: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """Return a Celery script for a part of a chord that waits while all is there and claimed."""

    def returned(**given: Any) -> Any:
        run, until = script(), monotonic() + LONGEST_CLAIM
        while True:
            found = run(**given)
            ready, more, size, claimed = found
            complete = size and ready == int(size) + int(more or 0)
            if claimed or not complete or monotonic() >= until:
                return found
            sleep(LOOK_EVERY)

    return returned
