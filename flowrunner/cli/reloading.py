"""``flowrunner worker --reload``: a worker whose code is being written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Event
from time import time_ns
from typing import TYPE_CHECKING

import click

from flowrunner.cli.exit_status import report_error
from flowrunner.errors import ConfigurationError, FlowrunnerError, PluginError

if TYPE_CHECKING:
    from celery import Celery

    from flowrunner.app import Project

__all__ = ["reloading_worker_app", "require_foreground"]


def require_foreground(celery_options: Sequence[str]) -> None:
    """Refuse Celery's own way into the background: it starts another command."""
    if {"-D", "--detach"} & set(celery_options):
        raise ConfigurationError(
            "--reload cannot be used with Celery's --detach, which starts another command: "
            "remove one of the two"
        )


def reloading_worker_app(project: Project) -> Celery:
    """Return the app of a worker that starts again when its code changes.

    If the code cannot be loaded, says why, waits for a change and starts this command again.
    """
    from flowrunner.code_watch import CodeWatch, code_of_references, watched_code
    from flowrunner.engines.worker_app import reloading
    from flowrunner.engines.worker_process import start_again
    from flowrunner.supervisor import supervised_worker_app

    began = time_ns()
    try:
        app = supervised_worker_app(project)
    except FlowrunnerError as error:
        if not _is_of_code(error):
            raise
        report_error(error)
        click.echo("the worker starts again when a file changes", err=True)
        CodeWatch(code_of_references(project.settings.plugins), since=began).wait(Event())
        start_again(dict(os.environ))
    watch = CodeWatch(watched_code(project.plugins.loaded), since=began)
    if watch.is_empty:
        raise ConfigurationError(
            "--reload finds no file to watch: no plugin is loaded but installed packages; name a "
            "plugin file with --plugin, or install the package with 'pip install --editable'"
        )
    app.Worker.setup.companions.append(reloading(watch))
    return app


def _is_of_code(error: FlowrunnerError) -> bool:
    """Tell whether code of the user's has failed, which a change can mend."""
    return isinstance(error, PluginError) or error.__cause__ is not None
