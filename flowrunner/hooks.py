"""The hooks that a plugin can implement.

A plugin marks its implementations with ``flowrunner.hookimpl``::

    from flowrunner import hookimpl

    @hookimpl
    def flowrunner_register_tasks(registry):
        registry.add(power)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from flowrunner.tasks import PluginTasks

__all__ = ["flowrunner_configure_app", "flowrunner_register_tasks"]

hookspec = pluggy.HookspecMarker("flowrunner")


@hookspec
def flowrunner_register_tasks(registry: PluginTasks) -> None:
    """Register the tasks that workflows can call.

    ``registry.add(function)`` registers a plain function under its own name;
    ``registry.add(function, name="other", queue="cpu")`` gives it another name and Celery task
    options; ``registry.add(celery_task)`` registers an existing Celery task. Called once in
    each process: on the command line, in a worker, and in each child of ``--processes``.
    """


@hookspec
def flowrunner_configure_app(app: Any) -> None:
    """Change the Celery app before its tasks are registered.

    ``app`` is a :class:`celery.Celery`, with flowrunner's settings in ``app.conf``::

        @hookimpl
        def flowrunner_configure_app(app):
            app.conf.task_default_queue = "workflows"

    Called when an engine or a worker builds its app; never by ``validate`` and ``graph``, and
    never for an existing app that ``-A`` names.
    """
