"""Namespaces: projects that share a broker and a result backend and see nothing of each other.

Two settings of Celery's put keys apart in Redis. RabbitMQ has no prefix for its keys, so queues,
their exchanges, and the exchanges of remote control and of events have the namespace in their
names, on every broker.
"""

from __future__ import annotations

from copy import copy
from typing import Any, Final

from celery.app.amqp import AMQP
from kombu.entity import Exchange
from kombu.utils.objects import cached_property

from flowrunner.engines.celery_patches.brokers import queues_renamed_by

__all__ = ["NamespacedAMQP", "put_in_namespace"]

#: What a namespace and the rest of a name have between them; no namespace has either in it.
_IN_NAMES: Final = "."
_IN_KEYS: Final = ":"
_EXCHANGES: Final = ("control_exchange", "event_exchange")
_KEYS_IN_REDIS: Final = ("redis", "sentinel", "valkey")


def put_in_namespace(conf: Any, namespace: str) -> None:
    """Let an app's keys, and the exchanges that reach its workers, be in a namespace.

    What is in it already stays. A ``global_keyprefix`` that the options have comes first.
    """
    for name in _EXCHANGES:
        conf[name] = _named(namespace, conf[name])
    _prefix_keys(conf, "result_backend_transport_options", namespace)
    if str(conf.broker_write_url or "").startswith(_KEYS_IN_REDIS):
        _prefix_keys(conf, "broker_transport_options", namespace)


def _prefix_keys(conf: Any, name: str, namespace: str) -> None:
    options = conf.get(name) or {}
    theirs = str(options.get("global_keyprefix") or "")
    own = f"{namespace}{_IN_KEYS}"
    if not theirs.endswith(own):
        conf[name] = {**options, "global_keyprefix": f"{theirs}{own}"}


def _named(namespace: str, name: str) -> str:
    prefix = f"{namespace}{_IN_NAMES}"
    return name if name.startswith(prefix) else f"{prefix}{name}"


def _queue_in(namespace: str, queue: Any) -> Any:
    """Return a queue that is known by its own name and has another one on the broker."""
    name = _named(namespace, queue.name)
    if name == queue.name:
        return queue
    found = copy(queue)
    found.name, found.alias = name, queue.alias or queue.name
    found.exchange = _exchange_in(namespace, queue.exchange)
    if queue.routing_key == queue.name:
        found.routing_key = name
    return found


def _exchange_in(namespace: str, exchange: Any) -> Any:
    if exchange is None or not exchange.name:  # the broker's own, which leads to a queue by name
        return exchange
    found = copy(exchange)
    found.name = _named(namespace, exchange.name)
    return found


class NamespacedAMQP(AMQP):  # type: ignore[misc]
    """What an app knows of queues, for an app that has a ``flowrunner_namespace``."""

    def queues_cls(self, *args: Any, **options: Any) -> Any:
        """Return the app's queues."""
        queues = queues_renamed_by(lambda queue: _queue_in(self.app.flowrunner_namespace, queue))
        return queues(*args, **options)

    @cached_property
    def default_exchange(self) -> Any:
        """The exchange of a queue that names none."""
        conf = self.app.conf
        name, kind = conf.task_default_exchange, conf.task_default_exchange_type
        exchange = Exchange(name, kind)  # type: ignore[no-untyped-call]
        return _exchange_in(self.app.flowrunner_namespace, exchange)
