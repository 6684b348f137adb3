"""``--no-plugins``: files are checked, and no code of the folder runs."""

from __future__ import annotations

import json

import pytest

from flowrunner.app import Project
from flowrunner.errors import ConfigurationError
from flowrunner.settings import load_settings
from tests.cli.commands import Folder

MARK = "from pathlib import Path\nPath('it_ran').touch()\n"
WORKFLOW = """
defaults: {total: {priority: 3}}
chord:
  header:
    - {task: shop.fetch, kwargs: {name: a}, id: one}
    - fetch x3
    - map: {task: count, over: [1, 2]}
  body: total
"""


@pytest.fixture
def untrusted(folder: Folder) -> Folder:
    """A folder whose plugin and Celery app leave a mark when they are imported."""
    folder.write("plugins/tasks.py", MARK)
    folder.write("proj.py", MARK + "from celery import Celery\napp = Celery()\n")
    folder.write("pyproject.toml", '[tool.flowrunner]\nplugins = ["plugins"]\napp = "proj"\n')
    folder.write("w.yaml", WORKFLOW)
    return folder


def has_run_code(folder: Folder) -> bool:
    return (folder.path / "it_ran").exists()


NOT_CHECKED = "4 tasks not checked: no plugins were loaded\n"


@pytest.mark.parametrize(
    ("command", "err"),
    [
        (("validate", "w.yaml"), False),
        (("graph", "w.yaml"), False),
        (("graph", "w.yaml", "--format", "mermaid"), True),
        (("graph", "w.yaml", "--format", "dot"), True),
        (("apply", "w.yaml", "--dry-run"), False),
    ],
)
def test_nothing_of_the_folder_runs(untrusted: Folder, command: tuple[str, ...], err: bool) -> None:
    ended = untrusted.run(*command, "--no-plugins", FLOWRUNNER_PLUGINS="plugins")
    assert ended.code == 0, ended.err
    assert (ended.err if err else ended.out).endswith(NOT_CHECKED)
    assert untrusted.run(*command, FLOWRUNNER_NO_PLUGINS="1").out == ended.out
    assert not has_run_code(untrusted)


def test_the_mark_shows_that_plugins_run_otherwise(untrusted: Folder) -> None:
    untrusted.run("validate", "w.yaml")
    assert has_run_code(untrusted)


@pytest.mark.parametrize(
    "command",
    [
        ("validate", "w.yaml", "--output", "json"),
        ("graph", "w.yaml", "--format", "json"),
        ("apply", "w.yaml", "--dry-run", "--output", "json"),
    ],
)
def test_json_counts_the_tasks_that_are_not_checked(
    untrusted: Folder, command: tuple[str, ...]
) -> None:
    ended = untrusted.run(*command, "--no-plugins")
    assert json.loads(ended.out)["tasks_not_checked"] == 4
    assert not has_run_code(untrusted)


def test_everything_else_is_still_checked(untrusted: Folder) -> None:
    untrusted.write("w.yaml", "group:\n  - {task: a, agrs: []}\n  - b x${inputs.n}\n  - c\n")
    ended = untrusted.run("validate", "w.yaml", "--no-plugins")
    assert (ended.code, ended.out) == (2, "")
    assert "unknown key 'agrs'" in ended.err
    assert "inputs.n" in ended.err
    assert ended.err.endswith(
        "\n2 problems in 1 file\n3 tasks not checked: no plugins were loaded\n"
    )
    ended = untrusted.run("validate", "w.yaml", "--no-plugins", "--output", "json")
    assert json.loads(ended.out)["tasks_not_checked"] == 3


def test_a_file_without_tasks_is_checked_completely(untrusted: Folder) -> None:
    untrusted.write("w.yaml", "chain: []\n")
    ended = untrusted.run("validate", "w.yaml", "--no-plugins")
    assert (ended.code, ended.out) == (0, "1 file checked, no problem\n")


@pytest.mark.parametrize(
    "command",
    [
        ("apply", "w.yaml"),
        ("apply", "w.yaml", "--output", "json"),
        ("resume", "last"),
        ("resume", "last", "--dry-run"),
        ("watch", "last"),
        ("worker",),
        ("doctor",),
    ],
)
def test_what_needs_the_tasks_is_refused(untrusted: Folder, command: tuple[str, ...]) -> None:
    ended = untrusted.run(*command, "--no-plugins")
    assert ended.code == 2
    assert "no plugins are loaded: leave out --no-plugins" in ended.err + ended.out
    ended = untrusted.run(*command, FLOWRUNNER_NO_PLUGINS="1")
    assert ended.code == 2
    assert "no plugins are loaded: unset FLOWRUNNER_NO_PLUGINS" in ended.err + ended.out
    assert not has_run_code(untrusted)


@pytest.mark.parametrize("command", ["runs", "tasks", "plugins"])
def test_the_variable_keeps_the_app_from_being_loaded(untrusted: Folder, command: str) -> None:
    ended = untrusted.run(command, FLOWRUNNER_NO_PLUGINS="1")
    assert ended.code == 2
    assert "no plugins are loaded: unset FLOWRUNNER_NO_PLUGINS" in ended.err
    assert not has_run_code(untrusted)


def test_celerys_own_command_line_starts_no_worker_either() -> None:
    settings = load_settings(environment={"FLOWRUNNER_NO_PLUGINS": "1"})
    with pytest.raises(ConfigurationError, match="unset FLOWRUNNER_NO_PLUGINS"):
        Project(settings).worker_app()


def test_config_shows_that_no_plugins_are_loaded(untrusted: Folder) -> None:
    ended = untrusted.run("config", FLOWRUNNER_NO_PLUGINS="1")
    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()}
    assert rows["no_plugins"] == ["true", "FLOWRUNNER_NO_PLUGINS"]
    assert rows["plugins"] == ["-", "default"]


@pytest.mark.parametrize("option", [("--plugin", "plugins"), ("-A", "proj")])
def test_an_option_that_names_code_is_an_error_beside_it(
    untrusted: Folder, option: tuple[str, str]
) -> None:
    ended = untrusted.run("validate", "w.yaml", "--no-plugins", *option)
    assert ended.code == 2
    assert f"{option[0]} names code to load, and --no-plugins loads none" in ended.err
    ended = untrusted.run("validate", "w.yaml", *option, FLOWRUNNER_NO_PLUGINS="true")
    assert ended.code == 2
    assert "FLOWRUNNER_NO_PLUGINS loads none" in ended.err
    assert not has_run_code(untrusted)


def test_the_variable_is_1_or_0(folder: Folder) -> None:
    folder.write("w.yaml", "task: power\nargs: [2]\n")
    ended = folder.run("validate", "w.yaml", FLOWRUNNER_NO_PLUGINS="0")
    assert ended.out == "1 file checked, no problem\n"
    ended = folder.run("validate", "w.yaml", FLOWRUNNER_NO_PLUGINS="maybe")
    assert ended.err == "error: FLOWRUNNER_NO_PLUGINS: 'no_plugins' must be 1 or 0\n"


def test_a_file_cannot_switch_the_check_of_tasks_off(folder: Folder) -> None:
    folder.write("pyproject.toml", "[tool.flowrunner]\nno_plugins = true\n")
    ended = folder.run("validate", "powersum.yaml")
    assert ended.code == 2
    assert "'no_plugins' cannot be set in a file; use --no-plugins" in ended.err
