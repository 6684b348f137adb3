"""The workers on a broker, asked by Celery's remote control."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import Any, Final

from celery import Celery

from flowrunner.engines.celery_patches.brokers import broadcast, counting_receivers
from flowrunner.engines.quorum import QuorumQueue, quorum_queue
from flowrunner.engines.worker_facts import FACTS, plugins_told
from flowrunner.planner.continuations import CONTINUE
from flowrunner.plugin_code import PluginDigest

__all__ = [
    "QUERY_ANSWER",
    "WORKER_ANSWER",
    "NobodyListensError",
    "RollCall",
    "Worker",
    "Workers",
    "consumers_on",
    "queue_consumers",
    "workers_of",
]

#: Seconds to wait for a worker to answer.
WORKER_ANSWER: Final = 3.0
#: Seconds to wait for what workers run: every one that has a name answers, and two may share it.
QUERY_ANSWER: Final = 1.0
#: Seconds that a Redis broker lets a question to workers wait for the next answer.
POLLING_INTERVAL: Final = 0.02
#: More than there are workers; without a limit Celery takes one answer for each name.
EVERYBODY: Final = 10_000


@dataclass(frozen=True)
class Worker:
    """The queues that a worker consumes, which of them are quorum queues, the tasks it knows.

    ``plugins`` are those that a flowrunner worker says it has loaded.
    """

    queues: frozenset[str]
    tasks: frozenset[str]
    quorum: frozenset[QuorumQueue] = frozenset()
    plugins: tuple[PluginDigest, ...] = ()


class _CompleteError(Exception):
    """Every worker has answered."""


class Workers:
    """Whoever consumes what a Celery app queues."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Yield a new connection to the broker, which answers.

        Celery's broadcasts would try for ever to reach one that is away. And on Redis a pooled
        connection that has waited in vain for a reply swallows the reply to the next question.
        """
        with self._app.connection_for_write() as connection:
            if connection.get_transport_cls().driver_type == "redis":
                # kombu closes a channel once its last BRPOP has ended: after 1 s otherwise.
                connection.transport_options["polling_interval"] = POLLING_INTERVAL
            yield connection.ensure_connection(max_retries=1, interval_start=0.2)

    def ask(
        self,
        question: str,
        *,
        timeout: float | None = None,
        limit: int | None = None,
        arguments: dict[str, Any] | None = None,
        workers: list[str] | None = None,
        queues: Collection[str] = (),
    ) -> list[tuple[str, Any]]:
        """Return what workers answer, each with its name: two of them may have the same.

        Ends when ``limit`` workers have answered or every worker has, and otherwise ``timeout``
        seconds after the last answer, one by default. ``queues`` are those whose consumers are
        every worker, where the question is ``active_queues``.
        """
        answers: list[tuple[str, Any]] = []
        with self.connected() as connection:
            roll = RollCall(connection, queues)

            def note(reply: dict[str, Any]) -> None:
                answers.extend(reply.items())
                if workers is None and roll.is_complete(answers):
                    raise _CompleteError

            with suppress(_CompleteError, NobodyListensError), roll.counting():
                broadcast(
                    self._app,
                    connection,
                    question,
                    arguments=arguments,
                    destination=workers,
                    reply=True,
                    timeout=QUERY_ANSWER if timeout is None else timeout,
                    limit=limit or EVERYBODY,
                    callback=note,
                )
        return answers

    def known(self, queues: Collection[str] = ()) -> dict[str, Worker]:
        """Return the workers that answer, by name, with their queues and tasks.

        Of a broker that does not tell how many workers there are, at least those that consume
        ``queues``.
        """
        began = monotonic()
        consumed = self.ask("active_queues", queues=queues)
        if not consumed:
            # A worker that says it is ready may take a moment longer to listen.
            sleep(max(0, began + QUERY_ANSWER - monotonic()))
            patience = max(0, WORKER_ANSWER - QUERY_ANSWER)
            consumed = self.ask("active_queues", queues=queues, timeout=patience)
        if not consumed:
            return {}
        names = sorted({name for name, _ in consumed})
        tasks = self.ask("registered", workers=names, timeout=WORKER_ANSWER, limit=len(consumed))
        return workers_of(consumed, tasks)

    def with_plugins(self, workers: Mapping[str, Worker]) -> dict[str, Worker]:
        """Return the workers with the plugins that they say they have loaded."""
        # Others would log that there is no such command.
        ours = sorted(name for name, worker in workers.items() if CONTINUE in worker.tasks)
        told = dict(self.ask(FACTS, workers=ours, limit=len(ours))) if ours else {}
        return {
            name: replace(worker, plugins=plugins_told(told.get(name)))
            for name, worker in workers.items()
        }

    def revoke(self, task_ids: list[str], *, terminate: bool = False) -> None:
        """Tell the workers to drop these tasks when they come to them.

        ``terminate`` ends those that run as well, by SIGTERM, where a pool can.
        """
        if not task_ids:
            return
        # The run is being left: this is the last that can be tried.
        with suppress(Exception), self.connected() as connection:
            self._app.control.revoke(
                task_ids, connection=connection, terminate=terminate, signal="SIGTERM"
            )


def consumers_on(app: Celery, needs: Iterable[tuple[str, str]]) -> int | None:
    """Return how many clients wait for messages on the broker; ``None`` where it does not tell."""
    try:
        return _consumers_on(app, needs)
    except Exception:  # it may not be allowed; each transport fails in words of its own
        return None


def _consumers_on(app: Celery, needs: Iterable[tuple[str, str]]) -> int | None:
    with app.connection_for_write() as connection:
        channel = connection.ensure_connection(max_retries=1).default_channel
        if connection.transport.driver_type == "redis":
            if channel.global_keyprefix:
                return None  # those of other prefixes wait on the same database
            client = channel.client
            database = str(client.connection_pool.connection_kwargs.get("db", 0))
            return sum(
                bool(each.get("cmd") == "brpop" and each.get("db") == database)
                for each in client.client_list()
            )
        return sum(queue_consumers(connection, {queue for queue, _ in needs}).values())


def workers_of(queues: list[tuple[str, Any]], tasks: list[tuple[str, Any]]) -> dict[str, Worker]:
    """Return workers from their answers to ``active_queues`` and ``registered``.

    Of two with one name the queues of both count, and the tasks that both know: nobody can tell
    which of them takes a message.
    """
    found: dict[str, Worker] = {}
    known: Mapping[str, frozenset[str]] = _by_name(tasks)
    for name, answer in queues:
        if not isinstance(answer, list):  # {"error": …}
            continue
        consumed = frozenset(queue["name"] for queue in answer)
        declared = (quorum_queue(queue["name"], queue.get("queue_arguments")) for queue in answer)
        quorum = frozenset(queue for queue in declared if queue is not None)
        if name in found:
            consumed |= found[name].queues
            quorum |= found[name].quorum
        found[name] = Worker(consumed, known.get(name, frozenset()), quorum)
    return found


def _by_name(answers: list[tuple[str, Any]]) -> dict[str, frozenset[str]]:
    known: dict[str, frozenset[str]] = {}
    for name, answer in answers:
        if isinstance(answer, list):
            # "name [rate_limit=…]"
            tasks = frozenset(task.partition(" ")[0] for task in answer)
            known[name] = known[name] & tasks if name in known else tasks
    return known


class NobodyListensError(Exception):
    """The question has reached no worker."""


class RollCall:
    """The workers that have to answer, as far as the broker knows them.

    Celery waits for a second after the last answer: it does not know how many workers there are. A
    Redis broker says how many have received the question, RabbitMQ how many consume a queue.

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
