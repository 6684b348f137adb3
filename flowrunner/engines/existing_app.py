"""An existing Celery app: found as ``celery -A`` finds it, with its tasks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from types import ModuleType
from typing import Any

from celery import Celery
from celery.app.utils import find_app

from flowrunner.errors import ConfigurationError, FlowrunnerError, PluginError
from flowrunner.message_format import is_builtin_task
from flowrunner.planner.continuations import CONTINUE
from flowrunner.raised import described, place_of
from flowrunner.settings import AppReference
from flowrunner.suggestion import did_you_mean
from flowrunner.tasks import TaskDefinition, TaskRegistry

__all__ = ["load_app", "register_app_tasks"]


def load_app(
    reference: AppReference, *, prepare: Callable[[Celery], None] = lambda app: None
) -> Celery:
    """Return the app that is named, with every task that it knows of imported.

    ``prepare`` may change its configuration before tasks take their options from it. Raises
    :class:`~flowrunner.errors.ConfigurationError`, saying what to do, for whatever keeps it from
    being loaded.
    """
    with _importable(reference), redirect_stdout(sys.stderr):  # stdout is for the result
        try:
            found = find_app(reference.name)
        except (FlowrunnerError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise ConfigurationError(_not_found(reference, error)) from error
        if not isinstance(found, Celery):
            raise ConfigurationError(f"{_named(reference)} {_no_app(found)}")
        try:
            prepare(found)
            found.loader.import_default_modules()  # include=, imports=, autodiscover_tasks()
            found.finalize()
            found.conf.finalize()
        except (FlowrunnerError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise ConfigurationError(
                f"{_named(reference)} cannot load its tasks or its configuration: "
                f"{described(error)}{place_of(error)}"
            ) from error
    return found


@contextmanager
def _importable(reference: AppReference) -> Iterator[None]:
    """Let modules in the folder of a reference be found first, as ``celery -A`` does."""
    folder = str(reference.folder.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):  # the app's own code may have done it
            sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)  # for what is imported later; last, so it hides nothing


def _named(reference: AppReference) -> str:
    return f"the Celery app '{reference.name}' ({reference.origin})"


def _not_found(reference: AppReference, error: BaseException) -> str:
    named, module = _named(reference), reference.name.partition(":")[0]
    if "" in module.split("."):
        return f"{named} is not a valid name; name an app like 'package.module:app'"
    missing = f"{error.name}".replace(":", ".") if isinstance(error, ModuleNotFoundError) else None
    if missing is not None and f"{reference.name}.".replace(":", ".").startswith(f"{missing}."):
        # Celery takes the last part for a module where a module has no such attribute.
        parent, _, name = reference.name.rpartition(":" if ":" in reference.name else ".")
        found = sys.modules.get(parent)
        if found is not None and missing != parent and not hasattr(found, "__path__"):
            return f"{named} is not there: {_lacks_app(found, name)}"
        return (
            f"{named} is not there: there is no module {missing} in "
            f"{reference.folder.resolve()} or among the installed packages; name an app like "
            f"'package.module:app'"
        )
    found = sys.modules.get(module)
    if isinstance(error, AttributeError) and found is not None and error.obj is found:
        return f"{named} is not there: {_lacks_app(found)}"
    return f"{named} cannot be imported: {described(error)}{place_of(error)}"


def _lacks_app(module: ModuleType, name: str = "") -> str:
    apps = [each for each, value in vars(module).items() if isinstance(value, Celery)]
    if not name:
        return f"{module.__name__} has no Celery app; create one with app = Celery(…)"
    listed = f"its Celery apps: {', '.join(apps)}" if apps else "it has no Celery app"
    return f"{module.__name__} has no '{name}'; {did_you_mean(name, apps, listed)}"


def _no_app(found: Any) -> str:
    kind = "class" if isinstance(found, type) else type(found).__name__
    called = "; flowrunner does not call a function that creates one" if callable(found) else ""
    return f"is a {kind}, not a Celery app{called}: name a Celery(…), like 'package.module:app'"


def register_app_tasks(registry: TaskRegistry, app: Celery, reference: AppReference) -> None:
    """Add an app's own tasks to those of the plugins, all but Celery's.

    A task that a plugin has registered too stays as the plugin has registered it. Raises
    :class:`~flowrunner.errors.PluginError` when a plugin gave its name to something else.
    """
    registry.app = reference.name
    for name, task in app.tasks.items():
        if is_builtin_task(name) or name == CONTINUE:
            continue
        known = registry.get(name)
        if known is None:
            registry.register(
                TaskDefinition(name, task.run, f"app {reference.name}", celery_task=task)
            )
        elif known.celery_task is None or _function(known.celery_task) != _function(task):
            raise PluginError(
                f"the task '{name}' is registered twice, by plugin {known.plugin} and by the "
                f"Celery app {reference.name}; give the plugin's another name with "
                f"registry.add(function, name=…)"
            )


def _function(task: Any) -> Any:
    """Return the function behind a task, which a shared one has in every app."""
    function = task.run
    while inner := getattr(function, "__func__", None) or getattr(function, "__wrapped__", None):
        function = inner
    return function
