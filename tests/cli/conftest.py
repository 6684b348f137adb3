"""A project to run commands in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowrunner.runs.sqlite_store import SQLiteRunStore
from tests.cli.commands import PLUGIN, Folder
from tests.cli.recorded import Recorded


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    project = Folder(tmp_path)
    (tmp_path / "plugins").mkdir()
    project.write("plugins/tasks.py", PLUGIN)
    project.write("pyproject.toml", '[tool.flowrunner]\nplugins = ["plugins"]\n')
    project.write("powersum.yaml", "chord:\n  header: power x10\n  body: amass\n")
    return project


@pytest.fixture
def recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Recorded]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWRUNNER_RUNS", str(tmp_path / "runs.sqlite3"))
    store = SQLiteRunStore(tmp_path / "runs.sqlite3")
    yield Recorded(store, capsys)
    store.close()
