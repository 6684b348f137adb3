"""A question to every worker that ends as soon as each one has answered.

Celery waits for a second after the last answer: it does not know how many workers there are. A
Redis broker says how many have received the question, RabbitMQ how many consume a queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flowrunner.engines.celery_patches.brokers import counting_receivers

__all__ = ["NobodyListensError", "RollCall", "queue_consumers"]


class NobodyListensError(Exception):
    """The question has reached no worker."""


class RollCall:
    """The workers that have to answer, as far as the broker knows them.

    ``queues`` are those whose consumers matter, where the question is which queues each worker
    consumes.
    """

    def __init__(self, connection: Any, queues: Collection[str] = ()) -> None:
        self._connection = connection
        self._receivers: int | None = None
        is_redis = connection.transport.driver_type == "redis"
        self._consumers = {} if is_redis else queue_consumers(connection, queues)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Note how many workers receive what the connection's channel broadcasts.

        Raises :class:`NobodyListensError` for none: there is no answer to wait for.
        """
        if self._connection.transport.driver_type != "redis":
            yield
            return

        def note(receivers: int) -> None:
            self._receivers = receivers
            if not receivers:
                raise NobodyListensError

        with counting_receivers(self._connection.default_channel, note):
            yield

    def is_complete(self, answers: Collection[tuple[str, Any]]) -> bool:
        """Tell whether every worker has answered; false where the broker does not tell."""
        if self._receivers is not None:
            return len(answers) >= self._receivers
        if not any(self._consumers.values()):
            return False
        answered = Counter(
            queue["name"] for _, answer in answers if isinstance(answer, list) for queue in answer
        )
        return all(answered[queue] >= count for queue, count in self._consumers.items())


def queue_consumers(connection: Any, queues: Collection[str]) -> dict[str, int]:
    """Return how many clients consume each of these queues; 0 for one that is not there."""
    found = dict.fromkeys(queues, 0)
    for queue in found:
        with suppress(*connection.channel_errors), connection.channel() as channel:
            found[queue] = int(channel.queue_declare(queue, passive=True).consumer_count)
    return found
