"""Where the tasks of a run are on a cluster: queued, at a worker, or nowhere any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flowrunner.engines.broker_keys import broker_keys
from flowrunner.engines.celery_patches.brokers import list_of_queue
from flowrunner.message_format import task_ids_in

if TYPE_CHECKING:
    from flowrunner.engines.cluster import Cluster

__all__ = ["Whereabouts", "whereabouts"]

#: Messages that are looked through at once.
_PAGE: Final = 500


@dataclass(frozen=True)
class Whereabouts:
    """Which of the tasks that were asked for are where.

    ``at_workers`` have a worker that runs them or is about to, ``queued`` are on the broker.
    ``held`` have been delivered and not been acknowledged: by a worker that runs them, or by one
    that is gone, until the broker delivers them again. ``answered`` names the workers that said
    what they have, ``solo`` those of them that do not answer while a task runs.
    """

    at_workers: frozenset[str]
    queued: frozenset[str]
    held: frozenset[str]
    answered: frozenset[str]
    solo: frozenset[str]


def whereabouts(cluster: Cluster, task_ids: Iterable[str], queues: Iterable[str]) -> Whereabouts:
    """Ask every worker, and look into the queues, for tasks.

    Where a broker's queues cannot be read, all are taken for queued as long as one of the
    queues is not empty. Raises what the broker's client raises when it is away.
    """
    wanted = frozenset(task_ids)
    answers = cluster.ask("query_task", arguments={"ids": sorted(wanted)})
    scheduled = cluster.ask("scheduled")
    at_workers = {
        task_id for _, tasks in answers for task_id, (state, _) in tasks.items() if state != "ready"
    }
    at_workers |= {each["request"]["id"] for _, tasks in scheduled for each in tasks}
    answered = frozenset(worker for worker, _ in answers)
    with cluster.connected() as connection:
        channel = connection.default_channel
        if connection.transport.driver_type == "redis":
            queued = set(_in_lists(channel, queues))
            keys = broker_keys(channel)
            held = set(task_ids_in(keys.client.hvals(keys.named(channel.unacked_key))))
        else:
            waiting = any(_message_count(channel, queue) for queue in queues)
            queued, held = (set(wanted) if waiting else set()), set()
    return Whereabouts(
        frozenset(at_workers & wanted),
        frozenset(queued & wanted),
        frozenset(held & wanted),
        answered,
        frozenset(
            worker
            for worker, stats in cluster.ask("stats")
            if "solo" in str(stats.get("pool", {}).get("implementation"))
        ),
    )


def _in_lists(channel: Any, queues: Iterable[str]) -> Iterator[str]:
    """Yield the ids in a Redis broker's lists; each queue has one for every priority."""
    keys = broker_keys(channel)
    for queue in queues:
        for priority in channel.priority_steps:
            key, start = keys.named(list_of_queue(channel, queue, priority)), 0
            while page := keys.client.lrange(key, start, start + _PAGE - 1):
                yield from task_ids_in(page)
                start += _PAGE


def _message_count(channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except channel.connection.client.channel_errors:  # there is no such queue
        return 0
