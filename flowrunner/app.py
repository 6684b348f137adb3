"""What flowrunner does: check, plan and run workflows. The one place that wires things up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flowrunner.errors import ConfigurationError, Diagnostic, WorkflowError
from flowrunner.loader import load_workflow, parse_json, parse_value, read_source
from flowrunner.model import Workflow
from flowrunner.node import Mapping as NodeMapping
from flowrunner.node import Node, Scalar
from flowrunner.plan import Plan
from flowrunner.planner import plan_workflow
from flowrunner.plugins import PluginManager, load_plugins
from flowrunner.run import InterruptedRunError, run_plan
from flowrunner.settings import Settings
from flowrunner.source import Location, Source
from flowrunner.tasks import TaskRegistry

if TYPE_CHECKING:
    from celery import Celery

    from flowrunner.engines.celery import CeleryEngine
    from flowrunner.engines.protocol import Engine
    from flowrunner.engines.worker_app import Companion

__all__ = ["InterruptedRunError", "Project", "given_inputs", "run_plan"]


@dataclass(frozen=True)
class Project:
    """The settings that hold here, and what they bring: plugins, an app, tasks, an engine."""

    settings: Settings

    @cached_property
    def plugins(self) -> PluginManager:
        """The loaded plugins. Raises :class:`~flowrunner.errors.PluginError`."""
        return load_plugins(self.settings.plugins)

    @cached_property
    def existing_app(self) -> Celery | None:
        """The Celery app that the settings name, if any.

        Raises :class:`~flowrunner.errors.ConfigurationError` when it cannot be loaded.
        """
        if self.settings.app is None:
            return None
        from flowrunner.engines.existing_app import load_app

        return load_app(self.settings.app)

    @cached_property
    def registry(self) -> TaskRegistry:
        """The tasks that can be called: the plugins' and the app's.

        Raises :class:`~flowrunner.errors.PluginError` and
        :class:`~flowrunner.errors.ConfigurationError`.
        """
        app = self.existing_app  # first: a plugin may register its tasks
        registry = self.plugins.tasks()
        if app is not None and self.settings.app is not None:
            from flowrunner.engines.existing_app import register_app_tasks

            register_app_tasks(registry, app, self.settings.app)
        return registry

    def plan(
        self,
        file: Path,
        *,
        inputs: Sequence[str] = (),
        inputs_file: Path | None = None,
        assume_missing_inputs: bool = False,
    ) -> Plan:
        """Return the plan of a workflow file.

        ``inputs`` are ``name=value`` texts and win over those in ``inputs_file``, a YAML or JSON
        mapping. With ``assume_missing_inputs`` a required input needs no value; such a plan
        is a check of the file and not fit to run.

        Raises :class:`~flowrunner.errors.WorkflowError` with everything that is wrong.
        """
        workflow = load_workflow(read_source(file))
        return plan_workflow(
            workflow,
            self.registry,
            given_inputs(workflow, inputs, inputs_file),
            assume_missing_inputs=assume_missing_inputs,
            plugin_hint=_plugin_hint(file, self.plugins),
        )

    def validate(
        self, files: Iterable[Path], *, inputs: Sequence[str] = (), inputs_file: Path | None = None
    ) -> dict[Path, tuple[Diagnostic, ...]]:
        """Return the problems of each file; none for a file that is right."""
        problems: dict[Path, tuple[Diagnostic, ...]] = {}
        for file in files:
            try:
                self.plan(file, inputs=inputs, inputs_file=inputs_file, assume_missing_inputs=True)
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
                    "--processes belongs to the embedded engine; on a broker the workers decide: "
                    "flowrunner worker --concurrency"
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
        )

    def _cluster(self, command: str = "") -> tuple[str, str]:
        settings = self.settings
        if settings.broker is None or settings.backend is None:
            missing = "broker" if settings.broker is None else "result backend"
            raise ConfigurationError(
                f"no {missing} is configured; a cluster needs a broker and a result backend: "
                f"{command}--broker redis://localhost/0 --backend redis://localhost/1"
            )
        return settings.broker, settings.backend

    def worker_app(self, *, companions: Sequence[Companion] = ()) -> Celery:
        """Return the Celery app of a worker that has this project's tasks.

        That is the existing app, where one is configured, with what the plugins register.
        ``companions`` are started beside a worker that is ready. Raises
        :class:`~flowrunner.errors.ConfigurationError` without a broker and a backend.
        """
        from flowrunner.engines.application import (
            build_app,
            extend_app,
            give_settings,
            mend_backend_of,
            pin_addresses,
        )
        from flowrunner.engines.cluster_settings import cluster_settings, with_given
        from flowrunner.engines.worker_app import WorkerSetup, make_worker_app
        from flowrunner.engines.worker_settings import apply_settings, worker_settings

        settings, remarks = self.settings, list[str]()
        if settings.app is not None:
            from flowrunner.engines.app_fitness import unfit_settings
            from flowrunner.engines.existing_app import load_app

            def prepare(app: Celery) -> None:
                remarks.extend(apply_settings(app, broker=settings.broker))

            app = load_app(settings.app, prepare=prepare)
            pin_addresses(app, broker=settings.broker, backend=settings.backend)
            if problems := list(unfit_settings(app)):
                raise ConfigurationError(
                    f"the Celery app {settings.app.name} cannot run workflows: "
                    f"{'; '.join(problems)}"
                )
            give_settings(app, settings.of_celery)
            extend_app(app, self.registry)
            mend_backend_of(app)
        else:
            broker, backend = self._cluster("flowrunner worker ")
            app = build_app(
                self.registry,
                with_given(
                    {**cluster_settings(broker, backend), **worker_settings(broker)},
                    settings.of_celery,
                ),
                configure=self.plugins.configure_app,
            )
            pin_addresses(app, broker=broker, backend=backend)
        plugins = [plugin.name for plugin in self.plugins.loaded]
        return make_worker_app(app, WorkerSetup(plugins, remarks, list(companions)))


def given_inputs(
    workflow: Workflow, options: Sequence[str], file: Path | None = None
) -> NodeMapping:
    """Return the inputs that ``name=value`` texts and a file give, with their places.

    A value is read as YAML, but for an input of type ``string``, whose text is taken as it is.
    Raises :class:`~flowrunner.errors.WorkflowError`.
    """
    given: dict[str, tuple[Scalar, Node]] = {}
    if file is not None:
        given = {str(key.value): (key, value) for key, value in _inputs_of_file(file).entries}
    types = {definition.name: definition.schema.get("type") for definition in workflow.inputs}
    problems: list[Diagnostic] = []
    for option in options:
        source = Source("-i", option)
        name, equals, text = option.partition("=")
        if not equals or not name.strip():
            problems.append(
                Diagnostic(
                    "an input is given as name=value",
                    Location(source, 0, len(option)),
                    "there is no '='" if not equals else "there is no name before the '='",
                )
            )
            continue
        place = Location(source, len(name) + 1, len(option))
        try:
            node = (
                Scalar(text, place)
                if types.get(name.strip()) == "string"
                else parse_value(source, place)
            )
        except WorkflowError as error:
            problems += error.diagnostics
        else:
            key = Scalar(name.strip(), Location(source, 0, len(name)))
            given[name.strip()] = (key, node)
    if problems:
        raise WorkflowError(problems)
    return NodeMapping(tuple(given.values()), Location(workflow.source, 0, 0))


def _inputs_of_file(file: Path) -> NodeMapping:
    source = read_source(file)
    try:
        node = parse_value(source)
    except WorkflowError:
        # YAML has nearly all of JSON: not the pairs of escapes that it writes for an emoji.
        found = parse_json(source) if file.suffix == ".json" else None
        if found is None:
            raise
        node = found
    if not isinstance(node, NodeMapping):
        raise WorkflowError(
            [
                Diagnostic(
                    "a file of inputs is a mapping of names to values",
                    node.location,
                    "for instance 'count: 10'",
                )
            ]
        )
    return node


def _plugin_hint(file: Path, plugins: PluginManager) -> tuple[str, ...]:
    """Return how to name a folder of plugins that stands near and is not loaded."""
    loaded = {Path(getattr(plugin.module, "__file__", None) or "") for plugin in plugins.loaded}
    folders = [Path("plugins"), file.parent / "plugins"]
    if file.resolve().parent.name == "workflows":
        folders.append(file.parent / ".." / "plugins")
    for folder in folders:
        files = {found.resolve() for found in folder.glob("*.py")} if folder.is_dir() else set()
        if files and not files & loaded:
            return (
                f"{folder}/ stands near and is not loaded; name it: --plugin {folder}, or "
                f'plugins = ["{folder}"] under [tool.flowrunner] in pyproject.toml',
            )
    return ()
