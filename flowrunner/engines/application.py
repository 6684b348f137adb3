"""The Celery app that knows the registered tasks; engines and workers build it the same way.

An app that exists already is given what the plugins register and stays as it is otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

from billiard.common import terminate_handler_fired
from celery import Celery
from celery.app.task import get_actual_ignore_result

from flowrunner.engines import continuation  # noqa: F401  (its task is every app's)
from flowrunner.engines.celery_patches.apps import (
    change_backends,
    change_replacements,
    forget_connections,
    pin_settings,
)
from flowrunner.engines.result_backend import patched_backend
from flowrunner.engines.run_flags import is_task_of_a_run
from flowrunner.hints.adapter import ADAPTS, Adapter
from flowrunner.message_format import signatures_in
from flowrunner.raised import message_of
from flowrunner.tasks import TaskDefinition, TaskRegistry
from flowrunner.values import require_json

__all__ = [
    "TaskExitedError",
    "build_app",
    "extend_app",
    "give_settings",
    "keep_results_of_replacements",
    "patch_backends_of",
    "pin_addresses",
]

FunctionWrapper = Callable[[TaskDefinition, Callable[..., Any]], Callable[..., Any]]


class TaskExitedError(RuntimeError):
    """A task raised what would end a worker: ``sys.exit()``, ``KeyboardInterrupt``, …"""


def build_app(
    registry: TaskRegistry,
    settings: dict[str, Any],
    *,
    configure: Callable[[Celery], None],
    wrap: FunctionWrapper | None = None,
    namespace: str | None = None,
) -> Celery:
    """Return a new Celery app with every task of the registry.

    ``settings`` are Celery settings; ``configure`` runs the plugins'
    ``flowrunner_configure_app`` hooks; ``wrap`` may put something around each function. The app
    is in a ``namespace`` whatever the plugins configure.
    """
    app = _new_app(namespace)
    app.conf.update(settings)
    with _in_namespace(app, namespace):
        configure(app)
    for definition in registry:
        if definition.celery_task is None:
            function = _checked(definition.function, _adapter(definition, app))
            if wrap is not None:
                function = _checked(wrap(definition, definition.function))
            # Not shared: Celery would hand this function to every later app of the process.
            app.task(
                function,
                name=definition.name,
                typing=False,
                shared=False,
                **definition.options,
            )
    app.finalize()
    for definition in registry:
        if definition.celery_task is not None:
            task = _own_instance(app, definition)
            task.run = _checked(task.run, _adapter(definition, app))
    keep_results_of_replacements(app.tasks.values())
    return app


def extend_app(app: Celery, registry: TaskRegistry) -> None:
    """Give an existing app what plugins register beside its own tasks."""
    for definition in registry:
        if definition.name in app.tasks:
            continue
        if definition.celery_task is None:
            app.task(
                _checked(definition.function, _adapter(definition, app)),
                name=definition.name,
                typing=False,
                shared=False,
                lazy=False,
                **definition.options,
            )
        else:
            task = _own_instance(app, definition)
            task.run = _checked(task.run, _adapter(definition, app))


def pin_addresses(app: Celery, *, broker: str | None = None, backend: Any = None) -> None:
    """Let these be an app's broker and result backend, whatever ``CELERY_…`` variables say."""
    pinned: dict[str, Any] = {}
    if broker is not None:
        pinned |= dict.fromkeys(("broker_url", "broker_read_url", "broker_write_url"), broker)
    if backend is not None:
        pinned["result_backend"] = backend
        app.backend_cls = None  # a subclass's own, before any setting
    pin_settings(app, pinned)


def give_settings(app: Celery, given: Mapping[str, Any]) -> None:
    """Let these settings of Celery's win over an existing app's; its addresses are known."""
    if not given:
        return
    from flowrunner.engines.cluster_settings import with_given  # imports Redis's client

    addresses = {
        "broker_url": app.conf.broker_write_url,
        "result_backend": app.conf.result_backend,
    }
    own = {name: app.conf.get(name) for name in given if app.conf.value_set_for(name)}
    settings = with_given({**own, **addresses}, given)
    app.conf.update({k: v for k, v in settings.items() if k not in addresses})
    forget_connections(app)


def patch_backends_of(app: Celery) -> None:
    """Let an app's result backend keep what runs need to know, in this process."""
    change_backends(app, patched_backend)


def _new_app(namespace: str | None) -> Celery:
    if namespace is None:
        app = Celery("flowrunner", set_as_current=False)
    else:
        from flowrunner.engines.namespace import NamespacedAMQP

        app = Celery("flowrunner", set_as_current=False, amqp=NamespacedAMQP)
        app.flowrunner_namespace = namespace
    patch_backends_of(app)
    return app


@contextmanager
def _in_namespace(app: Celery, namespace: str | None) -> Iterator[None]:
    """Let an app be in its namespace while something changes its configuration, and after."""
    if namespace is None:
        yield
        return
    from flowrunner.engines.namespace import put_in_namespace

    put_in_namespace(app.conf, namespace)
    yield
    put_in_namespace(app.conf, namespace)


def _own_instance(app: Celery, definition: TaskDefinition) -> Any:
    """Return this app's own instance of an existing Celery task."""
    if definition.name not in app.tasks:
        # Its app does not share it. A subclass, because registering binds the class to this app.
        original = definition.celery_task.__class__  # type() sees a lazy proxy
        own = type(original.__name__, (original,), {"name": definition.name, "app": app})
        app.register_task(own())
    return app.tasks[definition.name]


def _adapter(definition: TaskDefinition, app: Celery) -> Callable[[], Adapter]:
    """Return what makes a task's adapter, once and when it is needed."""

    @cache
    def adapter() -> Adapter:
        is_function = definition.celery_task is None
        context = {"celery_app": app, "celery_task_name": definition.name}
        return Adapter(definition.function, definition.signature, context if is_function else None)

    return adapter


def _checked(
    function: Callable[..., Any], adapter: Callable[[], Adapter] | None = None
) -> Callable[..., Any]:
    """Return the function as a worker runs it: its result is JSON, it cannot end the worker.

    ``adapter`` gives what converts its arguments and its result.
    """

    @wraps(function)
    def task(*args: Any, **kwargs: Any) -> Any:
        adapts = None if adapter is None else adapter()
        if adapts is not None and adapts.converts:
            args, kwargs = adapts.args(args), adapts.kwargs(kwargs)
        try:
            result = function(*args, **kwargs)
        except SystemExit as error:
            if terminate_handler_fired():  # by its worker, after a time limit: no task's doing
                raise
            raise TaskExitedError(f"the task called sys.exit({error.code!r})") from error
        except Exception:
            raise
        except BaseException as error:
            raise TaskExitedError(
                f"the task raised {type(error).__name__}, which is no Exception: "
                f"{message_of(error)}"
            ) from error
        if adapts is not None:
            return adapts.result(result)
        require_json(result)
        return result

    setattr(task, ADAPTS, True)
    if not task.__name__.isidentifier():  # a lambda; Celery writes a header with the name
        task.__name__ = "task"
    return task


def keep_results_of_replacements(tasks: Iterable[Any]) -> None:
    """Let a task of a run that replaces itself store its replacement's result as its own.

    The replacement's own class, or the app, would decide whether the result is ignored.
    """
    for task in tasks:
        change_replacements(task, _keep_result)


def _keep_result(task: Any, replacement: Any) -> None:
    request = task.request
    if is_task_of_a_run(request.id) and not get_actual_ignore_result(task, request):
        for signature in signatures_in(replacement):
            if signature["options"].get("task_id") == request.id:
                signature["options"]["ignore_result"] = False
