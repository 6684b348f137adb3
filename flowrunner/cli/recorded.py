"""What the commands for recorded runs have in common."""

from __future__ import annotations

from datetime import UTC, datetime

from flowrunner.app import Project
from flowrunner.errors import ConfigurationError
from flowrunner.runs.driven import has_lost_its_process
from flowrunner.runs.record import RunRecord
from flowrunner.runs.store import RunStore

__all__ = ["read_again", "required_store"]


def read_again(store: RunStore, record: RunRecord) -> tuple[RunRecord, bool]:
    """Return a run's record, and whether the run was abandoned: its process is gone.

    The record is read after the process was looked for, which may have ended the run until then.
    """
    if not has_lost_its_process(record, now=datetime.now(UTC)):
        return record, False
    record = store.get(record.run)
    return record, not record.has_ended


def required_store(project: Project) -> RunStore:
    """Return where the runs are recorded.

    Raises :class:`~flowrunner.errors.ConfigurationError` where the settings say not to.
    """
    store = project.run_store()
    if store is None:
        raise ConfigurationError(
            "the setting 'runs' (FLOWRUNNER_RUNS) is 'none', so no runs are recorded: name a "
            "file, or remove the setting"
        )
    return store
