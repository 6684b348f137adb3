"""Messages of workers that have died, brought back from a Redis broker when that is known.

Redis as a broker keeps them for the visibility timeout, an hour by default: it cannot tell a dead
worker from a busy one. Leases can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from celery import Celery
from celery.utils.log import get_logger

from flowrunner.engines.lease import Leases
from flowrunner.engines.run_flags import is_task_of_a_run

__all__ = ["Redelivery"]

#: Messages that are looked at together.
TOGETHER: Final = 200

logger = get_logger(__name__)


class Redelivery:
    """Looks from time to time for what dead workers have not acknowledged of runs."""

    def __init__(self, app: Celery, leases: Leases) -> None:
        self._app = app
        self._leases = leases
        # Those whose tasks had succeeded at the last look: their workers may have died before
        # they told the chord.
        self._succeeded: set[str] = set()

    def look(self) -> int:
        """Queue again what dead workers ran; return how many messages.

        What has not started has no lease, so that nothing is known of it.
        """
        with self._app.connection_for_write() as connection:
            if connection.transport.driver_type != "redis":
                return 0
            channel = connection.default_channel
            messages = _unacknowledged(channel.client, channel.unacked_key)
            brought, succeeded = 0, set[str]()
            while batch := dict(islice(messages, TOGETHER)):
                dead, ended = self._leases.abandoned(sorted(set(batch.values())))
                for tag, task_id in batch.items():
                    if task_id in ended:
                        succeeded.add(tag)
                    if task_id in dead or (task_id in ended and tag in self._succeeded):
                        channel.qos.restore_by_tag(tag)
                        brought += 1
            self._succeeded = succeeded
            if brought:
                logger.warning("%d messages of workers that have died are queued again.", brought)
            return brought


def _unacknowledged(client: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield the delivery tag and the task's id of every message of a run that somebody has."""
    for tag, kept in client.hscan_iter(key, count=TOGETHER):
        message, *_ = json.loads(kept)
        headers = message.get("headers") or {}
        task_id: Any = headers.get("id")
        if is_task_of_a_run(task_id) and not _waits_for_its_time(headers.get("eta")):
            yield tag.decode() if isinstance(tag, bytes) else tag, task_id


def _waits_for_its_time(eta: str | None) -> bool:
    return eta is not None and datetime.fromisoformat(eta) > datetime.now(UTC)
