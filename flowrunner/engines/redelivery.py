"""Messages of workers that have died, brought back from a Redis broker when that is known.

Redis as a broker keeps them for the visibility timeout, an hour by default: it cannot tell a dead
worker from a busy one. So flowrunner's workers stamp what they receive of runs with who they are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from time import time
from typing import Any, Final

from celery import Celery
from celery.utils.log import get_logger

from flowrunner.engines.broker_keys import broker_keys
from flowrunner.engines.celery_patches.brokers import message_headers, on_received
from flowrunner.engines.lease import LEASE_LIFE
from flowrunner.engines.process_identity import (
    Holder,
    current_incarnation,
    is_dead,
    main_holder,
)
from flowrunner.engines.run_flags import is_task_of_a_run

__all__ = ["Redelivery", "stamp_messages"]

#: The header of a message that says which worker has received it, and when.
OWNER: Final = "flowrunner_owner"
#: Seconds after which a message that was received again was so by a worker that does not stamp.
STAMP_VALID: Final = 5.0
#: Messages that are looked at together.
TOGETHER: Final = 200

logger = get_logger(__name__)


def stamp_messages(qos: Any) -> None:
    """Let a channel keep of every message that it receives of runs who has received it."""

    def stamp(message: Any) -> None:
        headers = message_headers(message)
        if headers and is_task_of_a_run(headers.get("id")):
            headers[OWNER] = f"{main_holder()} {time()}"

    on_received(qos, stamp)


@dataclass(frozen=True)
class _Received:
    """A message that a worker has received and not acknowledged."""

    tag: str
    owner: Holder


class Redelivery:
    """Looks from time to time for what dead workers have not acknowledged of runs.

    A worker is dead when its process has gone, as far as that can be known on this machine; or
    when it has not been heard of at two looks: after Redis was away, all are silent at the first.
    """

    def __init__(self, app: Celery, *, every: float) -> None:
        self._app = app
        self._every = int(every)

    def announce(self) -> None:
        """Say that this worker lives."""
        self._client.set(self._alive(current_incarnation().token), 1, ex=int(LEASE_LIFE))

    def is_due(self) -> bool:
        """Tell whether a look is due; one worker of all takes it."""
        return bool(self._client.set(self._key("looked"), 1, ex=self._every, nx=True))

    def look(self) -> int:
        """Queue again what dead workers have received; return how many messages."""
        with self._app.connection_for_write() as connection:
            if connection.transport.driver_type != "redis":
                return 0
            channel = connection.default_channel
            messages, brought = _received(channel), 0
            silent_before, silent = self._silent_before(), set[str]()
            while batch := list(islice(messages, TOGETHER)):
                silent_now = self._silent({each.owner.incarnation for each in batch})
                silent |= silent_now
                for each in batch:
                    life = each.owner.incarnation
                    if is_dead(each.owner) or life in silent_now & silent_before:
                        channel.qos.restore_by_tag(each.tag)
                        brought += 1
            self._remember(silent)
        if brought:
            logger.warning("%d messages of workers that have died are queued again.", brought)
        return brought

    @property
    def _client(self) -> Any:
        return self._app.backend.client

    def _key(self, name: str) -> Any:
        return self._app.backend.get_key_for_task(f"flowrunner-{name}")

    def _alive(self, incarnation: str) -> Any:
        return self._key(f"alive-{incarnation}")

    def _silent(self, incarnations: Collection[str]) -> set[str]:
        asked = sorted(incarnations)
        answers = self._client.mget([self._alive(each) for each in asked])
        return {each for each, answer in zip(asked, answers, strict=True) if answer is None}

    def _silent_before(self) -> set[str]:
        return {each.decode() for each in self._client.smembers(self._key("silent"))}

    def _remember(self, silent: Collection[str]) -> None:
        key = self._key("silent")
        with self._client.pipeline() as pipeline:
            pipeline.delete(key)
            if silent:
                pipeline.sadd(key, *silent)
                pipeline.expire(key, 3 * self._every)
            pipeline.execute()


def _received(channel: Any) -> Iterator[_Received]:
    """Yield what workers with a stamp have received of runs and not acknowledged."""
    keys = broker_keys(channel)
    unacked, index = keys.named(channel.unacked_key), keys.named(channel.unacked_index_key)
    for tag, kept in keys.client.hscan_iter(unacked, count=TOGETHER):
        message, *_ = json.loads(kept)
        stamp = (message.get("headers") or {}).get(OWNER)
        received = keys.client.zscore(index, tag) if stamp else None
        if stamp is None or received is None:
            continue
        owner, _, at = stamp.partition(" ")
        if received - float(at) < STAMP_VALID:
            yield _Received(tag.decode(), Holder.read(owner))
