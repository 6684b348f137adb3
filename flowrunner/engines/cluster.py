"""A cluster as an engine finds it: whether everything is there that a plan needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from celery import Celery, states
from kombu.exceptions import OperationalError

from flowrunner.engines.celery_patches.backends import stop_subscribing
from flowrunner.engines.checks import Scene, Stage, look
from flowrunner.engines.cluster_settings import CONNECT_TIMEOUT
from flowrunner.engines.conf import conf_of
from flowrunner.engines.in_time import NoAnswerError, in_time
from flowrunner.engines.needs import Need, Needs, needs_of_calls, needs_of_plan
from flowrunner.engines.quorum import RABBITMQ, delays_messages, quorum_queues
from flowrunner.engines.server import backend_url, broker_url, examine_servers
from flowrunner.engines.worker_command import WorkerCommand
from flowrunner.engines.worker_facts import FACTS
from flowrunner.engines.worker_report import ask_reports
from flowrunner.engines.workers import Worker, Workers, consumers_on
from flowrunner.errors import BrokerError, EngineError, Finding, UnfitClusterError
from flowrunner.message_format import is_builtin_task
from flowrunner.password import without_password
from flowrunner.plan import Call, Plan
from flowrunner.planner.continuations import CONTINUE
from flowrunner.plugin_code import PluginDigest
from flowrunner.raised import message_of
from flowrunner.runs.step_state import StepState

__all__ = ["Cluster"]

#: Seconds for all workers to say everything that ``doctor`` asks.
WORKERS_PATIENCE: Final = 8.0
_OWN_TASKS: Final = (
    "stop them and start workers with the plugins, which [tool.flowrunner] or FLOWRUNNER_PLUGINS "
    "names there:"
)


class Cluster:
    """The broker, the result backend and the workers behind a Celery app.

    ``worker`` is the command that starts one, ``tasks_hint`` what to do about a task that none
    knows. ``plugins`` says what the producer has loaded.
    """

    def __init__(
        self,
        app: Celery,
        *,
        worker: WorkerCommand | None = None,
        tasks_hint: str = _OWN_TASKS,
        plugins: Callable[[], tuple[PluginDigest, ...]] = tuple,
    ) -> None:
        self._app = app
        self._crew = Workers(app)
        self._command = worker or WorkerCommand()
        self._tasks_hint = tasks_hint
        self._read_plugins = plugins
        self._scene: Scene | None = None
        self._workers: dict[str, Worker] = {}
        self._warnings: dict[Finding, None] = {}

    @cached_property
    def _plugins(self) -> tuple[PluginDigest, ...]:
        return self._read_plugins()

    def preflight(self) -> None:
        """Look whether broker and backend are there and fit.

        Raises :class:`~flowrunner.errors.UnfitClusterError`, within a few seconds, for what is
        not.
        """
        self._require(look(self._examined(), [Stage.CONNECTING]))
        stop_subscribing(self._app.backend)

    def check(self, plan: Plan) -> None:
        """Look whether workers are there for a plan, and whether all lasts as long as it.

        Raises :class:`~flowrunner.errors.UnfitClusterError` for what is not as it has to be.
        """
        needs = needs_of_plan(self._app, plan)
        with self._needing_broker():
            if not self._workers or self._lacks(needs):
                every = (*needs.calls, *needs.continuing)
                workers = self._crew.known({queue for queue, _ in every})
                self._workers = self._crew.with_plugins(workers) if self._plugins else workers
            consumers = None if self._workers else consumers_on(self._app, needs.calls)
        scene = self._scene or self._examined()
        found = replace(self._declared(scene, needs), workers=self._workers, consumers=consumers)
        self._require(look(found, [Stage.QUEUING]))

    def _lacks(self, needs: Needs) -> bool:
        """Tell whether a queue has no consumer, as far as known, or one that lacks a task."""
        for queue, task in needs.calls:
            consumers = [each for each in self._workers.values() if queue in each.queues]
            if not consumers:
                return True
            if not is_builtin_task(task) and any(task not in one.tasks for one in consumers):
                return True
        return any(
            not any(queue in worker.queues for worker in self._workers.values())
            for queue, _ in needs.continuing
        )

    def findings(self, needs: Needs) -> list[Finding]:
        """Return what every check finds, within some seconds; no finding is raised."""
        scene = replace(self._declared(self._examined(), needs), thorough=True)
        if scene.answers:
            asked = in_time(WORKERS_PATIENCE, {"workers": lambda: ask_reports(self._crew)})
            reports = asked["workers"]
            if isinstance(reports, Exception):
                reason = without_password(message_of(reports)) or type(reports).__name__
                if isinstance(reports, NoAnswerError):
                    reason = f"it stopped answering for {WORKERS_PATIENCE:g} s"
                scene = replace(scene, broker=replace(scene.broker, failure=reason))
            else:
                workers = {report.name: report.worker for report in reports}
                consumers = None if workers else self._consumers(needs)
                scene = replace(scene, workers=workers, reports=reports, consumers=consumers)
        return look(scene)

    def _consumers(self, needs: Needs) -> int | None:
        asked = in_time(CONNECT_TIMEOUT, {"": lambda: consumers_on(self._app, needs.calls)})[""]
        return None if isinstance(asked, Exception) else asked

    def _examined(self) -> Scene:
        broker, backend = examine_servers(self._app)
        conf = self._app.conf
        self._scene = Scene(
            broker=broker,
            backend=backend,
            conf=conf_of(conf),
            remote_control=bool(conf.worker_enable_remote_control),
            command=self._command,
            by_default=frozenset(self._app.amqp.queues.consume_from),
            tasks_hint=self._tasks_hint,
            plugins=self._plugins,
        )
        return self._scene

    def _declared(self, scene: Scene, needs: Needs) -> Scene:
        """Return the scene with what is needed, and how the app declares the queues for it."""
        if scene.broker.transport != RABBITMQ:
            return replace(scene, needs=needs)
        names = {queue for queue, _ in needs.calls}
        return replace(
            scene,
            needs=needs,
            quorum=quorum_queues(self._app, names),
            delayed=frozenset(name for name in names if delays_messages(self._app, name)),
        )

    def held_for(self, step: StepState) -> float:
        """Return the seconds for which the broker itself may hold a call's message.

        Celery's native delayed delivery on RabbitMQ does so; neither a queue nor a worker tells
        of such a message. That is the call's countdown, or the task's ``default_retry_delay`` if
        the task retries itself.
        """
        call, task = step.call, self._app.tasks.get(step.call.task)
        retries = step.state == states.RETRY and task is not None
        delay = task.default_retry_delay if retries else call.options.get("countdown")
        longest = float(delay or 0)
        if not longest or self._app.connection_for_write().transport.driver_type != RABBITMQ:
            return 0.0
        ((queue, _),) = self.needs([call])
        return longest if delays_messages(self._app, queue) else 0.0

    def _require(self, findings: list[Finding]) -> None:
        errors = [finding for finding in findings if finding.severity == "error"]
        if errors:
            raise UnfitClusterError(errors)
        self._warnings |= {each: None for each in findings if each.severity == "warning"}

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What has been found so far that runs can do with, until it matters."""
        return tuple(self._warnings)

    @property
    def workers(self) -> frozenset[str]:
        """The names of the workers that have answered so far."""
        return frozenset(self._workers)

    @property
    def broker(self) -> str:
        """The broker's URL, fit to be shown."""
        return broker_url(self._app)

    @property
    def backend(self) -> str:
        """The result backend's URL, fit to be shown."""
        return backend_url(self._app)

    @property
    def connection_errors(self) -> tuple[type[BaseException], ...]:
        """What broker and backend raise when their connection drops."""
        connection = self._app.connection_for_write()
        of_backend = getattr(self._app.backend, "connection_errors", ())
        return (OperationalError, *connection.connection_errors, *of_backend)

    @contextmanager
    def _needing_broker(self) -> Iterator[None]:
        try:
            yield
        except EngineError:
            raise
        # Whatever it is: each transport fails in words of its own.
        except Exception as error:
            reason = without_password(message_of(error)) or type(error).__name__
            raise BrokerError(f"the broker {self.broker} cannot be reached: {reason}") from error

    def connected(self) -> AbstractContextManager[Any]:
        """Return a context of a new connection to the broker, which answers."""
        return self._crew.connected()

    def ask(self, question: str, **options: Any) -> list[tuple[str, Any]]:
        """Return what workers answer; see :meth:`~flowrunner.engines.workers.Workers.ask`."""
        return self._crew.ask(question, **options)

    def can_continue(self, plan: Plan) -> bool:
        """Tell whether every worker that may get a plan's continuations can run them.

        A dynamic plan has none before the run: its sections do.
        """
        return self.can_run(call for call in plan.every_call() if call.kind == "continuation")

    def can_run(self, continuations: Iterable[Call]) -> bool:
        """Tell whether every worker that may get these continuations can run them."""
        needs = self.needs(continuations)
        if not needs:
            return True
        if not self._workers:
            with self._needing_broker():
                self._workers = self._crew.known({queue for queue, _ in needs})
        for queue, task in needs:
            consumers = [worker for worker in self._workers.values() if queue in worker.queues]
            if not consumers or not all(task in worker.tasks for worker in consumers):
                return False
        return True

    def plain_workers(self, plan: Plan) -> list[str]:
        """Return the workers for a plan's calls that do not say that they keep exceptions.

        Raises :class:`~flowrunner.errors.BrokerError`.
        """
        needs = self.needs(call for call in plan.every_call() if call.kind != "continuation")
        queues = {queue for queue, _ in needs}
        with self._needing_broker():
            if not self._workers:
                self._workers = self._crew.known(queues)
            asked = {
                name: worker for name, worker in self._workers.items() if queues & worker.queues
            }
            # Others would log that there is no such command.
            ours = sorted(name for name, worker in asked.items() if CONTINUE in worker.tasks)
            told = self._crew.ask(FACTS, workers=ours, limit=len(ours)) if ours else []
        keeping = {
            name
            for name, facts in told
            if isinstance(facts, Mapping) and facts.get("keeps_exceptions")
        }
        return sorted(asked.keys() - keeping)

    def needs(self, calls: Iterable[Call]) -> list[Need]:
        """Return the queues that calls use, each with the tasks that are to come from it."""
        return needs_of_calls(self._app, calls)

    def revoke(self, task_ids: list[str], *, terminate: bool = False) -> None:
        """Tell the workers to drop these tasks when they come to them."""
        self._crew.revoke(task_ids, terminate=terminate)
