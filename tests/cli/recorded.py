"""Runs that are recorded, and the commands that show them, in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from flowrunner.cli.main import main
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.sqlite_store import SQLiteRunStore
from flowrunner.runs.store import StepRow
from tests.cli.commands import Ended
from tests.runs.records import at, record

RUN = UUID("0123abcd-0000-4000-8000-000000000000")
TEXT = "{inputs: {n: 2}, on_error: call, chord: {header: 'call x${inputs.n}', body: call}}"


@dataclass
class Recorded:
    """A folder whose runs are recorded in a file of its own, and the commands run there."""

    store: SQLiteRunStore
    capture: pytest.CaptureFixture[str]

    def add(
        self, state: Any = None, rows: list[StepRow] | None = None, *, run: UUID = RUN, **known: Any
    ) -> None:
        """Record a run with these rows, ended where there is a state."""
        new = record(
            TEXT,
            run=run,
            engine="embedded",
            minutes=known.pop("minutes", 0),
            process=known.pop("process", None),
        )
        self.store.create(new)
        self.store.set_queued(run)
        self.store.save_steps(run, rows or [])
        if state is not None:
            outcome = Outcome(run, "test", state, at(0), at(0.5), **known)
            self.store.finish(run, state, outcome_to_json(outcome), at(0.5))

    def run(self, *arguments: str) -> Ended:
        code = main(list(arguments))
        said = self.capture.readouterr()
        return Ended(code, said.out, said.err)
