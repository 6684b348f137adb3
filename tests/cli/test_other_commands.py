"""``validate``, ``graph``, ``tasks``, ``plugins``, ``--version`` and ``--help``."""

import json

import pytest

from flowrunner import __version__
from tests.cli.commands import Folder


def test_validate_reports_every_problem_of_every_file(folder: Folder) -> None:
    wrong = folder.write("wrong.yaml", "chain: [powr, {task: power, agrs: []}]\n")
    ended = folder.run("validate", "powersum.yaml", wrong, "none.yaml")
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.count("error:") == 3
    assert ended.err.endswith("\n3 problems in 2 files\n")


def test_validate_says_once_what_is_wrong_in_a_file_that_others_use(folder: Folder) -> None:
    used = folder.write("used.yaml", "task: powr\n")
    one = folder.write("one.yaml", "chain: [power x2, {use: used.yaml}]\n")
    two = folder.write("two.yaml", "group: [{use: ./used.yaml}]\n")
    ended = folder.run("validate", one, two, used)
    assert ended.code == 2
    assert "used.yaml:1:7" in ended.err
    assert ended.err.endswith("\n1 problem in 1 file\n")
    (problem,) = json.loads(folder.run("validate", one, "--output", "json").out)["diagnostics"]
    assert (problem["file"], problem["line"], problem["column"]) == ("used.yaml", 1, 7)


def test_validate_says_that_all_is_well(folder: Folder) -> None:
    ended = folder.run("validate", "powersum.yaml")
    assert (ended.code, ended.out, ended.err) == (0, "1 file checked, no problem\n", "")


def test_validate_checks_every_file_below_a_folder(folder: Folder) -> None:
    for name in ("flows/deep/er", "flows/.hidden", "flows/empty", "elsewhere"):
        (folder.path / name).mkdir(parents=True)
    for name in ("flows/a.yaml", "flows/deep/b.yml", "flows/deep/er/c.yaml"):
        folder.write(name, "task: powr\n")
    for name in ("flows/.hidden/no.yaml", "flows/.no.yaml", "flows/no.json", "elsewhere/no.yaml"):
        folder.write(name, "task: nothing\n")
    (folder.path / "flows/link.yaml").symlink_to("../elsewhere/no.yaml")
    (folder.path / "flows/linked").symlink_to("../elsewhere")
    ended = folder.run("validate", "flows", "powersum.yaml")
    assert ended.code == 2
    places = [line.split()[-1] for line in ended.err.splitlines() if "┌─" in line]
    assert places == ["flows/a.yaml:1:7", "flows/deep/b.yml:1:7", "flows/deep/er/c.yaml:1:7"]
    assert ended.err.endswith("\n3 problems in 3 files\n")
    assert folder.run("validate", ".", "--output", "json").out.count('"message"') == 4


def test_validate_refuses_a_folder_without_workflows(folder: Folder) -> None:
    (folder.path / "flows/.git").mkdir(parents=True)
    ended = folder.run("validate", "flows", "powersum.yaml")
    assert ended.code == 2
    assert "error: there is no .yaml or .yml file in the folder flows\n" in ended.err
    assert ended.err.endswith("\n1 problem in 1 file\n")


def test_validate_needs_no_inputs(folder: Folder) -> None:
    name = folder.write("w.yaml", "inputs: {n: {type: integer}}\ngroup: power x${inputs.n}\n")
    assert folder.run("validate", name).code == 0
    assert folder.run("apply", name).code == 2


def test_validate_prints_json_for_programs(folder: Folder) -> None:
    assert json.loads(folder.run("validate", "powersum.yaml", "--output", "json").out) == {
        "state": "VALID",
        "diagnostics": [],
    }
    ended = folder.run("validate", "none.yaml", "--output", "json")
    assert json.loads(ended.out)["state"] == "REFUSED"


@pytest.mark.parametrize("graph_format", ["tree", "mermaid", "dot", "json"])
def test_graph_prints_every_format(folder: Folder, graph_format: str) -> None:
    ended = folder.run("graph", "powersum.yaml", "--format", graph_format)
    assert ended.code == 0
    assert "power" in ended.out
    expanded = folder.run("graph", "powersum.yaml", "--format", graph_format, "--expand")
    assert expanded.out.count("power") > 10


def test_tasks_are_listed_with_signature_description_and_plugin(folder: Folder) -> None:
    out = folder.run("tasks").out
    assert "power(value: float, expo: float = 2) -> float\n" in out
    assert "Return value raised to expo." in out
    assert "plugins/tasks.py" in out


def test_plugins_are_listed_with_who_named_them(folder: Folder) -> None:
    out = folder.run("plugins").out
    assert out.startswith("plugins/tasks.py  (pyproject.toml)\n")


def test_a_plugin_folder_that_is_not_loaded_is_named_where_a_task_is_unknown(
    folder: Folder,
) -> None:
    folder.write("pyproject.toml", "")
    ended = folder.run("validate", "powersum.yaml")
    assert ended.code == 2
    assert "plugins/ is nearby but not loaded; to load it, use --plugin plugins" in ended.err
    assert folder.run("validate", "powersum.yaml", "--plugin", "plugins").code == 0
    assert folder.run("validate", "powersum.yaml", FLOWRUNNER_PLUGINS="plugins").code == 0


def test_version_and_help(folder: Folder) -> None:
    assert folder.run("--version").out == f"flowrunner, version {__version__}\n"
    assert "apply" in folder.run("--help").out
    assert folder.run("-h").code == 0
    assert folder.run("aply").code == 2


def test_an_ascii_terminal_gets_ascii(folder: Folder) -> None:
    wrong = folder.write("wrong.yaml", "task: powr\n")
    ended = folder.run("validate", wrong, fresh=True, PYTHONIOENCODING="ascii")
    assert "--> wrong.yaml:1:7" in ended.err
    assert ended.err.isascii()
    ended = folder.run("graph", "powersum.yaml", fresh=True, PYTHONIOENCODING="ascii")
    assert ended.code == 0
