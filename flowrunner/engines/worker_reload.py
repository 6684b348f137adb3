"""Starting a worker again when its code changes: ``flowrunner worker --reload``."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from celery import Celery
from celery.utils.log import get_logger

from flowrunner.code_watch import CodeWatch
from flowrunner.engines.worker_app import Companion

__all__ = ["reloading"]

logger = get_logger(__name__)


def reloading(watch: CodeWatch) -> Companion:
    """Return what starts a worker again after a change; the tasks that run end first."""

    def companion(app: Celery) -> Callable[[], None]:
        stopped = Event()

        def work() -> None:
            changed = watch.wait(stopped)
            if changed is not None:
                logger.warning(
                    "%s has changed: the worker starts again when its tasks have ended.", changed
                )
                app.Worker.setup.worker.restart()

        Thread(target=work, name="flowrunner-reload", daemon=True).start()
        return stopped.set

    return companion
