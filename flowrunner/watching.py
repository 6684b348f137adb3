"""Watching a run that another process drives, by what is recorded of it and of its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from flowrunner.driver import is_abandoned
from flowrunner.run import lost_run
from flowrunner.runs.journal import note_end
from flowrunner.runs.recorded import recorded_ledger
from flowrunner.runs.store import RunNotFoundError

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.model import HandlerName
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.step_state import StepError, StepState
    from flowrunner.runs.store import RunStore

__all__ = ["Watch"]

#: Seconds between looks: each is a few round trips, however wide the run is.
LOOK_EVERY: Final = 0.5
#: Looks for the record of a run that has none any more, until its driver has recorded its end.
LOOKS_AFTER_LOSS: Final = 20


class Watch:
    """How far a run is, as of the last look: what its tree is drawn from."""

    def __init__(self, project: Project, store: RunStore, record: RunRecord) -> None:
        self.record = record
        self._project = project
        self._store = store
        self._look()

    def _look(self) -> None:
        self.found = self._project.recorded_steps(self.record)
        self.ledger = recorded_ledger(self.record, self.found)

    def snapshot(self) -> Mapping[str, StepState]:
        """Return the states of the calls, by path."""
        return self.ledger.snapshot()

    @property
    def failed(self) -> bool:
        """Whether a call has failed or was revoked."""
        return self.ledger.failed

    @property
    def caught(self) -> Sequence[StepError]:
        """Why calls failed whose failure is none of the run's."""
        return self.ledger.caught

    def has_ended(self, part: HandlerName | None) -> bool:
        """Tell whether nothing more comes of a handler, or of the main part."""
        return self.ledger.has_ended(part)

    def until_ended_or_abandoned(self, *, until: Callable[[], bool] = lambda: False) -> bool:
        """Look again and again until the run has ended; tell whether it has.

        It has not when nobody drives it any more, or when ``until`` says so.
        """
        while not self.record.has_ended:
            began = monotonic()
            if until():
                return False
            if is_abandoned(self.record, self._store.driver(self.record.run)):
                self._read()  # it may have ended just before its process did
                return self.record.has_ended
            sleep(max(LOOK_EVERY, monotonic() - began))
            self._read()
        return True

    def _read(self) -> None:
        self.record = self._recorded()
        self._look()

    def _recorded(self) -> RunRecord:
        """Return what is recorded of the run.

        If the result backend has lost it, the driver records that; without a driver, this does.
        """
        run = self.record.run
        for _ in range(LOOKS_AFTER_LOSS):
            with suppress(RunNotFoundError):
                return self._store.get(run)
            sleep(LOOK_EVERY)
        why = "the result backend has lost what it stored of this run"
        note_end(self._store, lost_run(self.record, self.ledger, why), self.record)
        return self._store.get(run)
