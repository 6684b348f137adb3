"""Runs recorded in a file on this machine, with what their steps have given."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from time import time
from typing import Any, Final
from uuid import UUID

from flowrunner.model import HandlerName
from flowrunner.plan import Plan
from flowrunner.runs.packing import packed, unpacked
from flowrunner.runs.record import Attempt, RecordState, RunRecord, RunSummary
from flowrunner.runs.record_data import (
    moment,
    pack_attempt,
    pack_outcome,
    pack_plan,
    record_fields,
    record_of,
    summary_of,
    timestamp,
)
from flowrunner.runs.sqlite_database import Database
from flowrunner.runs.store import RunStoreError, StepRow, named_run, not_recorded

__all__ = ["SQLiteRunStore", "default_path"]

#: How many runs are kept, and for how many seconds: what is older goes when a run is recorded.
MOST_RUNS: Final = 1_000
LONGEST_KEPT: Final = 30 * 86_400.0
#: A larger result, in bytes as they are kept, is not: SQLite has no room for a gigabyte.
LARGEST_RESULT: Final = 500_000_000

_ADD_ATTEMPT: Final = (
    "INSERT OR IGNORE INTO attempts (run, number, id, data) VALUES "
    "(?1, (SELECT count(*) + 1 FROM attempts WHERE run = ?1), ?2, ?3)"
)
_LAST_ATTEMPT: Final = "FROM attempts WHERE attempts.run = runs.run ORDER BY number DESC LIMIT 1"
#: When a call of a run that has not ended last began or ended.
_LAST_STEP: Final = (
    "CASE WHEN ended IS NULL THEN "  # noqa: S608
    "(SELECT max(max(coalesce(steps.started, 0), coalesce(steps.ended, 0))) FROM steps "
    f"WHERE steps.attempt = (SELECT id {_LAST_ATTEMPT})) END AS last_step"
)
_SUMMARIES: Final = (
    "SELECT run, workflow, file, state, created, ended, engine, driver_until, "  # noqa: S608
    f"(SELECT data {_LAST_ATTEMPT}) AS attempt, {_LAST_STEP}, "
    "(SELECT count(*) FROM attempts WHERE attempts.run = runs.run) AS attempts FROM runs"
)
#: Rows that one statement writes: Python's threads take turns at each, and SQLite takes no more
#: than 999 values.
ROWS_AT_A_TIME: Final = 100
_SAVE_STEPS: Final = (
    "INSERT INTO steps (attempt, path, state, started, ended, retries, result, error) "
    "VALUES {rows} ON CONFLICT (attempt, path) DO UPDATE SET "
    "state = excluded.state, started = excluded.started, ended = excluded.ended, "
    "retries = excluded.retries, result = excluded.result, error = excluded.error "
    "WHERE steps.state NOT IN ('SUCCESS', 'FAILURE', 'REVOKED')"
)


def default_path() -> Path:
    """Return the file that runs are recorded in unless somebody says another.

    See the `XDG Base Directory Specification`: ``$XDG_STATE_HOME``, where it is absolute.
    """
    named = os.environ.get("XDG_STATE_HOME", "")
    try:
        folder = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise RunStoreError(
            "there is no home folder to record runs in; name a file: FLOWRUNNER_RUNS=PATH, or "
            "none to record nothing"
        ) from error
    return folder / "flowrunner" / "runs.sqlite3"


class SQLiteRunStore:
    """A :class:`~flowrunner.runs.store.RunStore` and ``StepStore`` in an SQLite file.

    The file is made when it is first needed, with its folder.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
        self._database.close()

    def create(self, record: RunRecord) -> None:
        """Record a new run; those that are too old, or too many, go."""
        fields = record_fields(record)
        marks = ", ".join("?" * len(fields))
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT INTO runs ({', '.join(fields)}) VALUES ({marks})",  # noqa: S608
                tuple(fields.values()),
            )
            for attempt in record.attempts:
                _add_attempt(connection, record.run, attempt)
            for name, value in record.handler_inputs.items():
                _set_handler_input(connection, record.run, name, packed(value))
            connection.execute(
                "DELETE FROM runs WHERE (created < ?1 OR run IN "
                "(SELECT run FROM runs ORDER BY created DESC LIMIT -1 OFFSET ?2)) "
                "AND coalesce(driver_until, 0) < ?3 AND run != ?4",
                (time() - LONGEST_KEPT, MOST_RUNS, time(), str(record.run)),
            )

    def get(self, run: UUID) -> RunRecord:
        """Return what is recorded of a run."""
        name = (str(run),)
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT *, {_LAST_STEP} FROM runs WHERE run = ?",  # noqa: S608
                name,
            ).fetchone()
            attempts = connection.execute(
                "SELECT data FROM attempts WHERE run = ? ORDER BY number", name
            ).fetchall()
            inputs = connection.execute(
                "SELECT name, value FROM handler_inputs WHERE run = ?", name
            ).fetchall()
        if row is None:
            raise not_recorded(run)
        return record_of(dict(row), [data for (data,) in attempts], dict(map(tuple, inputs)))

    def find(self, text: str) -> UUID:
        """Return the run that somebody means."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT run FROM runs ORDER BY created DESC").fetchall()
        return named_run(text, (UUID(run) for (run,) in rows))

    def open_runs(self) -> list[UUID]:
        """Return the runs that have not ended, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT run FROM runs WHERE ended IS NULL ORDER BY created"
            ).fetchall()
        return [UUID(run) for (run,) in rows]

    def list(self, *, limit: int, states: Collection[RecordState] = ()) -> list[RunSummary]:
        """Return the newest runs first."""
        wanted = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SUMMARIES} {wanted} ORDER BY created DESC LIMIT ?", (*states, limit)
            ).fetchall()
        return [summary_of(dict(row)) for row in rows]

    def delete(self, run: UUID) -> None:
        """Forget a run and what its steps have given."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM runs WHERE run = ?", (str(run),))

    def begin_attempt(self, run: UUID, attempt: Attempt, *, plan: Plan | None = None) -> None:
        """Add an attempt and open the run again."""
        with self._database.writing() as connection:
            _update(
                connection,
                run,
                "state = 'STARTED', ended = NULL, queued = 0, cancelled = 0, outcome = NULL",
            )
            if plan is not None:
                _update(connection, run, "plan = ?", (pack_plan(plan),))
            _add_attempt(connection, run, attempt)
            connection.execute("DELETE FROM handler_inputs WHERE run = ?", (str(run),))

    def set_queued(self, run: UUID) -> None:
        """Note that the current attempt's main part has been published whole."""
        with self._database.writing() as connection:
            _update(connection, run, "state = 'STARTED', queued = 1")

    def set_handler_input(self, run: UUID, name: HandlerName, value: Any) -> None:
        """Keep what a handler of the current attempt is given."""
        stored = packed(value)
        with self._database.writing() as connection:
            _require(connection, run)
            _set_handler_input(connection, run, name, stored)

    def finish(
        self, run: UUID, state: RecordState, outcome: Mapping[str, Any], ended: datetime
    ) -> None:
        """Note how the current attempt has ended."""
        stored = pack_outcome(outcome)
        with self._database.writing() as connection:
            _update(
                connection,
                run,
                "state = ?, outcome = ?, ended = ?",
                (state, stored, ended.timestamp()),
            )

    def cancel(self, run: UUID) -> None:
        """Note the wish that nothing more of the run starts."""
        with self._database.writing() as connection:
            _update(connection, run, "cancelled = 1")

    def is_cancelled(self, run: UUID) -> bool:
        """Tell whether the current attempt is to be cancelled."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT cancelled FROM runs WHERE run = ?", (str(run),)
            ).fetchone()
        if row is None:
            raise not_recorded(run)
        return bool(row["cancelled"])

    def claim(self, run: UUID, driver: str, *, seconds: float) -> bool:
        """Let ``driver`` be the one who drives a run, unless somebody else does."""
        now = time()
        with self._database.writing() as connection:
            _require(connection, run)
            changed = connection.execute(
                "UPDATE runs SET driver = ?1, driver_until = ?2 WHERE run = ?3 "
                "AND (driver IS NULL OR driver = ?1 OR driver_until <= ?4)",
                (driver, now + seconds, str(run), now),
            )
            return changed.rowcount == 1

    def release(self, run: UUID, driver: str) -> None:
        """Drive a run no more."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE runs SET driver = NULL, driver_until = NULL WHERE run = ? AND driver = ?",
                (str(run), driver),
            )

    def driver(self, run: UUID) -> str | None:
        """Return who drives a run at this moment."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT driver FROM runs WHERE run = ? AND driver_until > ?", (str(run), time())
            ).fetchone()
        return None if row is None else row["driver"]

    def save_steps(self, attempt: UUID, steps: Sequence[StepRow]) -> None:
        """Keep these rows; one that says how a call has ended is never replaced."""
        rows = [_stored_step(attempt, step) for step in steps]
        with self._database.writing() as connection:
            for start in range(0, len(rows), ROWS_AT_A_TIME):
                some = rows[start : start + ROWS_AT_A_TIME]
                connection.execute(
                    _SAVE_STEPS.format(rows=", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(some))),
                    [value for row in some for value in row],
                )

    def steps(self, attempt: UUID) -> dict[str, StepRow]:
        """Return what is kept of an attempt's calls, by path."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM steps WHERE attempt = ?", (str(attempt),)
            ).fetchall()
        return {row["path"]: _step_of(row) for row in rows}


def _require(connection: sqlite3.Connection, run: UUID) -> None:
    if connection.execute("SELECT 1 FROM runs WHERE run = ?", (str(run),)).fetchone() is None:
        raise not_recorded(run)


def _update(
    connection: sqlite3.Connection, run: UUID, changes: str, values: tuple[Any, ...] = ()
) -> None:
    changed = connection.execute(
        f"UPDATE runs SET {changes} WHERE run = ?",  # noqa: S608
        (*values, str(run)),
    )
    if not changed.rowcount:
        raise not_recorded(run)


def _add_attempt(connection: sqlite3.Connection, run: UUID, attempt: Attempt) -> None:
    connection.execute(_ADD_ATTEMPT, (str(run), str(attempt.id), pack_attempt(attempt)))


def _set_handler_input(
    connection: sqlite3.Connection, run: UUID, name: HandlerName, stored: bytes
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO handler_inputs (run, name, value) VALUES (?, ?, ?)",
        (str(run), name, stored),
    )


def _stored_step(attempt: UUID, step: StepRow) -> tuple[Any, ...]:
    result = packed(step.result) if step.has_result else None
    if result is not None and len(result) > LARGEST_RESULT:
        result = None
    error = None
    if step.error_type is not None or step.worker is not None:
        texts = [step.error_type, step.error_message, step.error_traceback, step.worker]
        # A version before this one reads four.
        error = packed([*texts, step.error_notes] if step.error_notes else texts)
    return (
        str(attempt),
        step.path,
        step.state,
        timestamp(step.started),
        timestamp(step.ended),
        step.retries,
        result,
        error,
    )


def _step_of(row: sqlite3.Row) -> StepRow:
    kind, message, traceback, worker, *notes = (
        (None, "", "", None) if row["error"] is None else unpacked(row["error"])
    )
    return StepRow(
        row["path"],
        row["state"],
        moment(row["started"]),
        moment(row["ended"]),
        row["retries"],
        None if row["result"] is None else unpacked(row["result"]),
        row["result"] is not None,
        kind,
        message,
        traceback,
        worker,
        tuple(*notes),
    )
