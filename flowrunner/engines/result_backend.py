"""What the result backend of flowrunner's own workers does better than Celery's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, Final

from celery import states
from celery.signals import celeryd_after_setup

from flowrunner.engines.celery_patches.backends import (
    change_meta,
    change_starts,
    change_writes,
    encoded_meta,
    is_too_long,
    stored_meta,
    wrap_chord_script,
    write_state,
)
from flowrunner.engines.failure_notes import FAILURE, noted_failure, with_failure
from flowrunner.engines.lease import lease_key
from flowrunner.engines.run_flags import is_task_of_a_run
from flowrunner.masking import knows_secrets, masked_data

__all__ = ["outlasting_claims", "patched_backend"]

#: Seconds between looks at a chord that another worker is about to go on with, and for how long:
#: Celery's claim lapses sooner (``_chord_publish_claim_expires``, a minute with our settings).
LOOK_EVERY: Final = 0.5
LONGEST_CLAIM: Final = 80.0

#: The name of the worker that this process is, or that it was forked from.
_this_worker: list[str | None] = [None]


@celeryd_after_setup.connect(weak=False)  # type: ignore[untyped-decorator]
def _remember_worker(sender: str, **_: Any) -> None:
    _this_worker[0] = sender


def patched_backend(backend: Any) -> Any:
    """Return a Celery result backend that tells of failures and loses no result to a retry."""
    change_meta(backend, _told)
    if _is_redis(backend):
        _keep_final_states(backend)
        _keep_results(backend)
        wrap_chord_script(backend, outlasting_claims)
    return backend


def _told(meta: dict[str, Any], state: str, request: Any) -> dict[str, Any]:
    """Return what is kept with what was raised and on which worker, the retries, and no secret."""
    if state in states.EXCEPTION_STATES:
        # A request that was made up, for a task that is unknown, does not name it.
        meta["worker"] = getattr(request, "hostname", None) or _this_worker[0]
    failure = noted_failure(request) if state == states.FAILURE else None
    if failure is not None:
        meta = with_failure(meta, failure)
    if retries := getattr(request, "retries", None):
        meta["retries"] = retries
    return _without_secrets(meta) if state in states.EXCEPTION_STATES else meta


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


def _keep_final_states(backend: Any) -> None:
    """Let no ``STARTED`` replace the final state of a run's task, whose message came twice."""

    def store_start(
        store: Callable[[Any], Any], task_id: str, result: Any, traceback: Any, request: Any
    ) -> Any:
        if not is_task_of_a_run(task_id):
            return store(result)
        if stored_meta(backend, task_id)["status"] not in states.READY_STATES:
            kept = encoded_meta(backend, task_id, result, states.STARTED, traceback, request)
            write_state(backend, task_id, kept, states.STARTED)
        return result

    change_starts(backend, store_start)


def _keep_results(backend: Any) -> None:
    """Let no ``RETRY`` take the place of how the task has ended in the meantime.

    Celery queues the next try before it stores that there is one: another thread or worker may
    have run it by then. With how a task of a run has ended its lease goes, in the same round trip.
    """
    start = len(backend.get_key_for_task("-")) - 1

    def store_and_release(key: bytes, value: str, state: str, lease: Any) -> None:
        expires = backend.failure_expires if state == states.FAILURE else backend.expires
        with backend.client.pipeline() as pipeline:
            pipeline.set(key, value, ex=expires or None)
            pipeline.publish(key, value)
            pipeline.delete(lease)
            pipeline.execute()

    def store_unless_ended(
        store: Callable[[bytes, str, str], None], key: bytes, value: str, state: str
    ) -> None:
        if state != states.RETRY:
            task_id = key[start:].decode()
            if state not in states.READY_STATES or not is_task_of_a_run(task_id):
                store(key, value, state)
            elif is_too_long(backend, value):
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

    change_writes(backend, store_unless_ended)


def _is_redis(backend: Any) -> bool:
    """Tell whether it is Celery's for Redis, whose imports an embedded run is spared."""
    module = sys.modules.get("celery.backends.redis")
    return module is not None and isinstance(backend, module.RedisBackend)


def outlasting_claims(script: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """Return a Celery script for a part of a chord that waits while all is there and claimed.

    So a chord goes on whose last member was killed as it was about to queue the body.
    """

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
