"""The celery engine on an existing app: its broker, its result backend, its plain workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from celery import Celery

from flowrunner.engines.app_fitness import unfit_nesting, unfit_settings, unfit_tasks
from flowrunner.engines.application import extend_app, give_settings, pin_addresses
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.cluster import Cluster
from flowrunner.engines.cluster_settings import patience_settings
from flowrunner.engines.worker_command import WorkerCommand
from flowrunner.errors import ConfigurationError, EngineError
from flowrunner.plan import Plan
from flowrunner.plugin_code import PluginDigest
from flowrunner.settings import AppReference
from flowrunner.tasks import TaskRegistry

__all__ = ["AppEngine"]


class AppEngine(CeleryEngine):
    """Queues plans as an existing app queues its tasks.

    Routes, queues, serializers, prefixes and task options are the app's. ``broker``,
    ``backend`` and the settings in ``given`` win over its own. Raises
    :class:`~flowrunner.errors.ConfigurationError` for an app whose configuration cannot run
    workflows, unless ``lenient``: then ``unfit`` says what it is, and the engine is good for
    looking at the cluster alone.
    """

    def __init__(
        self,
        app: Celery,
        registry: TaskRegistry,
        reference: AppReference,
        *,
        broker: str | None = None,
        backend: str | None = None,
        given: Mapping[str, Any] | None = None,
        worker: WorkerCommand | None = None,
        lenient: bool = False,
        plugins: Callable[[], tuple[PluginDigest, ...]] = tuple,
    ) -> None:
        self._reference = reference
        self._registry = registry
        pin_addresses(app, broker=broker, backend=backend)
        give_settings(app, given or {})
        self._unfit = tuple(unfit_settings(app))
        if not lenient:
            self._refuse(list(self._unfit), ConfigurationError)
        # Its workers', which have no more than it says; kept for the next engine on this app.
        app.conf.setdefault("flowrunner_worker_pool_limit", app.conf.broker_pool_limit)
        self._worker_connections: int | None = app.conf["flowrunner_worker_pool_limit"]
        patience = patience_settings(app.conf)
        own = {"broker_pool_limit", "broker_transport_options", "result_backend_thread_safe"}
        app.conf.update(
            {k: v for k, v in patience.items() if k in own or not app.conf.value_set_for(k)}
        )
        foreign = frozenset(
            definition.name
            for definition in registry
            if definition.celery_task is None or definition.name not in app.tasks
        )
        extend_app(app, registry)
        self._app = app
        self._cluster = Cluster(
            app,
            worker=replace(
                worker or WorkerCommand(app=reference.name, broker=broker, backend=backend),
                foreign=foreign,
            ),
            plugins=plugins,
            tasks_hint=f"restart those whose code of {reference.name} is older, or start others:",
        )

    @property
    def unfit(self) -> tuple[str, ...]:
        """What is wrong with the app's configuration, each with its cure after a colon."""
        return self._unfit

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass  # the app is somebody else's, who may go on using it

    def check(self, plan: Plan) -> None:
        """Raise :class:`~flowrunner.errors.EngineError` for a call that would not be run."""
        unfit = [*unfit_tasks(self._app, plan), *unfit_nesting(plan, self._worker_connections)]
        self._refuse(unfit, EngineError)
        super().check(plan)

    def _refuse(
        self, problems: list[str], kind: type[ConfigurationError] | type[EngineError]
    ) -> None:
        if problems:
            raise kind(
                f"the Celery app {self._reference.name} cannot run workflows: {'; '.join(problems)}"
            )
