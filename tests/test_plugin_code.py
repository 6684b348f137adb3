"""Which code plugins have, told by a digest that is the same on another machine."""

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from flowrunner.plugin_code import PluginDigest, code_of, plugin_digests, python_files
from flowrunner.plugins import LoadedPlugin, PluginReference, load_plugins
from tests.test_plugins import registering, write


def digests(folder: Path, *names: str) -> dict[str, PluginDigest]:
    manager = load_plugins(PluginReference(name, "--plugin", folder) for name in names)
    found = plugin_digests(manager.loaded, manager.tasks())
    return {digest.name: digest for digest in found}


def test_a_file_has_the_same_digest_in_every_folder_until_it_changes(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        write(folder, "one.py", registering("first"))
    mine = digests(here, "one.py")["one.py"]
    assert mine == digests(there, "one.py")["one.py"]
    assert mine.tasks == {"first"}
    with (there / "one.py").open("a") as file:
        file.write("# changed\n")
    assert digests(there, "one.py")["one.py"].digest != mine.digest


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ("two.py", True),
        ("_helpers.py", True),
        ("inner/module.py", True),
        ("new.py", True),
        ("notes.txt", False),
        ("elsewhere/module.py", False),
        (".hidden/__init__.py", False),
    ],
)
def test_a_folder_is_its_python_files_and_the_packages_in_it(
    tmp_path: Path, changed: str, differs: bool
) -> None:
    for name in ("two.py", "three.py"):
        write(tmp_path, f"many/{name}", registering(name.removesuffix(".py")))
    for name in ("_helpers.py", "inner/__init__.py", "inner/module.py", "elsewhere/module.py"):
        write(tmp_path, f"many/{name}", "")
    manager = load_plugins([PluginReference("many", "--plugin", tmp_path)])
    before = plugin_digests(manager.loaded, manager.tasks())
    assert [(each.name, each.tasks) for each in before] == [("many", {"two", "three"})]
    write(tmp_path, f"many/{changed}", "# changed\n")
    after = plugin_digests(manager.loaded, manager.tasks())
    assert (after != before) is differs


def test_what_is_no_regular_file_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "one.py").write_text("")
    assert python_files(tmp_path) == (tmp_path / "one.py",)


def test_a_module_that_is_named_is_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    write(tmp_path, "named_plugin/__init__.py", "")
    write(tmp_path, "named_plugin/tasks.py", registering("named"))
    manager = load_plugins([PluginReference("named_plugin.tasks", "--plugin", tmp_path)])
    assert [code_of(each) for each in manager.loaded] == [tmp_path / "named_plugin" / "tasks.py"]


def installed(name: str, file: Path, version: str) -> LoadedPlugin:
    module = ModuleType(name)
    module.__file__ = str(file)
    return LoadedPlugin(name, "installed", module, version)


def test_an_installed_package_is_its_version_and_an_editable_one_its_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("site-packages", "source"):
        write(tmp_path, f"{place}/acme.py", "")
    library, source = (tmp_path / name / "acme.py" for name in ("site-packages", "source"))

    def digest(file: Path, version: str) -> str:
        plugin = installed("acme", file, version)
        monkeypatch.setitem(sys.modules, "acme", plugin.module)
        (found,) = plugin_digests([plugin], load_plugins().tasks())
        assert found.version == version
        return found.digest

    first = digest(library, "1.0")
    assert digest(library, "1.1") != first
    library.write_text("# changed")
    assert digest(library, "1.0") == first
    editable = digest(source, "1.0")
    source.write_text("# changed")
    assert digest(source, "1.0") != editable


def test_a_digest_is_told_as_json() -> None:
    told = PluginDigest("one.py", "abc", "", frozenset({"b", "a"}))
    assert told.to_json()["tasks"] == ["a", "b"]
    assert PluginDigest.from_json(told.to_json()) == told
    assert PluginDigest.from_json({}) == PluginDigest("", "")
