"""A cluster as an engine finds it: whether everything is there that a plan needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from celery import Celery
from kombu.exceptions import OperationalError

from flowrunner.engines.messages import message_of
from flowrunner.errors import BrokerError, EngineError
from flowrunner.password import without_password
from flowrunner.plan import Call, Plan
from flowrunner.raised import described

__all__ = ["Cluster"]

#: Seconds to wait for a worker to answer.
WORKER_ANSWER: Final = 3.0
#: Seconds to wait for what workers run: every one that has a name answers, and two may share it.
QUERY_ANSWER: Final = 1.0
#: More than there are workers; without a limit Celery takes one answer for each name.
EVERYBODY: Final = 10_000

OWN_WORKER: Final = "celery -A flowrunner.worker worker"
OWN_TASKS_HINT: Final = (
    "a worker has the plugins that [tool.flowrunner] or FLOWRUNNER_PLUGINS names where it starts"
)

#: Options of a call that decide which queue it goes to.
_ROUTING: Final = ("queue", "exchange", "routing_key")


def _stop_subscribing(backend: Any) -> None:
    """Keep a result backend from subscribing to every single result.

    Nobody reads what would arrive, and unsubscribing as each result is collected as garbage
    reaches for the network (``celery/result.py``, ``AsyncResult.__del__``).
    """
    backend.on_task_call = lambda producer, task_id: None
    backend.add_pending_result = lambda result, *_, **__: result
    backend.remove_pending_result = lambda result: result


@dataclass(frozen=True)
class _Worker:
    queues: frozenset[str]
    tasks: frozenset[str]


class Cluster:
    """The broker, the result backend and the workers behind a Celery app.

    ``worker`` is the command that starts one, ``tasks_hint`` what to do about a task that none
    knows.
    """

    def __init__(
        self, app: Celery, *, worker: str = OWN_WORKER, tasks_hint: str = OWN_TASKS_HINT
    ) -> None:
        self._app = app
        self._start_worker = worker
        self._tasks_hint = tasks_hint
        self._workers: dict[str, _Worker] = {}
        self._knows_everybody = False

    def preflight(self) -> None:
        """Look whether broker, backend and a worker are there.

        Raises :class:`~flowrunner.errors.BrokerError`, within a few seconds, for what is not.
        """
        with self._needing("broker", self.broker), self.connected():
            pass
        with self._needing("result backend", self.backend):
            self._check_backend()
        with self._needing("broker", self.broker):
            self._workers = self._ask_workers(limit=1)  # more are asked when a plan needs them
        if not self._workers:
            raise BrokerError(
                f"no worker answers on {self.broker} within {WORKER_ANSWER:g} s; start one that "
                f"has the tasks: {self._start_worker}{self._silent()}"
            )

    def _silent(self) -> str:
        if self._app.conf.worker_enable_remote_control:
            return ""
        return ", and switch worker_enable_remote_control on: without it none can answer"

    @property
    def workers(self) -> frozenset[str]:
        """The names of the workers that have answered so far."""
        return frozenset(self._workers)

    @property
    def broker(self) -> str:
        """The broker's URL, fit to be shown."""
        return without_password(str(self._app.conf.broker_write_url))

    @property
    def backend(self) -> str:
        """The result backend's URL, fit to be shown."""
        return without_password(str(self._app.conf.result_backend))

    @property
    def connection_errors(self) -> tuple[type[BaseException], ...]:
        """What broker and backend raise when their connection drops."""
        connection = self._app.connection_for_write()
        of_backend = getattr(self._app.backend, "connection_errors", ())
        return (OperationalError, *connection.connection_errors, *of_backend)

    @contextmanager
    def _needing(self, what: str, address: str) -> Iterator[None]:
        try:
            yield
        except EngineError:
            raise
        # Whatever it is: each transport and each backend fails in words of its own.
        except Exception as error:
            reason = without_password(message_of(error)) or type(error).__name__
            raise BrokerError(f"the {what} {address} cannot be reached: {reason}") from error

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """Yield a new connection to the broker, which answers.

        Celery's broadcasts would try for ever to reach one that is away. And on Redis a pooled
        connection that has waited in vain for a reply swallows the reply to the next question.
        """
        with self._app.connection_for_write() as connection:
            yield connection.ensure_connection(max_retries=1, interval_start=0.2)

    def ask(
        self,
        question: str,
        *,
        timeout: float | None = None,
        limit: int = EVERYBODY,
        arguments: dict[str, Any] | None = None,
        workers: list[str] | None = None,
    ) -> list[tuple[str, Any]]:
        """Return what workers answer, each with its name: two of them may have the same.

        Takes ``timeout`` seconds (one unless it is given), or until ``limit`` workers have
        answered.
        """
        with self.connected() as connection:
            replies = self._app.control.broadcast(
                question,
                arguments=arguments,
                destination=workers,
                connection=connection,
                reply=True,
                timeout=QUERY_ANSWER if timeout is None else timeout,
                limit=limit,
            )
        return [answer for reply in replies or () for answer in reply.items()]

    def _check_backend(self) -> None:
        backend = self._app.backend
        if self.backend.startswith("cache+memory"):
            raise BrokerError(
                f"the result backend {self.backend} is each process's own memory, where nobody "
                f"sees what a worker keeps; use one that is shared: --backend redis://…"
            )
        try:
            backend.ensure_chords_allowed()
        except NotImplementedError as error:
            raise BrokerError(
                f"the result backend {self.backend} cannot run chords, which workflows are made "
                f"of; use one that can: --backend redis://…"
            ) from error
        if not hasattr(backend, "mget"):
            raise BrokerError(
                f"the result backend {self.backend} keeps no results that can be looked up "
                f"together; use one that does: --backend redis://…"
            )
        backend.mget([backend.get_key_for_task("flowrunner")])
        _stop_subscribing(backend)

    def _ask_workers(self, limit: int, timeout: float = WORKER_ANSWER) -> dict[str, _Worker]:
        queues = dict(self.ask("active_queues", timeout=timeout, limit=limit))
        if not queues:
            return {}
        names = list(queues)
        tasks = dict(self.ask("registered", workers=names, timeout=WORKER_ANSWER, limit=len(names)))
        return {
            name: _Worker(
                frozenset(queue["name"] for queue in queues[name]),
                # "name [rate_limit=…]"
                frozenset(task.partition(" ")[0] for task in tasks.get(name, ())),
            )
            for name in names
        }

    def check(self, plan: Plan) -> None:
        """Raise :class:`~flowrunner.errors.BrokerError` for a call that no worker would run."""
        needs = self.needs(call for call in plan.every_call() if call.kind != "continuation")
        if any(self._lack(queue, task) for queue, task in needs):
            with self._needing("broker", self.broker):
                self._workers = self._ask_workers(EVERYBODY)
        lacks = [lack for queue, task in needs if (lack := self._lack(queue, task))]
        if lacks:
            raise BrokerError("; ".join(lacks))

    def can_continue(self, plan: Plan) -> bool:
        """Tell whether whoever may get a plan's continuations can run them."""
        needs = self.needs(call for call in plan.every_call() if call.kind == "continuation")
        if not needs:
            return True
        if not self._knows_everybody:
            with self._needing("broker", self.broker):
                self._workers |= self._ask_workers(EVERYBODY, timeout=QUERY_ANSWER)
            self._knows_everybody = True
        for queue, task in needs:
            consumers = self._consumers(queue).values()
            if not consumers or not all(task in worker.tasks for worker in consumers):
                return False
        return True

    def needs(self, calls: Iterable[Call]) -> list[tuple[str, str]]:
        """Return the queues that calls use, each with the tasks that are to come from it."""
        examples: dict[tuple[Any, ...], tuple[str, Call]] = {}
        for call in calls:
            # Celery's own map task goes to a queue as itself and then calls the plan's task.
            message = f"celery.{call.kind}" if call.kind in ("map", "starmap") else call.task
            routing = tuple(call.options.get(option) for option in _ROUTING)
            examples.setdefault((message, call.task, routing), (message, call))
        return sorted({(self._queue(*example), example[1].task) for example in examples.values()})

    def _queue(self, message: str, call: Call) -> str:
        task = self._app.tasks.get(message)
        own = {} if task is None else task._get_exec_options()
        options = {name: value for name, value in own.items() if value is not None}
        try:
            route = self._app.amqp.router.route(
                {**options, **call.options}, message, call.args, call.kwargs, task
            )
        except Exception as error:  # a router is anybody's function
            raise EngineError(
                f"the app cannot say where task '{call.task}' goes: {described(error)}"
            ) from error
        queue = route.get("queue")
        return str(getattr(queue, "name", queue) or self._app.conf.task_default_queue)

    def _consumers(self, queue: str) -> dict[str, _Worker]:
        return {name: worker for name, worker in self._workers.items() if queue in worker.queues}

    def _lack(self, queue: str, task: str) -> str | None:
        consumers = self._consumers(queue)
        if not consumers:
            return (
                f"no worker consumes the queue '{queue}', where task '{task}' goes; start one: "
                f"{self._start_worker} -Q {queue}"
            )
        if task.startswith("celery.") or any(task in each.tasks for each in consumers.values()):
            return None
        return (
            f"no worker knows the task '{task}' (asked: {', '.join(sorted(consumers))}); "
            f"{self._tasks_hint}"
        )

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
