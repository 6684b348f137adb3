"""The celery engine: plans run by workers of a cluster, over a broker and a result backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from celery import Celery

from flowrunner.engines import continuation
from flowrunner.engines.application import build_app, pin_addresses
from flowrunner.engines.cluster import Cluster
from flowrunner.engines.cluster_settings import producer_settings
from flowrunner.engines.follower import Follower
from flowrunner.engines.needs import Needs, needs_of_plan, needs_of_registry
from flowrunner.engines.protocol import RunLostError
from flowrunner.engines.publication import Publication
from flowrunner.engines.run_flags import root_of
from flowrunner.engines.worker_command import WorkerCommand
from flowrunner.engines.worker_facts import FACTS
from flowrunner.environment import require_environment
from flowrunner.errors import BrokerError, Finding
from flowrunner.plan import Plan
from flowrunner.plugin_code import PluginDigest
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.unfolding import Unfolding
from flowrunner.tasks import TaskRegistry

__all__ = ["CeleryEngine"]

#: What a plan may cost as one canvas, in bytes, where workers know nothing of continuations.
LARGEST_CANVAS: Final = 256_000_000
#: What a worker of another app includes to know them.
CONTINUATION_MODULE: Final = continuation.__name__


class CeleryEngine:
    """Queues plans on a broker and follows their tasks in the result backend.

    ``given`` are Celery settings that the user gives. Runs of another ``namespace``
    on the same servers are out of its sight. ``plugins`` says what the tasks' code is here.
    """

    def __init__(
        self,
        registry: TaskRegistry,
        *,
        configure: Callable[[Celery], None],
        broker: str,
        backend: str,
        given: Mapping[str, Any] | None = None,
        worker: WorkerCommand | None = None,
        namespace: str | None = None,
        plugins: Callable[[], tuple[PluginDigest, ...]] = tuple,
    ) -> None:
        self._registry = registry
        settings = producer_settings(broker, backend, given)
        self._app = build_app(registry, settings, configure=configure, namespace=namespace)
        pin_addresses(self._app, broker=broker, backend=backend)
        worker = worker or WorkerCommand(broker=broker, backend=backend)
        self._cluster = Cluster(self._app, worker=worker, plugins=plugins)

    def __enter__(self) -> Self:
        self._cluster.preflight()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._app.close()

    @property
    def app(self) -> Celery:
        """The Celery app that it queues with."""
        return self._app

    def has_supervisors(self) -> bool:
        """Tell whether a worker answers that goes on with runs that nobody drives."""
        return any(facts.get("supervises") for _, facts in self._cluster.ask(FACTS))

    @property
    def unfit(self) -> tuple[str, ...]:
        """What is wrong with an existing app's configuration: flowrunner's own has nothing."""
        return ()

    @property
    def has_addresses(self) -> bool:
        """Whether it knows a broker and a result backend."""
        return bool(self._app.conf.broker_write_url and self._app.conf.result_backend)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What has been found so far that runs can do with, until it matters."""
        return self._cluster.warnings

    @property
    def calls_here(self) -> int:
        """None: workers run them."""
        return 0

    def findings(self, needs: Needs) -> list[Finding]:
        """Return what every check of the cluster finds; the engine need not be started."""
        return self._cluster.findings(needs)

    def needs(self, plan: Plan | None) -> Needs:
        """Return what a plan needs of the cluster, or whatever workflows can call."""
        if plan is None:
            return needs_of_registry(self._app, self._registry)
        return needs_of_plan(self._app, plan)

    def check(self, plan: Plan) -> None:
        """Raise :class:`~flowrunner.errors.BrokerError` for a call that no worker would run.

        A plan with continuations becomes one canvas where the workers know nothing of them,
        unless that would be too large.
        """
        if plan.env:
            require_environment(plan.env)
            self._require_discretion(plan)
        self._cluster.check(plan)
        canvases = [plan.one_canvas, *(handler.one_canvas for handler in plan.handlers)]
        largest = max(canvas.bytes for canvas in canvases)
        if largest > LARGEST_CANVAS and not self._cluster.can_continue(plan):
            raise BrokerError(
                f"this workflow needs workers that know flowrunner's continuations: as one "
                f"canvas its messages would take {largest / 1e6:,.0f} MB; start "
                f"workers with flowrunner, or your own with an option\n"
                f"  flowrunner worker\n"
                f"  celery worker --include {CONTINUATION_MODULE}"
            )

    def _require_discretion(self, plan: Plan) -> None:
        """Raise where the result backend would keep what a plan's secrets stand for."""
        if self._app.conf.result_extended:
            names = ", ".join(f"${{env.{name}}}" for name in plan.env)
            raise BrokerError(
                f"the Celery app keeps the arguments of every task with its result "
                f"('result_extended'), including the value of {names}: switch it off"
            )

    def plain_workers(self, plan: Plan) -> list[str]:
        """Return the workers that keep of an exception only what survives pickling."""
        return self._cluster.plain_workers(plan)

    def run(
        self,
        plan: Plan,
        *,
        run: UUID,
        ledger: Unfolding,
        timeout: float | None,
        patient: bool | None = None,
        queued: bool = False,
        on_queued: Callable[[], None] | None = None,
    ) -> Any:
        """Run a plan to its end; see :class:`~flowrunner.engines.protocol.Engine`.

        A :class:`KeyboardInterrupt` or a timeout makes the workers drop what is queued; what
        runs goes on there, and nobody waits for it unless ``patient``.
        """
        if queued:
            follower = self.observer(plan, run=run, ledger=ledger)
        else:
            self.check(plan)
            follower = self._follower(plan, run, ledger)
        with follower.cancelling(patient=patient):
            if not queued:
                follower.keep()
            follower.begin()
            if not queued and on_queued is not None:
                on_queued()
            return follower.to_the_end(timeout)

    def start(self, plan: Plan, *, run: UUID) -> None:
        """Queue what comes first of a plan's main part; ``run(queued=True)`` waits for its end.

        What is published twice is the same twice: it has the same ids. Raises
        :class:`~flowrunner.errors.BrokerError`; nothing more of what was queued starts then.
        """
        self.check(plan)
        follower = self._follower(plan, run, ledger_of(plan))
        try:
            follower.keep()
            follower.begin()
        except BaseException:
            with suppress(*self._cluster.connection_errors, BrokerError):
                follower.cancel()
            raise

    def observer(self, plan: Plan, *, run: UUID, ledger: Unfolding) -> Follower:
        """Return what looks at a run that was queued and notes in the ledger how far it is."""
        follower = self._follower(plan, run, ledger, again=True)
        follower.do_as_before()
        return follower

    def cancel(self, plan: Plan, *, run: UUID, terminate: bool = False) -> None:
        """Let none of a run's tasks start any more; ``terminate`` ends those that run as well."""
        follower = self._follower(plan, run, ledger_of(plan), again=True)
        with suppress(BrokerError, RunLostError):  # then nothing of it can be revoked
            if plan.unfolds:
                follower.do_as_before()
                follower.catch_up()
        follower.cancel(terminate=terminate)

    def _follower(
        self, plan: Plan, run: UUID, ledger: Unfolding, *, again: bool = False
    ) -> Follower:
        root = root_of(plan, run)
        publication = Publication(self._app, run=run, root=root, unfolds=plan.unfolds)
        return Follower(self._app, self._cluster, publication, ledger, again=again)
