"""What the commands for recorded runs have in common."""

from __future__ import annotations

from flowrunner.app import Project
from flowrunner.errors import ConfigurationError
from flowrunner.runs.store import RunStore

__all__ = ["required_store"]


def required_store(project: Project) -> RunStore:
    """Return where the runs are recorded.

    Raises :class:`~flowrunner.errors.ConfigurationError` where the settings say not to.
    """
    store = project.run_store()
    if store is None:
        raise ConfigurationError(
            "no runs are recorded here: the setting 'runs' (FLOWRUNNER_RUNS) is 'none'; name a "
            "file, or leave it out"
        )
    return store
