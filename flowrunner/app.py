"""What flowrunner does: check, plan and run workflows. The one place that wires things up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flowrunner.errors import ConfigurationError, Diagnostic, WorkflowError
from flowrunner.given_inputs import given_inputs
from flowrunner.loader import WorkflowFiles, read_source, workflow_files
from flowrunner.plan import Plan
from flowrunner.planner import check_workflow, plan_workflow
from flowrunner.plugins import PluginManager, load_plugins, nearby_plugins
from flowrunner.run import InterruptedRunError, run_plan
from flowrunner.settings import NO_RUNS, Settings
from flowrunner.source import Source
from flowrunner.tasks import OpenRegistry, TaskRegistry

if TYPE_CHECKING:
    from celery import Celery

    from flowrunner.engines.celery import CeleryEngine
    from flowrunner.engines.protocol import Engine
    from flowrunner.engines.worker_app import Companion
    from flowrunner.planner.remaining import Remainder
    from flowrunner.plugin_code import PluginDigest
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.recorded import StepReader
    from flowrunner.runs.store import RunStore, StepRow

__all__ = ["InterruptedRunError", "Project", "changed_files", "run_plan"]


@dataclass(frozen=True)
class Project:
    """The settings that hold here, and what they bring: plugins, an app, tasks, an engine."""

    settings: Settings

    @cached_property
    def plugins(self) -> PluginManager:
        """The loaded plugins. Raises :class:`~flowrunner.errors.PluginError`."""
        if self.settings.no_plugins:
            return PluginManager()
        return load_plugins(self.settings.plugins)

    @cached_property
    def existing_app(self) -> Celery | None:
        """The Celery app that the settings name, if any.

        Raises :class:`~flowrunner.errors.ConfigurationError` when it cannot be loaded.
        """
        if self.settings.app is None:
            return None
        self.settings.require_plugins(f"this needs the Celery app {self.settings.app.name}")
        from flowrunner.engines.existing_app import load_app

        return load_app(self.settings.app)

    @cached_property
    def registry(self) -> TaskRegistry:
        """The tasks that can be called: the plugins' and the app's.

        Raises :class:`~flowrunner.errors.PluginError` and
        :class:`~flowrunner.errors.ConfigurationError`.
        """
        if self.settings.no_plugins:
            return OpenRegistry()
        app = self.existing_app  # first: a plugin may register its tasks
        registry = self.plugins.tasks()
        if app is not None and self.settings.app is not None:
            from flowrunner.engines.existing_app import register_app_tasks

            register_app_tasks(registry, app, self.settings.app)
        return registry

    @property
    def unchecked_tasks(self) -> int | None:
        """How many tasks plans have named so far; ``None`` where plugins are loaded."""
        return self.registry.unchecked if self.settings.no_plugins else None

    def plan(
        self,
        file: Path,
        *,
        inputs: Sequence[str] = (),
        inputs_file: Path | None = None,
        assume_missing_inputs: bool = False,
        files: WorkflowFiles | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Plan:
        """Return the plan of a workflow file.

        ``inputs`` are ``name=value`` texts and win over those in ``inputs_file``, a YAML or JSON
        mapping. With ``assume_missing_inputs`` a required input needs no value; such a plan
        is a check of the file and not fit to run. ``files`` are those that were read before.
        In an ``environment`` the variables have to be set that the workflow names.

        Raises :class:`~flowrunner.errors.WorkflowError` with everything that is wrong.
        """
        files = files or WorkflowFiles()
        workflow = files.load(file)
        return plan_workflow(
            workflow,
            self.registry,
            given_inputs(workflow, inputs, inputs_file),
            assume_missing_inputs=assume_missing_inputs,
            plugin_hint=nearby_plugins(file, self.plugins),
            load=files.load,
            environment=environment,
        )

    def validate(
        self,
        named: Iterable[Path],
        *,
        inputs: Sequence[str] = (),
        inputs_file: Path | None = None,
        read: WorkflowFiles | None = None,
    ) -> dict[Path, tuple[Diagnostic, ...]]:
        """Return the problems of each file, and of each file in a folder; none for a right file."""
        problems: dict[Path, tuple[Diagnostic, ...]] = {}
        read = read or WorkflowFiles()
        for path in named:
            try:
                files = workflow_files(path)
            except WorkflowError as error:
                problems[path] = error.diagnostics
                continue
            for file in files:
                try:
                    workflow = read.load(file)
                    check_workflow(
                        workflow,
                        self.registry,
                        given_inputs(workflow, inputs, inputs_file),
                        plugin_hint=nearby_plugins(file, self.plugins),
                        load=read.load,
                    )
                except WorkflowError as error:
                    problems[file] = error.diagnostics
                else:
                    problems[file] = ()
        return problems

    def engine(self, *, processes: int | None = None) -> Engine:
        """Return the engine that the settings ask for; not yet started.

        ``processes`` runs the embedded engine's task functions in that many processes.
        Raises :class:`~flowrunner.errors.ConfigurationError` for settings that do not go
        together.
        """
        settings = self.settings
        if self.has_cluster:
            if processes is not None:
                raise ConfigurationError(
                    "--processes is for the embedded engine; on a cluster, set it for the worker\n"
                    "  flowrunner worker --concurrency N"
                )
            return self.celery_engine()
        if processes is not None:
            from flowrunner.engines.processes import ProcessPoolEngine

            return ProcessPoolEngine(
                self.registry,
                configure=self.plugins.configure_app,
                references=settings.plugins,
                processes=processes,
                concurrency=settings.concurrency,
            )
        from flowrunner.engines.embedded import DEFAULT_CONCURRENCY, EmbeddedEngine

        return EmbeddedEngine(
            self.registry,
            configure=self.plugins.configure_app,
            concurrency=settings.concurrency or DEFAULT_CONCURRENCY,
        )

    @property
    def has_cluster(self) -> bool:
        """Whether runs go to a broker; without one they are embedded."""
        settings = self.settings
        return any(each is not None for each in (settings.app, settings.broker, settings.backend))

    def celery_engine(self, *, lenient: bool = False) -> CeleryEngine:
        """Return the engine of the cluster that the settings name.

        ``lenient`` lets pass what is wrong with an existing app's configuration: such an engine
        is for looking at the cluster. Raises :class:`~flowrunner.errors.ConfigurationError`.
        """
        from flowrunner.engines.worker_command import WorkerCommand

        settings = self.settings
        if self.existing_app is not None and settings.app is not None:
            from flowrunner.engines.app_engine import AppEngine

            return AppEngine(
                self.existing_app,
                self.registry,
                settings.app,
                broker=settings.broker,
                backend=settings.backend,
                given=settings.of_celery,
                worker=WorkerCommand.of(settings),
                lenient=lenient,
                plugins=self.plugin_digests,
            )
        from flowrunner.engines.celery import CeleryEngine

        broker, backend = self._cluster()
        return CeleryEngine(
            self.registry,
            configure=self.plugins.configure_app,
            broker=broker,
            backend=backend,
            given=settings.of_celery,
            worker=WorkerCommand.of(settings),
            namespace=settings.namespace,
            plugins=self.plugin_digests,
        )

    def plugin_digests(self) -> tuple[PluginDigest, ...]:
        """Return which code the plugins have, as their files are now."""
        from flowrunner.plugin_code import plugin_digests

        return plugin_digests(self.plugins.loaded, self.registry)

    @property
    def runs_file(self) -> Path | None:
        """The file that embedded runs are recorded in; ``None`` where the settings say not to."""
        from flowrunner.runs.sqlite_store import default_path

        name = self.settings.runs
        if name == NO_RUNS:
            return None
        return default_path() if name is None else Path(name).absolute()

    def run_store(self) -> RunStore | None:
        """Return where runs are recorded; ``None`` where the settings say not to.

        That is the result backend's Redis where a cluster is configured, and a file on this
        machine else. Raises :class:`~flowrunner.errors.ConfigurationError` for a result backend
        that is not Redis.
        """
        records = self._records
        return None if records is None else records[0]

    def recorded_steps(self, record: RunRecord) -> dict[str, StepRow]:
        """Return what is kept of a run's calls, by path, each from the attempt that ran it.

        Raises :class:`~flowrunner.runs.store.RunStoreError`.
        """
        from flowrunner.runs.recorded import recorded_steps

        records = self._records
        return {} if records is None else recorded_steps(record, records[1])

    def rest(self, record: RunRecord) -> Remainder | None:
        """Return what is left of a run in its current attempt; ``None`` for all of it.

        Raises :class:`~flowrunner.runs.store.RunStoreError`.
        """
        if len(record.attempts) == 1:
            return None
        from flowrunner.runs.recorded import used_again
        from flowrunner.runs.replay import remainder_of

        return remainder_of(record.plan, used_again(record, self.recorded_steps(record)))

    def recording(self, record: RunRecord, *, warn: Callable[[str], None]) -> RunStore | None:
        """Record a new run and return where, or ``None``: it can run all the same.

        Raises :class:`~flowrunner.runs.store.RunStoreError` when a cluster's Redis is away.
        """
        from flowrunner.runs.store import RunStoreError

        try:
            store = self.run_store()
            if store is not None:
                store.create(record)
        except ConfigurationError:
            return None  # a result backend that keeps no runs: 'runs' says so
        except RunStoreError as error:
            if self.has_cluster:
                raise
            warn(f"this run is not recorded: {error}")
            return None
        return store

    def planned_again(self, plan: Plan) -> Plan | None:
        """Return the plan of a workflow as its files are now, with the inputs that it had.

        ``None`` when they are the same, or no longer there.
        """
        path = plan.source.path
        if path is None or not path.is_file() or not changed_files(plan):
            return None
        files = WorkflowFiles()
        workflow = files.load(path)
        texts = {each.name for each in workflow.inputs if each.schema.get("type") == "string"}
        names = {each.name for each in workflow.inputs}
        given = [
            f"{name}={value if name in texts and isinstance(value, str) else json.dumps(value)}"
            for name, value in plan.inputs.items()
            if name in names
        ]
        return plan_workflow(
            workflow, self.registry, given_inputs(workflow, given), load=files.load
        )

    @cached_property
    def _records(self) -> tuple[RunStore, StepReader] | None:
        settings = self.settings
        if settings.runs == NO_RUNS:
            return None
        if self.has_cluster:
            return self._cluster_records()
        from flowrunner.runs.sqlite_store import SQLiteRunStore

        file = self.runs_file
        assert file is not None, "BUG: embedded runs are recorded in a file"  # noqa: S101
        store = SQLiteRunStore(file)
        return store, lambda attempt, calls: store.steps(attempt)

    def _cluster_records(self) -> tuple[RunStore, StepReader]:
        from flowrunner.engines.redis_records import redis_records

        return redis_records(self.celery_engine(lenient=True).app)

    def _cluster(self, command: str = "") -> tuple[str, str]:
        settings = self.settings
        if settings.broker is None or settings.backend is None:
            missing = "broker" if settings.broker is None else "result backend"
            raise ConfigurationError(
                f"no {missing} is configured; a cluster needs a broker and a result backend\n"
                f"  {command}--broker redis://localhost/0 --backend redis://localhost/1"
            )
        return settings.broker, settings.backend

    def worker_app(self, *, companions: Sequence[Companion] = ()) -> Celery:
        """Return the Celery app of a worker that has this project's tasks.

        That is the existing app, where one is configured, with what the plugins register.
        ``companions`` are started beside a worker that is ready. Raises
        :class:`~flowrunner.errors.ConfigurationError` without a broker and a backend.
        """
        from flowrunner.engines.worker_app import WorkerSetup, make_worker_app
        from flowrunner.engines.worker_facts import note_plugins

        settings, remarks = self.settings, list[str]()
        settings.require_plugins("a worker runs tasks")
        if settings.app is not None:
            from flowrunner.engines.existing_worker import existing_worker_app

            app, remarks = existing_worker_app(settings.app, settings, self.registry)
        else:
            from flowrunner.engines.application import build_app, pin_addresses
            from flowrunner.engines.cluster_settings import cluster_settings
            from flowrunner.engines.worker_settings import worker_settings

            broker, backend = self._cluster("flowrunner worker ")
            app = build_app(
                self.registry,
                cluster_settings(broker, backend, settings.of_celery, own=worker_settings(broker)),
                configure=self.plugins.configure_app,
                namespace=settings.namespace,
            )
            pin_addresses(app, broker=broker, backend=backend)
        plugins = [plugin.name for plugin in self.plugins.loaded]
        note_plugins(self.plugin_digests())
        return make_worker_app(app, WorkerSetup(plugins, remarks, list(companions)))


def changed_files(plan: Plan) -> list[str]:
    """Return the names of a plan's files that have another text now than when it was made."""
    return [source.name for source in (plan.source, *plan.used) if _has_changed(source)]


def _has_changed(source: Source) -> bool:
    path = source.path
    return path is not None and path.is_file() and read_source(path).text != source.text
