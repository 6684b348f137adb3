"""The broker and the result backend behind a Celery app, as they are found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from celery import Celery
from celery.backends.redis import RedisBackend

from flowrunner.engines.in_time import NoAnswerError, in_time
from flowrunner.engines.redis_facts import RedisFacts, ask_redis, is_redis_cluster
from flowrunner.password import without_password
from flowrunner.raised import message_of

__all__ = ["Server", "backend_url", "broker_url", "examine_servers"]

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
        return "is each process's own memory, where nobody sees what a worker keeps"
    try:
        backend.ensure_chords_allowed()
    except NotImplementedError:
        return "cannot run chords, which workflows are made of"
    if not hasattr(backend, "mget"):
        return "keeps no results that can be looked up together"
    if not getattr(backend, "implements_incr", False) and not isinstance(backend, RedisBackend):
        return (
            "cannot run chords, which workflows are made of, on its own: Celery would look for "
            "the end of each one again and again, by a task that has to come to a worker"
        )
    return ""
