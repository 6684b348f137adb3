"""A change of plugin files is noticed, once nothing changes any more."""

import os
import sys
from pathlib import Path
from threading import Event
from time import time_ns
from types import ModuleType

import pytest

from flowrunner.code_watch import CodeWatch, code_of_references
from flowrunner.plugins import PluginReference

LATER = 10**12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one.py", "two.py", "notes.txt"):
        (tmp_path / name).write_text("")
    return tmp_path


def seen(watch: CodeWatch) -> Path | None:
    return watch.wait(Event(), every=0)


def test_a_file_that_changes_comes_or_goes_is_noticed(folder: Path) -> None:
    watch = CodeWatch([folder], since=time_ns() + LATER)
    (folder / "one.py").write_text("changed")
    assert seen(watch) == folder / "one.py"
    (folder / "three.py").write_text("")
    assert seen(watch) == folder / "three.py"
    (folder / "two.py").unlink()
    assert seen(watch) == folder / "two.py"


def test_several_changes_are_noticed_together(folder: Path) -> None:
    watch = CodeWatch([folder], since=time_ns() + LATER)
    for name in ("one.py", "two.py"):
        (folder / name).write_text("changed")
    assert seen(watch) == folder / "one.py"
    stopped = Event()
    stopped.set()
    assert watch.wait(stopped) is None
    assert watch._difference(dict(watch._before)) is None


def test_a_file_that_changed_while_it_was_read_counts(folder: Path) -> None:
    began = time_ns()
    os.utime(folder / "one.py", ns=(began + 1, began + 1))
    assert seen(CodeWatch([folder], since=began)) == folder / "one.py"


def test_a_file_of_a_clock_that_is_ahead_does_not_count(folder: Path) -> None:
    began = time_ns()
    os.utime(folder / "one.py", ns=(began + LATER, began + LATER))
    watch = CodeWatch([folder], since=began)
    assert watch._early is None


def test_a_module_beside_the_plugins_is_looked_at_from_its_import_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = CodeWatch([folder / "one.py"], since=time_ns() + LATER)
    module = ModuleType("beside")
    module.__file__ = str(folder / "two.py")
    monkeypatch.setitem(sys.modules, "beside", module)
    before, watch._before = watch._before, watch._states()
    assert watch._difference(before) is None
    (folder / "two.py").write_text("changed")
    assert seen(watch) == folder / "two.py"


def test_installed_packages_are_not_looked_at(folder: Path) -> None:
    watch = CodeWatch([folder], since=time_ns())
    files = [str(file) for file in watch._states()]
    assert not [file for file in files if "site-packages" in file or "flowrunner/cli" in file]
    assert not watch.is_empty


def test_the_files_of_plugins_that_do_not_load_are_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    (folder / "broken_package").mkdir()
    (folder / "broken_package" / "__init__.py").write_text("def (")
    (folder / "single_module.py").write_text("def (")
    names = ("one.py", "gone.py", "broken_package.tasks", "single_module", ".")
    found = code_of_references(PluginReference(name, "--plugin", folder) for name in names)
    assert found == (
        folder / "one.py",
        folder / "gone.py",
        folder / "broken_package",
        folder / "single_module.py",
        folder,
    )
