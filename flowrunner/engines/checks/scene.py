"""What the checks look at: a cluster as it was found, and what is needed of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flowrunner.engines.conf import Conf
from flowrunner.engines.needs import Need, Needs
from flowrunner.engines.quorum import QuorumQueue
from flowrunner.engines.server import RedisFacts, Server
from flowrunner.engines.worker_command import WorkerCommand
from flowrunner.engines.worker_report import WorkerReport
from flowrunner.engines.workers import Worker
from flowrunner.errors import Finding
from flowrunner.plugin_code import PluginDigest

__all__ = ["RedisServer", "Scene", "error", "listed", "ok", "warning"]

#: Names that a finding lists; the others are counted.
MOST_NAMED: Final = 3


class RedisServer(NamedTuple):
    """A Redis server: what to call it, what it says, what it is here, how to talk to it."""

    name: str
    facts: RedisFacts
    roles: frozenset[str]
    redis_cli: str


@dataclass(frozen=True)
class Scene:
    """A cluster, as it was found.

    ``conf`` is that of who queues. ``workers`` are those that have answered, ``None`` before they
    were asked; ``reports`` what each says when all is asked, which only ``doctor`` does
    (``thorough``). ``consumers`` is how many clients wait for messages on the broker when no
    worker has answered. ``by_default`` are the queues of a worker that is not told which.
    ``quorum`` are the quorum queues that the app declares. ``delayed`` are the queues for which
    RabbitMQ itself holds messages with a countdown.
    """

    broker: Server
    backend: Server
    conf: Conf = field(default_factory=Conf)
    needs: Needs = field(default_factory=Needs)
    workers: Mapping[str, Worker] | None = None
    reports: tuple[WorkerReport, ...] = ()
    consumers: int | None = None
    remote_control: bool = True
    command: WorkerCommand = field(default_factory=WorkerCommand)
    by_default: frozenset[str] = frozenset()
    plugins: tuple[PluginDigest, ...] = ()
    quorum: tuple[QuorumQueue, ...] = ()
    delayed: frozenset[str] = frozenset()
    tasks_hint: str = ""
    thorough: bool = False

    @property
    def answers(self) -> bool:
        """Whether broker and result backend can be used, so that more can be asked."""
        servers = (self.broker, self.backend)
        return not any(
            each.failure or each.cannot_join or (each.redis is not None and each.redis.is_cluster)
            for each in servers
        )

    def redis(self) -> Iterator[RedisServer]:
        """Yield the Redis servers; one may be both broker and result backend."""
        found = [
            RedisServer(
                f"the Redis of the {each.role}",
                each.redis,
                frozenset([each.role]),
                each.redis_cli,
            )
            for each in (self.broker, self.backend)
            if each.redis is not None and not each.redis.is_cluster
        ]
        runs = {each.facts.info.get("run_id") for each in found}
        if len(found) == 2 and len(runs) == 1 and None not in runs:
            roles = found[0].roles | found[1].roles
            yield found[0]._replace(name="the Redis of broker and result backend", roles=roles)
        else:
            yield from found

    def visibility(self) -> float | None:
        """Return the seconds after which an unacknowledged message is delivered again, if ever.

        Each worker looks for such messages by its own setting: the shortest holds.
        """
        if self.broker.transport != "redis":
            return None
        told = [each.conf.visibility_timeout or VISIBILITY for each in self.reports]
        return min(told, default=self.conf.visibility_timeout or VISIBILITY)

    def quorum_queues(self) -> list[QuorumQueue]:
        """Return the quorum queues that are needed, as the app and the workers declare them."""
        needed = {queue for queue, _ in self.needs.calls}
        declared = {queue for queue in self.quorum if queue.name in needed}
        for worker in (self.workers or {}).values():
            declared |= {queue for queue in worker.quorum if queue.name in needed}
        return sorted(declared, key=lambda queue: (queue.name, queue.delivery_limit or 0))

    def start_worker(self, needs: Iterable[Need]) -> str:
        """Return the commands that start a worker of these queues with these tasks."""
        every = list(needs)
        queues = sorted({queue for queue, _ in every})
        return self.command.line(
            [] if self.by_default.issuperset(queues) else queues, [task for _, task in every]
        )


#: Seconds that kombu waits for an acknowledgement on Redis unless it is told otherwise.
VISIBILITY: Final = 3600.0


def ok(check: str, what: str) -> Finding:
    """Return that all is well."""
    return Finding("ok", check, what)


def error(check: str, what: str, why: str, cure: str) -> Finding:
    """Return what no run can do with."""
    return Finding("error", check, what, why, cure)


def warning(check: str, what: str, why: str, cure: str) -> Finding:
    """Return what runs can do with, until it matters."""
    return Finding("warning", check, what, why, cure)


def listed(names: Iterable[str], quote: str = "'") -> str:
    """Return the first names, and how many more there are."""
    every = sorted(set(names))
    shown = [f"{quote}{name}{quote}" for name in every[:MOST_NAMED]]
    rest = len(every) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest:,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else "none"
