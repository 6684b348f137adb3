"""RabbitMQ's quorum queues, as an app or a worker declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from celery import Celery
from celery.utils.quorum_queues import detect_quorum_queues

__all__ = ["RABBITMQ", "QuorumQueue", "delays_messages", "quorum_queue", "quorum_queues"]

#: kombu's name of the kind of broker that has such queues.
RABBITMQ: Final = "amqp"


class QuorumQueue(NamedTuple):
    """A quorum queue; ``delivery_limit`` is ``None`` if its declaration gives none."""

    name: str
    delivery_limit: int | None = None


def quorum_queue(name: str, arguments: Mapping[str, Any] | None) -> QuorumQueue | None:
    """Return the quorum queue that these arguments declare; ``None`` for another type."""
    declared = arguments or {}
    if declared.get("x-queue-type") != "quorum":
        return None
    limit = declared.get("x-delivery-limit")
    return QuorumQueue(name, limit if isinstance(limit, int) else None)


def quorum_queues(app: Celery, names: Iterable[str]) -> tuple[QuorumQueue, ...]:
    """Return the quorum queues of these, as an app declares them."""
    found = (quorum_queue(name, _queue(app, name).queue_arguments) for name in set(names))
    return tuple(sorted(queue for queue in found if queue is not None))


def delays_messages(app: Celery, name: str) -> bool:
    """Tell whether RabbitMQ itself holds messages with a countdown for a queue.

    Celery's native delayed delivery does so if the app has a quorum queue, for queues whose
    exchange is not direct (``celery/app/base.py``, ``send_task``). Otherwise the worker holds
    them.
    """
    if not detect_quorum_queues(app, RABBITMQ)[0]:
        return False
    return bool(_queue(app, name).exchange.type != "direct")


def _queue(app: Celery, name: str) -> Any:
    """Return a queue as the app would declare it, without adding it to the app's queues."""
    queues = app.amqp.queues
    return queues[name] if name in queues else queues.new_missing(name)
