"""Steps are written beside a run, and whatever happens to them the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

import pytest

from flowrunner.runs import step_recorder
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.sqlite_store import SQLiteRunStore
from flowrunner.runs.step_recorder import StepRecorder
from flowrunner.runs.store import RunStoreError, StepRow
from tests.planner.planning import planned
from tests.runs.records import record

PLAN = planned("{on_error: call, chain: [{group: call x300}, call]}")


class Steps:
    """Keeps what it is given, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.batches: list[list[StepRow]] = []
        self._error = error

    def save_steps(self, attempt: UUID, steps: Sequence[StepRow]) -> None:
        if self._error is not None:
            raise self._error
        self.batches.append(list(steps))

    def steps(self, attempt: UUID) -> dict[str, StepRow]:
        return {row.path: row for batch in self.batches for row in batch}


def test_every_call_is_kept_with_its_last_state(sqlite_store: SQLiteRunStore) -> None:
    new = record()
    sqlite_store.create(new)
    with StepRecorder(sqlite_store, new.run, warn=pytest.fail) as recorder:
        ledger = RunLedger(PLAN, on_step=recorder.note)
        paths = [call.path for call in PLAN.calls()]
        for number, path in enumerate(paths[:-1]):
            ledger.main.record(path, "STARTED")
            ledger.main.record(path, "SUCCESS", result=lambda number=number: [number])
        ledger.main.record(paths[-1], "FAILURE")
        ledger.handlers["on_error"].record("on_error", "STARTED")
    rows = sqlite_store.steps(new.run)
    assert [rows[path].result for path in paths[:-1]] == [[n] for n in range(len(paths) - 1)]
    assert all(rows[path].has_result and rows[path].started for path in paths[:-1])
    last = rows[paths[-1]]
    assert (last.state, last.has_result, last.error_type) == ("FAILURE", False, "Failure")
    assert (rows["on_error"].state, rows["on_error"].ended) == ("STARTED", None)
    assert recorder.is_on


def test_what_is_told_late_does_not_hide_how_a_call_has_ended() -> None:
    store = Steps()
    told: list[Callable[[], None]] = []
    with StepRecorder(store, uuid4(), warn=pytest.fail) as recorder:
        ledger = RunLedger(
            PLAN, on_step=lambda step, result: told.append(lambda: recorder.note(step, result))
        )
        for state in ("STARTED", "RETRY", "SUCCESS"):
            ledger.main.record("chain[0].group[0]", state, result=lambda: 1)
        for tell in reversed(told):
            tell()
    (row,) = store.steps(uuid4()).values()
    assert (row.state, row.result, row.retries) == ("SUCCESS", 1, 1)


def test_rows_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_recorder, "GATHER_FOR", 60.0)  # the end does not wait for it
    store = Steps()
    with StepRecorder(store, uuid4(), warn=pytest.fail) as recorder:
        ledger = RunLedger(PLAN, on_step=recorder.note)
        for call in PLAN.calls():
            ledger.main.record(call.path, "SUCCESS")
    assert len(store.batches) == 1
    assert len(store.batches[0]) == 301 + sum(not call.is_written for call in PLAN.calls())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RunStoreError("the disk is full"), "the disk is full"),
        (KeyError("x"), "BUG: KeyError: 'x'"),
    ],
)
def test_a_fault_is_told_once_and_the_run_goes_on(error: Exception, words: str) -> None:
    warnings: list[str] = []
    with StepRecorder(Steps(error), uuid4(), warn=warnings.append) as recorder:
        ledger = RunLedger(PLAN, on_step=recorder.note)
        for call in PLAN.calls():
            ledger.main.record(call.path, "SUCCESS")
    assert warnings == [f"the steps of this run are recorded no more: {words}"]
    assert not recorder.is_on
    assert ledger.main.ended


def test_nothing_is_kept_of_a_run_without_steps() -> None:
    store = Steps()
    with StepRecorder(store, uuid4(), warn=pytest.fail):
        pass
    assert store.batches == []
