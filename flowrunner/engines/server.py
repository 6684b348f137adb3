"""The broker and the result backend behind a Celery app, and what a Redis server tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from celery import Celery
from celery.backends.redis import RedisBackend
from redis import Redis

from flowrunner.engines.in_time import NoAnswerError, in_time
from flowrunner.password import without_password
from flowrunner.raised import message_of

__all__ = [
    "RedisFacts",
    "Server",
    "ask_redis",
    "backend_url",
    "broker_url",
    "examine_servers",
    "is_redis_cluster",
]

#: Seconds for the broker and the result backend to say how they are.
PATIENCE: Final = 5.0


@dataclass(frozen=True)
class Server:
    """A broker or a result backend.

    ``address`` is its URL, fit to be shown. ``failure`` says why it cannot be reached.
    ``cannot_join`` says why a result backend runs no chords. ``transport`` is the kind of broker
    that it is, in kombu's words. ``redis`` is what a Redis server says, ``rabbitmq`` the
    version of a RabbitMQ server.
    """

    role: str
    address: str
    transport: str = ""
    failure: str = ""
    cannot_join: str = ""
    redis: RedisFacts | None = None
    rabbitmq: str = ""

    @property
    def redis_cli(self) -> str:
        """The command that talks to a Redis server; it may want a password as well."""
        try:
            parts = urlsplit(self.address)
            host, port = parts.hostname, parts.port
        except ValueError:  # several servers, as Sentinel has
            return "redis-cli"
        if parts.scheme not in ("redis", "rediss") or not host:
            return "redis-cli"
        tls = " --tls" if parts.scheme == "rediss" else ""
        return f"redis-cli -h {host} -p {port or 6379}{tls}"

    @property
    def named(self) -> str:
        """What to call it."""
        return f"the {self.role} {self.address}"


def broker_url(app: Celery) -> str:
    """Return the broker's URL, fit to be shown."""
    return without_password(str(app.conf.broker_write_url))


def backend_url(app: Celery) -> str:
    """Return the result backend's URL, fit to be shown."""
    return without_password(str(app.conf.result_backend))


def examine_servers(app: Celery) -> tuple[Server, Server]:
    """Return an app's broker and result backend, within a few seconds whatever they do."""
    found = in_time(
        PATIENCE, {"broker": lambda: _broker(app), "result backend": lambda: _backend(app)}
    )
    addresses = {"broker": broker_url(app), "result backend": backend_url(app)}
    urls = {"broker": app.conf.broker_write_url, "result backend": app.conf.result_backend}
    broker, backend = (
        _unreached(role, addresses[role], str(urls[role]), answer)
        if isinstance(answer, Exception)
        else answer
        for role, answer in found.items()
    )
    return broker, backend


def _unreached(role: str, address: str, url: str, error: Exception) -> Server:
    if isinstance(error, NoAnswerError):
        failure = f"it does not answer within {PATIENCE:g} s"
        return Server(role, address, failure=failure)
    if re.search("database|cluster mode", message_of(error), re.I) and is_redis_cluster(url):
        return Server(role, address, redis=RedisFacts(info={"cluster_enabled": 1}))
    return Server(role, address, failure=_reason(error))


def _reason(error: BaseException) -> str:
    return without_password(message_of(error)) or type(error).__name__


def _broker(app: Celery) -> Server:
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.2)
        transport = str(connection.transport.driver_type)
        redis, rabbitmq = None, ""
        if transport == "redis":
            # The prefix of an app's keys is added by kombu's own client.
            redis = ask_redis(connection.default_channel.client, "_kombu.")
        elif transport == "amqp":
            told = connection.connection.server_properties
            rabbitmq = str(told.get("version", "")) if told.get("product") == "RabbitMQ" else ""
        return Server(
            "broker", broker_url(app), transport=transport, redis=redis, rabbitmq=rabbitmq
        )


def _backend(app: Celery) -> Server:
    address, backend = backend_url(app), app.backend
    cannot_join = _cannot_join(address, backend)
    if cannot_join:
        return Server("result backend", address, cannot_join=cannot_join)
    if isinstance(backend, RedisBackend):
        prefix = backend.task_keyprefix
        prefix = prefix.decode() if isinstance(prefix, bytes) else prefix
        redis = ask_redis(backend.client, prefix)
        if redis.is_cluster:
            return Server("result backend", address, redis=redis)
    else:
        redis = None
    backend.mget([backend.get_key_for_task("flowrunner")])
    return Server("result backend", address, redis=redis)


def _cannot_join(address: str, backend: Any) -> str:
    """Return why a result backend runs no chords, if it does not."""
    if address.startswith("cache+memory"):
        return "is each process's own memory, so no other process sees a worker's results"
    try:
        backend.ensure_chords_allowed()
    except NotImplementedError:
        return "cannot run chords, which workflows are made of"
    if not hasattr(backend, "mget"):
        return "cannot look up several results together"
    if not getattr(backend, "implements_incr", False) and not isinstance(backend, RedisBackend):
        return (
            "cannot run chords, which workflows are made of, on its own: Celery would look for "
            "the end of each one again and again, by a task that has to come to a worker"
        )
    return ""


#: Milliseconds that the key lives which is written to see whether any can be.
PROBE_LIFE: Final = 1_000


@dataclass(frozen=True)
class RedisFacts:
    """A server's ``INFO`` and what else was asked; ``None`` is what it did not tell.

    ``ahead`` is how far its clock is ahead of this machine's, at the least and at the most, in
    seconds. ``save`` are its save points, empty without any. ``untold`` says why something is
    ``None``; ``write_error`` why a key could not be written.
    """

    info: Mapping[str, Any] = field(default_factory=dict)
    save: str | None = None
    ahead: tuple[float, float] | None = None
    write_error: str | None = None
    untold: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return a number of ``INFO``; 0 where it is not told."""
        value = self.info.get(name, 0)
        return int(value) if isinstance(value, (int, float)) else 0

    @property
    def is_cluster(self) -> bool:
        """Whether it is a node of a Redis Cluster."""
        return self.number("cluster_enabled") == 1

    @property
    def version(self) -> str:
        """The version of Redis that it is, or is compatible with."""
        return str(self.info.get("redis_version", ""))


def ask_redis(client: Redis, key: str) -> RedisFacts:
    """Return what the server behind a client says; ``key`` begins the name of what it writes.

    Raises what the client raises when the server cannot be reached.
    """
    probe = f"{key}flowrunner-probe-{uuid4()}"
    pipeline = client.pipeline(transaction=False)
    pipeline.set(probe, 1, px=PROBE_LIFE)
    pipeline.delete(probe)
    pipeline.time()
    pipeline.info()
    pipeline.config_get("save")
    before = time()
    written, _, told, info, config = pipeline.execute(raise_on_error=False)
    after = time()
    untold = {
        name: str(answer)
        for name, answer in (("time", told), ("info", info), ("save", config))
        if isinstance(answer, Exception)
    }
    ahead = None
    if not isinstance(told, Exception):
        seconds = told[0] + told[1] / 1e6
        ahead = (seconds - after, seconds - before)
    return RedisFacts(
        info={} if isinstance(info, Exception) else info,
        save=config.get("save") if isinstance(config, dict) else None,
        ahead=ahead,
        write_error=str(written) if isinstance(written, Exception) else None,
        untold=untold,
    )


def is_redis_cluster(url: str) -> bool:
    """Tell whether a URL leads to a node of a Redis Cluster, which has no database but 0.

    A client that asks for another one is told that there is no such database, and no more.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in ("redis", "rediss"):
        return False
    address = f"{scheme}://{rest.partition('/')[0].partition('?')[0]}/0"
    with suppress(Exception):
        client = Redis.from_url(address, socket_timeout=2, socket_connect_timeout=2)
        return bool(client.info("cluster").get("cluster_enabled"))
    return False
