"""The records of runs in the Redis that a Celery app keeps its results in."""

from __future__ import annotations

from typing import Any, Final

from celery import Celery
from celery.app.backends import by_url
from celery.backends.redis import RedisBackend

from flowrunner.engines.cluster_settings import patience_settings
from flowrunner.engines.stored_steps import stored_steps
from flowrunner.errors import ConfigurationError
from flowrunner.password import without_password
from flowrunner.raised import described
from flowrunner.runs.recorded import StepReader
from flowrunner.runs.redis_store import RedisRunStore

__all__ = ["redis_records"]

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
