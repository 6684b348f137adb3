"""The Celery settings that flowrunner's own producers and workers have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["cluster_settings", "patience_settings", "producer_settings"]

#: Seconds for a broker or a backend to accept a connection.
CONNECT_TIMEOUT: Final = 5
#: Seconds for a broker or a backend that is connected to answer.
ANSWER_TIMEOUT: Final = 20

#: Connections that one process may keep to a broker; they are opened as they are needed. Whoever
#: publishes holds one for every header that is being queued inside another, and waits for the
#: next without end: with Celery's 10, a header nested eleven deep, or several runs side by side,
#: would never be queued.
CONNECTIONS: Final = 1000


def cluster_settings(broker: str, backend: str) -> dict[str, Any]:
    """Return the Celery settings that producers and workers of a cluster share."""
    return {
        "broker_url": broker,
        "result_backend": backend,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_track_started": True,
        "broker_connection_timeout": CONNECT_TIMEOUT,
        "broker_pool_limit": CONNECTIONS,
        "broker_connection_retry_on_startup": True,
        "redis_socket_connect_timeout": CONNECT_TIMEOUT,
        "result_backend_thread_safe": True,
    }


def producer_settings(broker: str, backend: str) -> dict[str, Any]:
    """Return the settings of who queues runs."""
    settings = cluster_settings(broker, backend)
    return {**settings, **patience_settings(settings)}


def patience_settings(conf: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of who does not wait long for a broker or a backend that is silent.

    What ``conf`` says of that already stays.
    """
    settings: dict[str, Any] = {
        "broker_pool_limit": CONNECTIONS,
        "redis_socket_timeout": ANSWER_TIMEOUT,
        "redis_socket_connect_timeout": CONNECT_TIMEOUT,
        "result_backend_thread_safe": True,
    }
    if str(conf.get("broker_write_url") or conf["broker_url"]).startswith(("redis", "rediss")):
        settings["broker_transport_options"] = {
            "socket_connect_timeout": CONNECT_TIMEOUT,
            "socket_timeout": ANSWER_TIMEOUT,
            **(conf.get("broker_transport_options") or {}),
        }
    return settings
