"""flowrunner: workflows written in YAML, run on Celery."""

from __future__ import annotations

import pluggy

__all__ = ["__version__", "hookimpl"]

__version__ = "0.1.0"

#: Marks a plugin's hook implementations; see :mod:`flowrunner.hooks` for the hooks.
hookimpl = pluggy.HookimplMarker("flowrunner")
