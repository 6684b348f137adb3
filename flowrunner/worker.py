"""The Celery app for workers: ``celery -A flowrunner.worker worker``.

It has the tasks of the plugins that are configured where the worker starts, and the broker and
backend that ``[tool.flowrunner]`` or ``FLOWRUNNER_BROKER`` and ``FLOWRUNNER_BACKEND`` name.
"""

from __future__ import annotations

from flowrunner.app import Project
from flowrunner.settings import load_settings

__all__ = ["app"]

app = Project(load_settings()).worker_app()
