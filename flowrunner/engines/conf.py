"""What of a Celery app's configuration decides whether runs go well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowrunner.duration import seconds_of

__all__ = ["Conf", "conf_of"]


@dataclass(frozen=True)
class Conf:
    """Settings of who queues or of a worker; times are in seconds.

    ``None`` is what is not set, or was not told.
    """

    acks_late: bool | None = None
    pool_limit: int | None = None
    prefetch_multiplier: int | None = None
    visibility_timeout: float | None = None
    result_expires: float | None = None
    chord_expires: float | None = None
    retry_on_worker_lost: bool | None = None
    soft_shutdown: float | None = None


def conf_of(conf: Mapping[str, Any]) -> Conf:
    """Return what matters of an app's configuration, as the app has it or as a worker tells it."""
    options = conf.get("broker_transport_options")
    return Conf(
        acks_late=_flag(conf.get("task_acks_late")),
        pool_limit=conf.get("broker_pool_limit"),
        prefetch_multiplier=conf.get("worker_prefetch_multiplier"),
        visibility_timeout=seconds_of(
            options.get("visibility_timeout") if isinstance(options, Mapping) else None
        ),
        result_expires=seconds_of(conf.get("result_expires")),
        chord_expires=seconds_of(conf.get("result_chord_expires")),
        retry_on_worker_lost=_flag(conf.get("task_retry_on_worker_lost")),
        soft_shutdown=seconds_of(conf.get("worker_soft_shutdown_timeout")),
    )


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)
