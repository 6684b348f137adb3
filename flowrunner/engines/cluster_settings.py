"""The Celery settings that flowrunner's own producers and workers have."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final

from redis.backoff import NoBackoff
from redis.retry import Retry

from flowrunner.errors import ConfigurationError
from flowrunner.password import without_password

__all__ = [
    "cluster_settings",
    "lacking_options",
    "patience_settings",
    "producer_settings",
    "tls_options",
    "with_given",
]

#: Seconds for a broker or a backend to accept a connection.
CONNECT_TIMEOUT: Final = 5
#: Seconds for a broker or a backend that is connected to answer.
ANSWER_TIMEOUT: Final = 20

#: Connections that one process may keep to a broker; they are opened as they are needed. Whoever
#: publishes holds one for every header that is being queued inside another, and waits for the
#: next without end: with Celery's 10, a header nested eleven deep, or several runs side by side,
#: would never be queued.
CONNECTIONS: Final = 1000

#: Setting → the address that it is about.
_TLS_ADDRESS: Final = {"broker_use_ssl": "broker_url", "redis_backend_use_ssl": "result_backend"}
#: Address → the options of its connections.
_OPTIONS_OF: Final = {
    "broker_url": "broker_transport_options",
    "result_backend": "result_backend_transport_options",
}
_SOCKET_PATIENCE: Final = {
    "socket_connect_timeout": CONNECT_TIMEOUT,
    "socket_timeout": ANSWER_TIMEOUT,
}
#: Of a Sentinel that is away: the next one is asked. redis-py would try it for seconds, each time.
_NOT_AGAIN: Final = Retry(NoBackoff(), 0)
_CERT_REQS: Final = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}


def cluster_settings(
    broker: str,
    backend: str,
    given: Mapping[str, Any] | None = None,
    *,
    own: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the Celery settings that producers and workers of a cluster share.

    ``own`` are those of one of the two, ``given`` what somebody has asked for, which wins. Raises
    :class:`~flowrunner.errors.ConfigurationError` where a Sentinel lacks what it needs.
    """
    settings = with_given(
        {
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
            **(own or {}),
        },
        {"broker_use_ssl": False, "redis_backend_use_ssl": False, **(given or {})},
    )
    settings |= _sentinel_patience(settings)
    if lacks := list(lacking_options(settings)):
        raise ConfigurationError("; ".join(lacks))
    return settings


def producer_settings(
    broker: str, backend: str, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the settings of who queues runs."""
    settings = cluster_settings(broker, backend, given)
    return {**settings, **patience_settings(settings)}


def with_given(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return Celery settings with those that somebody has asked for; options one by one.

    ``settings`` have the addresses, or else their TLS cannot be told.
    """
    merged = dict(settings)
    for name, value in given.items():
        if name in _TLS_ADDRESS:
            address = str(settings.get(_TLS_ADDRESS[name]) or "")
            tls = tls_options(address, value)
            if tls is not None:
                merged[name] = tls
        elif isinstance(value, Mapping):
            merged[name] = {**(settings.get(name) or {}), **value}
        elif name == "result_expires":
            merged |= {name: value, "result_chord_expires": value}
        else:
            merged[name] = value
    return merged


def lacking_options(conf: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the addresses in a configuration need beside and do not have."""
    for address, options in _OPTIONS_OF.items():
        what = address.removesuffix("_url").replace("_", " ")
        url = str(conf.get(address) or "")
        if url.startswith("sentinel") and not (conf.get(options) or {}).get("master_name"):
            yield (
                f"the {what} {without_password(url)} is a Sentinel, which needs the name of the "
                f'Redis: set {options} = {{ master_name = "mymaster" }}'
            )


def tls_options(address: str, given: Mapping[str, Any] | bool) -> dict[str, Any] | None:
    """Return what Celery is to be told of TLS for an address; ``None`` for nothing.

    A certificate has to be right unless somebody says otherwise: kombu takes any for rediss://,
    and Celery's backend refuses a rediss:// that does not say. What stands in the URL wins.
    Raises :class:`~flowrunner.errors.ConfigurationError` for what the client does not take.
    """
    scheme = address.partition("://")[0]
    if not given and scheme not in ("rediss", "amqps"):
        return None
    own = dict(given) if isinstance(given, Mapping) else {}
    own["ssl_cert_reqs"] = _CERT_REQS[str(own.get("ssl_cert_reqs", "required"))]
    if scheme.startswith(("redis", "sentinel")):
        _refuse_foreign(own, {"ssl_server_hostname"}, scheme)
        return own
    checks_name = own.pop("ssl_check_hostname", True)
    _refuse_foreign(own, {"ssl_password", "ssl_ca_path", "ssl_ca_data"}, scheme)
    if checks_name and own["ssl_cert_reqs"] != ssl.CERT_NONE:
        own.setdefault("ssl_server_hostname", None)  # kombu puts the broker's in
    return {key.removeprefix("ssl_"): value for key, value in own.items()}


def _refuse_foreign(options: Mapping[str, Any], foreign: set[str], scheme: str) -> None:
    if found := sorted(foreign & set(options)):
        raise ConfigurationError(f"TLS of {scheme}:// has no option {', '.join(found)}")


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
    if str(conf.get("broker_write_url") or conf["broker_url"]).startswith(("redis", "sentinel")):
        settings["broker_transport_options"] = {
            **_SOCKET_PATIENCE,
            **(conf.get("broker_transport_options") or {}),
        }
    return settings | _sentinel_patience({**conf, **settings})


def _sentinel_patience(conf: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with which nobody waits long for a Sentinel that is silent either."""
    return {
        options: {
            **(conf.get(options) or {}),
            "sentinel_kwargs": {
                **_SOCKET_PATIENCE,
                "retry": _NOT_AGAIN,
                **((conf.get(options) or {}).get("sentinel_kwargs") or {}),
            },
        }
        for address, options in _OPTIONS_OF.items()
        if str(conf.get(address) or "").startswith("sentinel")
    }
