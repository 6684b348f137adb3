"""``flowrunner doctor``: what it prints and what it exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowrunner.doctor import runs_file
from tests.cli.commands import Folder

APP = """
from celery import Celery

app = Celery("shop", broker="redis://:secret@127.0.0.1:1/0", backend="redis://127.0.0.1:1/1")
app.conf.{setting}

@app.task
def price(item):
    pass
"""


def test_without_a_broker_nothing_else_is_needed(folder: Folder) -> None:
    ended = folder.run("doctor", "powersum.yaml", FLOWRUNNER_RUNS="none")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "✓ plugins  1 plugin loaded, with 6 tasks\n"
        "✓ engine   runs are embedded: no broker is configured, and they need none\n"
        "\n"
        "everything is in place\n"
    )


def test_a_plugin_that_cannot_be_loaded_is_a_finding(folder: Folder) -> None:
    folder.write("plugins/tasks.py", "1 / 0")
    ended = folder.run("doctor")
    assert ended.code == 1
    assert "✗ plugins" in ended.out
    assert "division by zero" in " ".join(ended.out.split())


def test_a_server_that_cannot_be_reached_exits_with_3_and_hides_the_password(
    folder: Folder,
) -> None:
    addresses = ("--broker", "redis://:secret@127.0.0.1:1/0", "--backend", "redis://127.0.0.1:1/1")
    ended = folder.run("doctor", *addresses, "--output", "json")
    assert (ended.code, ended.err) == (3, "")
    assert "secret" not in ended.out
    found = json.loads(ended.out)
    assert found["ok"] is False
    errors = {each["check"]: each for each in found["findings"] if each["severity"] == "error"}
    assert set(errors) == {"broker", "result backend"}
    assert set(errors["broker"]) == {"severity", "check", "what", "why", "cure"}
    assert "redis://:**@127.0.0.1:1/0 cannot be reached" in errors["broker"]["what"]


def test_a_setting_that_is_missing_is_a_finding(folder: Folder) -> None:
    ended = folder.run("doctor", "--broker", "redis://127.0.0.1:1/0")
    assert ended.code == 1
    assert "✗ settings  no result backend is configured" in ended.out
    assert "--backend redis://localhost/1" in ended.out.replace("\n" + " " * 18, " ")


def test_what_keeps_an_app_from_running_workflows_is_found_with_all_the_rest(
    folder: Folder,
) -> None:
    folder.write("shop.py", APP.format(setting="update(task_protocol=1, result_expires=5)"))
    ended = folder.run("doctor", "-A", "shop", "--output", "json")
    assert ended.code == 3
    found = [each for each in json.loads(ended.out)["findings"] if each["severity"] == "error"]
    assert [each["check"] for each in found] == [
        *("app settings", "app settings", "broker", "result backend")
    ]
    assert found[0]["what"].startswith("task_protocol is 1, which loses")
    assert found[0]["cure"] == "set it to 2, Celery's default since version 4"


def test_an_app_without_a_broker_is_not_examined(folder: Folder) -> None:
    folder.write("shop.py", APP.format(setting="broker_url = None"))
    ended = folder.run("doctor", "-A", "shop")
    assert ended.code == 1
    assert "no broker is configured in it" in ended.out


def test_a_file_that_is_wrong_is_refused_as_elsewhere(folder: Folder) -> None:
    folder.write("wrong.yaml", "task: powr")
    ended = folder.run("doctor", "wrong.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert "unknown task 'powr'" in ended.err


def test_a_run_that_is_refused_says_why_and_what_to_do(folder: Folder) -> None:
    addresses = ("--broker", "redis://127.0.0.1:1/0", "--backend", "rpc://")
    ended = folder.run("apply", "powersum.yaml", *addresses)
    assert (ended.code, ended.out) == (3, "")
    assert "error: the broker redis://127.0.0.1:1/0 cannot be reached" in ended.err
    assert "error: the result backend rpc:// cannot run chords" in ended.err
    assert "  = use one that can: --backend redis://…\n" in ended.err
    ended = folder.run("apply", "powersum.yaml", *addresses, "--output", "json")
    refused = json.loads(ended.out)
    assert (ended.code, refused["state"], len(refused["diagnostics"])) == (3, "REFUSED", 2)


@pytest.mark.parametrize(
    ("name", "severity"),
    [("new.sqlite", "ok"), ("a/b/new.sqlite", "ok"), ("there", "ok"), ("folder", "error")],
)
def test_the_file_of_embedded_runs_has_to_be_one_that_can_be_written(
    tmp_path: Path, name: str, severity: str
) -> None:
    (tmp_path / "there").touch()
    (tmp_path / "folder").mkdir()
    assert runs_file(tmp_path / name).severity == severity


def test_a_file_in_the_place_of_a_folder_is_no_place_for_runs(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    assert runs_file(tmp_path / "there" / "runs.sqlite").severity == "error"
