"""The records of runs in a Celery app's Redis, and the results of their calls in its backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from celery import Celery, states
from celery.app.backends import by_url
from celery.backends.redis import RedisBackend

from flowrunner.engines.cluster_settings import patience_settings
from flowrunner.engines.protocol import task_id
from flowrunner.engines.step_errors import stored_error
from flowrunner.engines.stored_results import read_meta, retries_of, stored_values
from flowrunner.errors import ConfigurationError
from flowrunner.password import without_password
from flowrunner.plan import Call
from flowrunner.raised import described, message_of
from flowrunner.runs.recorded import StepReader
from flowrunner.runs.redis_store import RedisRunStore
from flowrunner.runs.store import RunStoreUnreachableError, StepRow

__all__ = ["redis_records", "stored_steps"]

#: What the key of a task begins with, after the prefix that an app gives all of its keys.
_TASK: Final = b"celery-task-meta-"


def redis_records(app: Celery, url: str | None = None) -> tuple[RedisRunStore, StepReader]:
    """Return where an app's runs are recorded, and what reads their calls.

    ``url`` wins over the app's own result backend; the app stays as it is. Raises
    :class:`~flowrunner.errors.ConfigurationError` where results are not kept in Redis.
    """
    address = without_password(str(url or app.conf.result_backend))
    backend = _backend(app, url, address)
    if not isinstance(backend, RedisBackend):
        raise ConfigurationError(
            f"runs are recorded in Redis only, and the result backend is {address}: without "
            f"records there is no --detach, runs, show, watch, cancel and resume; use "
            f"--backend redis://…"
        )
    # Kept from waiting long for a server that is silent, as whoever queues runs is.
    patience = patience_settings(app.conf)
    for name, parameter in (
        ("redis_socket_timeout", "socket_timeout"),
        ("redis_socket_connect_timeout", "socket_connect_timeout"),
    ):
        if parameter in backend.connparams and not app.conf.value_set_for(name):
            backend.connparams[parameter] = patience[name]
    prefix = bytes(backend.task_keyprefix).removesuffix(_TASK).decode()
    store = RedisRunStore(
        backend.client,
        prefix=prefix,
        expires=backend.expires or None,
        address=address,
        masked=without_password,
    )
    return store, stored_steps(backend, masked=without_password)


def _backend(app: Celery, url: str | None, address: str) -> Any:
    """Return a result backend of its own, without changing the one that the app has."""
    try:
        kind, found = by_url(url or app.backend_cls or app.conf.result_backend, app.loader)
        return kind(app=app, url=found)
    except Exception as error:  # a URL or an option may be wrong in many ways
        raise ConfigurationError(
            f"the result backend {address} cannot be used: {without_password(described(error))}"
        ) from error


def stored_steps(backend: Any, *, masked: Callable[[str], str] = str) -> StepReader:
    """Return what reads the calls of an attempt, all of them in one question.

    ``masked`` takes passwords out of what an error says.
    """

    def read(attempt: UUID, calls: Sequence[Call]) -> Mapping[str, StepRow]:
        if not calls:
            return {}
        keys = [backend.get_key_for_task(task_id(call, attempt)) for call in calls]
        try:
            values = stored_values(backend, keys)
        except Exception as error:  # each backend fails in words of its own
            raise RunStoreUnreachableError(
                f"the result backend cannot be read: {masked(message_of(error))}; see that it "
                f"runs and can be reached"
            ) from error
        return {
            call.path: _row(call, read_meta(backend, value))
            for call, value in zip(calls, values, strict=True)
            if value is not None
        }

    return read


def _row(call: Call, meta: Mapping[str, Any]) -> StepRow:
    state, result = meta["status"], meta.get("result")
    worker = meta.get("worker")
    if state == states.STARTED and isinstance(result, dict):
        worker = result.get("hostname", worker)
    error = None
    if state in (states.FAILURE, states.REVOKED):
        error = stored_error(call, meta, worker)
    return StepRow(
        call.path,
        state,
        ended=_moment(meta.get("date_done")) if state in states.READY_STATES else None,
        retries=retries_of(meta) or 0,
        result=result if state == states.SUCCESS else None,
        has_result=state == states.SUCCESS,
        error_type=None if error is None else error.type,
        error_message="" if error is None else error.message,
        error_traceback="" if error is None else error.traceback,
        worker=worker,
        error_notes=() if error is None else error.notes,
        of_one_task=True,
    )


def _moment(text: Any) -> datetime | None:
    """Return Celery's ``date_done``, which is in UTC and need not say so."""
    try:
        found = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
