"""Patches of kombu: channels, queues, and remote control."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from celery.app.amqp import Queues

__all__ = [
    "acknowledge_tag",
    "broadcast",
    "counting_receivers",
    "list_of_queue",
    "message_headers",
    "on_received",
    "queues_renamed_by",
    "unacknowledged_tags",
]


def on_received(qos: Any, note: Callable[[Any], None]) -> None:
    """Call ``note`` with each message that a channel receives, before it is kept as unacknowledged.

    Changes: ``kombu.transport.redis.QoS.append``.
    Reason: Redis cannot tell a dead worker from a busy one: it delivers a message again after the
    visibility timeout, an hour by default. ``note`` writes the worker into the message.
    Checked: kombu 5.7.0. Issue: https://github.com/celery/celery/issues/4984
    """
    append = qos.append

    def noting(message: Any, delivery_tag: str) -> None:
        note(message)
        append(message, delivery_tag)

    qos.append = noting


def message_headers(message: Any) -> Any:
    """Return the headers of a received message that are kept until it is acknowledged.

    Uses: ``kombu.transport.virtual.base.Message._raw``.
    Reason: ``QoS.append`` writes this mapping to Redis, and ``message.headers`` may be a copy.
    Checked: kombu 5.7.0. Issue: none known.
    """
    return message._raw.get("headers")


def unacknowledged_tags(qos: Any) -> set[str]:
    """Return the tags of what a channel has received and neither acknowledged nor rejected.

    Uses: ``kombu.transport.virtual.base.QoS._delivered``,
    ``kombu.transport.virtual.base.QoS._dirty``.
    Checked: kombu 5.7.0.
    Reason: when a connection drops, kombu queues these messages again over the connection that has
    gone, which ends the worker.
    Issue: https://github.com/celery/kombu/issues/582 (the same ``AttributeError``).
    """
    return set(qos._delivered) - set(qos._dirty)


def acknowledge_tag(qos: Any, tag: str) -> None:
    """Acknowledge a message that was received over another connection to the same Redis.

    Uses: ``kombu.transport.redis.QoS._remove_from_indices``.
    Reason: ``QoS.ack`` knows the messages of its own connection only.
    Checked: kombu 5.7.0. Issue: none known.
    """
    qos._remove_from_indices(tag).execute()


def list_of_queue(channel: Any, queue: str, priority: int) -> str:
    """Return the name of the Redis list that holds a queue's messages of one priority.

    Uses: ``kombu.transport.redis.Channel._q_for_pri``.
    Reason: the options ``sep`` and ``priority_steps`` are in it.
    Checked: kombu 5.7.0. Issue: none known.
    """
    return str(channel._q_for_pri(queue, priority))


def queues_renamed_by(rename: Callable[[Any], Any]) -> type[Queues]:
    """Return a class of an app's queues; ``rename`` gives the queue that is declared for each.

    Changes: ``celery.app.amqp.Queues._add``.
    Reason: RabbitMQ has no prefix for names as Redis has for keys, and each way to add a queue
    ends here.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/kombu/issues/853 (the prefix of Redis).
    """

    class RenamedQueues(Queues):  # type: ignore[misc]
        def _add(self, queue: Any) -> Any:
            return super()._add(rename(queue))

    return RenamedQueues


def broadcast(app: Celery, connection: Any, question: str, **options: Any) -> None:
    """Ask workers a question over this connection; ``options`` are those of ``Mailbox._broadcast``.

    Changes: ``kombu.pidbox.Mailbox._producer_pool``; uses ``kombu.pidbox.Mailbox._broadcast``.
    Reason: ``Control.broadcast`` publishes over a pooled connection, whose receivers cannot be
    counted; so it waits a second after the last answer.
    Checked: kombu 5.7.0. Issue: none known.
    """
    mailbox = app.control.mailbox(connection)
    mailbox._producer_pool = None
    mailbox._broadcast(question, channel=connection.default_channel, **options)


@contextmanager
def counting_receivers(channel: Any, note: Callable[[int], None]) -> Iterator[None]:
    """Call ``note`` with how many clients have received each message that a channel broadcasts.

    Changes: ``kombu.transport.redis.Channel.conn_or_acquire``, ``redis.client.Redis.publish``.
    Reason: Redis answers with the number, and kombu drops the answer.
    Checked: kombu 5.7.0, redis-py 8.1.0. Issue: none known.
    """
    acquire = channel.conn_or_acquire

    @contextmanager
    def counted(client: Any = None) -> Iterator[Any]:
        with acquire(client) as found:
            publish = found.publish

            def publish_and_count(*args: Any, **options: Any) -> Any:
                receivers = publish(*args, **options)
                note(receivers)
                return receivers

            found.publish = publish_and_count
            yield found

    channel.conn_or_acquire = counted
    try:
        yield
    finally:
        channel.conn_or_acquire = acquire
