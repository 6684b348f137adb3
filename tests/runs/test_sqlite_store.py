"""The file of runs: who may read it, what is kept, and what its faults are called."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flowrunner.runs import sqlite_store as module
from flowrunner.runs.packing import packed
from flowrunner.runs.record import Attempt
from flowrunner.runs.sqlite_store import SQLiteRunStore
from flowrunner.runs.store import RunStoreError, StepRow, StepStore
from tests.runs.records import NOON, at, record

ROWS = [
    StepRow("a", "STARTED", at(0)),
    StepRow("b", "SUCCESS", at(0), at(1), 2, {"x": [1.5, None, "größer"]}, True),
    StepRow("c", "SUCCESS", at(0), at(1), result=None, has_result=True),
    StepRow("d", "FAILURE", None, at(1), 0, None, False, "ValueError", "no", "trace", "w@host"),
    StepRow("e", "FAILURE", error_type="KeyError", error_message="'\udcff'"),
    StepRow("f", "FAILURE", error_type="KeyError", error_notes=("order 7", "'\udcff'")),
]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("state", "home", "path"),
    [
        ("/state", "/home/me", "/state/flowrunner/runs.sqlite3"),
        (None, "/home/me", "/home/me/.local/state/flowrunner/runs.sqlite3"),
        ("not/absolute", "/home/me", "/home/me/.local/state/flowrunner/runs.sqlite3"),
    ],
)
def test_runs_are_recorded_where_a_system_keeps_such_files(
    monkeypatch: pytest.MonkeyPatch, state: str | None, home: str, path: str
) -> None:
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if state is not None:
        monkeypatch.setenv("XDG_STATE_HOME", state)
    assert module.default_path() == Path(path)


def test_only_its_owner_reads_the_file(sqlite_store: SQLiteRunStore) -> None:
    before = os.umask(0)
    try:
        sqlite_store.create(record())
    finally:
        os.umask(before)
    assert mode(sqlite_store.path.parent) == 0o700
    assert {mode(file) for file in sqlite_store.path.parent.iterdir()} == {0o600}


def test_steps_are_read_as_they_were_written(sqlite_store: SQLiteRunStore) -> None:
    assert isinstance(sqlite_store, StepStore)
    new = record()
    sqlite_store.create(new)
    sqlite_store.save_steps(new.run, ROWS)
    assert sqlite_store.steps(new.run) == {row.path: row for row in ROWS}
    assert sqlite_store.steps(uuid4()) == {}


def test_each_attempt_has_its_steps(sqlite_store: SQLiteRunStore) -> None:
    new = record()
    sqlite_store.create(new)
    second = Attempt(uuid4(), at(1))
    sqlite_store.begin_attempt(new.run, second)
    sqlite_store.save_steps(new.run, ROWS[:1])
    sqlite_store.save_steps(second.id, ROWS[1:2])
    assert [*sqlite_store.steps(new.run)] == ["a"]
    assert [*sqlite_store.steps(second.id)] == ["b"]
    sqlite_store.delete(new.run)
    assert sqlite_store.steps(new.run) == sqlite_store.steps(second.id) == {}


def test_how_a_call_has_ended_stays(sqlite_store: SQLiteRunStore) -> None:
    new = record()
    sqlite_store.create(new)
    done = StepRow("a", "SUCCESS", at(0), at(1), result=1, has_result=True)
    for row in (StepRow("a", "STARTED", at(0)), done, StepRow("a", "RETRY", at(0), retries=1)):
        sqlite_store.save_steps(new.run, [row])
    assert sqlite_store.steps(new.run) == {"a": done}


def test_a_result_that_is_too_large_is_not_kept(
    sqlite_store: SQLiteRunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_RESULT", 10)
    new = record()
    sqlite_store.create(new)
    sqlite_store.save_steps(new.run, [StepRow("a", "SUCCESS", result="x" * 20, has_result=True)])
    assert sqlite_store.steps(new.run) == {"a": StepRow("a", "SUCCESS")}


def test_the_newest_runs_are_kept(
    sqlite_store: SQLiteRunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 3)
    runs = [record(minutes=minutes) for minutes in range(5)]
    for each in runs:
        sqlite_store.create(each)
        sqlite_store.save_steps(each.run, ROWS)
    kept = [each.run for each in sqlite_store.list(limit=9)]
    assert kept == [each.run for each in runs[:1:-1]]
    assert sqlite_store.steps(runs[0].run) == {}
    assert sqlite_store.steps(runs[4].run) != {}


def test_runs_are_kept_for_a_month_unless_somebody_drives_them(
    sqlite_store: SQLiteRunStore,
) -> None:
    old = -timedelta(days=31) / timedelta(minutes=1)
    driven, gone = record(minutes=old), record(minutes=old + 1)
    sqlite_store.create(driven)
    assert sqlite_store.claim(driven.run, "me", seconds=60)
    sqlite_store.create(gone)  # the newest is kept while it is new
    new = record()
    sqlite_store.create(new)
    assert [each.run for each in sqlite_store.list(limit=9)] == [new.run, driven.run]
    assert new.created == NOON


RECORDING = """
import sys
from pathlib import Path
from flowrunner.runs.sqlite_store import SQLiteRunStore
from tests.runs.records import record
store = SQLiteRunStore(Path(sys.argv[1]))
for minutes in range(5):
    store.create(record(minutes=minutes))
"""


def test_processes_record_side_by_side(sqlite_store: SQLiteRunStore) -> None:
    """Also when each of them finds no file."""
    command = [sys.executable, "-c", RECORDING, str(sqlite_store.path)]
    with ThreadPoolExecutor() as pool:
        ended = list(
            pool.map(lambda _: subprocess.run(command, check=False, capture_output=True), range(4))
        )
    assert [each.stderr for each in ended] == [b""] * 4
    assert len(sqlite_store.list(limit=99)) == 20


def damaged(path: Path) -> None:
    path.write_bytes(b"no database " * 1000)


def later(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (damaged, "file is not a database; the file is damaged: move it away"),
        (later, "are in format 99 and this flowrunner reads 1: use the newer flowrunner"),
        (folder, "Is a directory; name a file that can be written: FLOWRUNNER_RUNS=PATH"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_cure(
    tmp_path: Path, make: Any, words: str
) -> None:
    path = tmp_path / "runs.sqlite3"
    make(path)
    store = SQLiteRunStore(path)
    for act in (lambda: store.create(record()), lambda: store.list(limit=1)):
        with pytest.raises(RunStoreError) as caught:
            act()
        assert str(path) in str(caught.value)
        assert words in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunStoreError, match="FLOWRUNNER_RUNS=PATH, or none to record nothing"):
        SQLiteRunStore(tmp_path / "file" / "runs.sqlite3").create(record())


def test_a_full_disk_is_told_and_loses_nothing(sqlite_store: SQLiteRunStore) -> None:
    new = record()
    sqlite_store.create(new)
    with sqlite_store._database.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    sqlite_store._database._connection.execute(f"PRAGMA max_page_count = {pages}")
    large = [StepRow(f"{n}", "SUCCESS", result=str(uuid4()) * 20) for n in range(1000)]
    with pytest.raises(RunStoreError, match="full; make room on the disk"):
        sqlite_store.save_steps(new.run, large)
    assert sqlite_store.steps(new.run) == {}
    assert sqlite_store.get(new.run).run == new.run


def test_a_record_that_makes_no_sense_is_told(sqlite_store: SQLiteRunStore) -> None:
    new = record()
    sqlite_store.create(new)
    with sqlite_store._database.writing() as connection:
        connection.execute("UPDATE runs SET plan = x'00'")
    with pytest.raises(RunStoreError, match=f"record of run {new.run} cannot be read"):
        sqlite_store.get(new.run)


def test_an_attempt_of_an_older_version_is_read(tmp_path: Path) -> None:
    with closing(SQLiteRunStore(tmp_path / "runs.sqlite3")) as store:
        new = record(engine="embedded")
        store.create(new)
        older = packed([str(new.run), at(0).timestamp(), ["a"]])
        with sqlite3.connect(tmp_path / "runs.sqlite3") as connection:
            connection.execute("UPDATE attempts SET data = ?", (older,))
        connection.close()
        assert store.get(new.run).attempt == Attempt(new.run, at(0), frozenset({"a"}))
