"""The file that runs are recorded in: opened, made where there is none, and its faults told."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Final

from flowrunner.runs.store import RunStoreError

__all__ = ["Database"]

#: The version of the tables; a file of a later one is refused.
SCHEMA_VERSION: Final = 1
#: Seconds to wait for another process that writes.
BUSY_TIMEOUT: Final = 10.0

SCHEMA: Final = """
CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    workflow BLOB NOT NULL,
    file BLOB NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    ended REAL,
    engine TEXT NOT NULL,
    plan BLOB NOT NULL,
    timeout REAL,
    queued INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    outcome BLOB,
    driver TEXT,
    driver_until REAL
);
CREATE INDEX runs_by_creation ON runs (created);
CREATE INDEX open_runs ON runs (created) WHERE ended IS NULL;
CREATE TABLE attempts (
    run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    number INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    data BLOB NOT NULL,
    PRIMARY KEY (run, number)
);
CREATE TABLE handler_inputs (
    run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, name)
);
CREATE TABLE steps (
    attempt TEXT NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    state TEXT NOT NULL,
    started REAL,
    ended REAL,
    retries INTEGER NOT NULL,
    result BLOB,
    error BLOB,
    PRIMARY KEY (attempt, path)
) WITHOUT ROWID;
"""


class Database:
    """One connection, used by any thread in turn; it is opened when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose questions are all answered from one moment."""
        with self._transaction("BEGIN", "read") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection on which everything is written, or nothing when the block raises."""
        with self._transaction("BEGIN IMMEDIATE", "written") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str, what: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explaining(what):
            if self._connection is None:
                self._connection = self._opened()
            connection = self._connection
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled it back already
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explaining(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            text = error.strerror if isinstance(error, OSError) else str(error)
            raise RunStoreError(
                f"the runs recorded in {self.path} cannot be {what}: {text}; {_cure(error)}"
            ) from error

    def _opened(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Inputs and results may be private. SQLite gives its other files the mode of this one.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        if _version(connection) == SCHEMA_VERSION:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection)  # another process may have been here in between
            if version == 0:
                for statement in SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise RunStoreError(
                    f"the runs recorded in {self.path} are in format {version} and this "
                    f"flowrunner reads {SCHEMA_VERSION}: use the newer flowrunner, or another "
                    f"file: FLOWRUNNER_RUNS=PATH"
                )
        finally:
            connection.execute("COMMIT")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at the same time; some network disks have no such thing."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise  # a process that is about to do the same does not let others wait


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _cure(error: sqlite3.Error | OSError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what extends it
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return "the file is damaged: move it away, and a new one is made"
    if code == sqlite3.SQLITE_FULL:
        return "make room on the disk, or name another file: FLOWRUNNER_RUNS=PATH"
    if code == sqlite3.SQLITE_BUSY:
        return "another process has been writing for long: try again"
    return "name a file that can be written: FLOWRUNNER_RUNS=PATH, or none to record nothing"
