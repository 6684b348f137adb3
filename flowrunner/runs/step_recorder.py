"""What the calls of an embedded run give, kept while it goes on and beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from flowrunner.runs.step_state import SUCCESS, StepError, StepState
from flowrunner.runs.store import RunStoreError, StepRow, StepStore

__all__ = ["StepRecorder"]

#: Seconds for which rows are gathered before they are written together.
GATHER_FOR: Final = 0.2


class _Note(NamedTuple):
    step: StepState
    result: Callable[[], Any] | None


class StepRecorder:
    """Writes what it is told of an attempt's calls, in a thread of its own.

    :meth:`note` is what a ledger's ``on_step`` is. What cannot be written is told once to
    ``warn``, and nothing more is: the run goes on. A context manager, whose end waits until
    everything is written.
    """

    def __init__(self, store: StepStore, attempt: UUID, *, warn: Callable[[str], None]) -> None:
        self._store = store
        self._attempt = attempt
        self._warn = warn
        self._notes: SimpleQueue[_Note | None] = SimpleQueue()
        self._ending = Event()
        self._is_on = True
        self._thread = Thread(target=self._work, name="flowrunner-recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._notes.put(None)
        self._thread.join()

    @property
    def is_on(self) -> bool:
        """Whether everything has been kept so far."""
        return self._is_on

    def note(self, step: StepState, result: Callable[[], Any] | None) -> None:
        """Keep a call's state; never waits and never raises."""
        if self._is_on and not self._ending.is_set():
            self._notes.put(_Note(step, result))

    def _work(self) -> None:
        try:
            while self._write_some():
                pass
        except RunStoreError as error:
            self._stop(str(error))
        except Exception as error:  # whatever it is, the run goes on
            self._stop(f"BUG: {type(error).__name__}: {error}")

    def _stop(self, why: str) -> None:
        self._is_on = False
        self._warn(f"the steps of this run are recorded no more: {why}")

    def _write_some(self) -> bool:
        """Wait for notes and write them; tell whether more may come."""
        first = self._notes.get()
        if first is None:
            return False
        self._ending.wait(GATHER_FOR)
        gathered: dict[str, _Note] = {}
        note: _Note | None = first
        while note is not None:
            known = gathered.get(note.step.call.path)
            if known is None or known.step.ended is None:  # how it has ended stays
                gathered[note.step.call.path] = note
            if self._notes.empty():
                break
            note = self._notes.get()
        self._store.save_steps(self._attempt, [_row(each) for each in gathered.values()])
        return note is not None


def _row(note: _Note) -> StepRow:
    step, error = note.step, note.step.error
    has_result = step.state == SUCCESS and note.result is not None
    return StepRow(
        step.call.path,
        step.state,
        _moment(step.started),
        _moment(step.ended),
        step.retries,
        note.result() if has_result and note.result is not None else None,
        has_result,
        *(() if error is None else _told(error)),
    )


def _told(error: StepError) -> tuple[str, str, str, str | None, tuple[str, ...]]:
    return error.type, error.message, error.traceback, error.worker, error.notes


def _moment(timestamp: float | None) -> datetime | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
