"""A kombu transport between threads that wakes its consumer instead of letting it poll.

Kombu's stock ``memory://`` transport sleeps between polls (a chord of 10 spends 1.5 s
waiting) and keeps its queues in class attributes, so that two apps in one process see each
other's messages. Here each :class:`MemoryBroker` is a world of its own and a consumer waits on
its condition variable.
"""

from __future__ import annotations

from collections import deque
from queue import Empty
from threading import Condition
from time import monotonic
from typing import Any

from kombu.transport import virtual

__all__ = ["MemoryBroker", "Transport"]


class MemoryBroker:
    """The messages of one engine, shared by the connections of its app.

    There is one queue, whatever a message's routing says: in one process one worker serves
    every queue, and a message for a queue that nobody consumes would wait for ever.
    """

    def __init__(self) -> None:
        self.state = virtual.BrokerState()  # type: ignore[no-untyped-call]
        self._messages: deque[Any] = deque()
        self._changed = Condition()
        self._closed = False
        self.sequence = 0
        #: Whether a message is on its way to the worker: a large one takes a while to be read.
        self.delivering = False

    def put(self, message: Any) -> None:
        """Append a message and wake the consumer."""
        with self._changed:
            self._messages.append(message)
            self.sequence += 1
            self._changed.notify_all()

    def get(self) -> Any:
        """Take the oldest message; raises :class:`queue.Empty`."""
        try:
            return self._messages.popleft()
        except IndexError:
            raise Empty from None

    def __len__(self) -> int:
        return len(self._messages)

    def wait_for_change(self, seen: int, timeout: float | None) -> None:
        """Wait until something came after sequence number ``seen``.

        Raises :class:`TimeoutError` after ``timeout`` seconds, and at once when the broker is
        closed: the consumer then looks whether it should stop.
        """
        with self._changed:
            changed = self._changed.wait_for(lambda: self._closed or self.sequence != seen, timeout)
            if self._closed or not changed:
                raise TimeoutError

    def close(self) -> None:
        """Wake the consumer for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Channel(virtual.Channel):
    """A channel to the broker of its connection."""

    # Messages never leave the process: no base64.
    body_encoding = None  # type: ignore[assignment]
    do_restore = False

    @property
    def _broker(self) -> MemoryBroker:
        broker: MemoryBroker = self.connection.broker
        return broker

    def basic_publish(
        self, message: dict[str, Any], exchange: str, routing_key: str, **_: Any
    ) -> None:
        """Publish a message to the one queue."""
        self._inplace_augment_message(  # type: ignore[no-untyped-call]
            message, exchange, routing_key
        )
        self._broker.put(message)

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        self._broker.put(message)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        return self._broker.get()

    def _size(self, queue: str) -> int:
        return len(self._broker)

    def _purge(self, queue: str) -> int:
        return 0


class Transport(virtual.Transport):
    """The transport; ``broker_transport_options={"broker": MemoryBroker()}`` names the world."""

    Channel = Channel
    driver_type = "memory"
    driver_name = "flowrunner-memory"

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)  # type: ignore[no-untyped-call]
        self.broker: MemoryBroker = client.transport_options["broker"]
        self.state = self.broker.state

    def driver_version(self) -> str:
        """Return the version of the driver: there is none."""
        return "N/A"

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Deliver one message, waiting up to ``timeout`` seconds for it."""
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            seen = self.broker.sequence
            self.broker.delivering = True
            try:
                self.cycle.get(self._deliver)  # type: ignore[union-attr]
            except Empty:
                self.broker.delivering = False
                remaining = None if deadline is None else max(deadline - monotonic(), 0)
                try:
                    self.broker.wait_for_change(seen, remaining)
                except TimeoutError:
                    raise TimeoutError from None  # what kombu's callers expect
            else:
                return
            finally:
                self.broker.delivering = False
