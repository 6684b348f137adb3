"""What whoever drives a run keeps in its record for the one who may have to go on with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from flowrunner.model import HandlerName
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.record import RunRecord
from flowrunner.runs.store import RunNotFoundError, RunStore

__all__ = ["Journal", "note_end"]


class Journal:
    """The notes on one attempt of a recorded run."""

    def __init__(self, store: RunStore, record: RunRecord) -> None:
        self._store = store
        self._record = record
        self.queued = record.queued

    def note_queued(self) -> None:
        """Note that the main part has been published whole."""
        self.queued = True
        with suppress(RunNotFoundError):  # the result backend has lost it: the run's end tells
            self._store.set_queued(self._record.run)

    def given(self, name: HandlerName, made: Any) -> Any:
        """Return what a handler is given: what an earlier driver gave it, or ``made``, kept.

        So a handler that is published twice is the same twice.
        """
        known = self._record.handler_inputs
        if name in known:
            return known[name]
        with suppress(RunNotFoundError):
            self._store.set_handler_input(self._record.run, name, made)
        return made


def note_end(store: RunStore, outcome: Outcome, record: RunRecord | None = None) -> None:
    """Note in a run's record how its current attempt has ended.

    A run that its result backend has lost is recorded again, from its ``record``.
    """
    data = outcome_to_json(outcome)
    try:
        store.finish(outcome.run, outcome.state, data, outcome.ended)
    except RunNotFoundError:
        if outcome.ran is None or record is None:
            raise
        ended = replace(record, state=outcome.state, outcome=data, ended=outcome.ended, queued=True)
        store.create(ended)
