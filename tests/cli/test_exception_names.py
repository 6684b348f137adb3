"""Names in ``only`` and ``never`` that retry nothing: a warning, and no change of the exit code."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands import Folder

TYPO = "task: power\nargs: [3]\nretry: {max: 1, only: [ConectionError, OSError]}\n"
WARNING = """\
warning: unknown exception 'ConectionError'
  ┌─ typo.yaml:3:24
  │
3 │ retry: {max: 1, only: [ConectionError, OSError]}
  │                        ^^^^^^^^^^^^^^ did you mean 'ConnectionError'?
  │
  = neither Python nor the module tasks, nor a module that it imports, defines it: no failure \
matches it
"""
APP = """
from celery import Celery
app = Celery("shop", broker="redis://127.0.0.1:1/0", backend="redis://127.0.0.1:1/1")

class PaymentError(Exception):
    def __init__(self, message, *, status):
        print("made")
        super().__init__(message)

@app.task
def pay():
    pass
"""


@pytest.fixture
def typo(folder: Folder) -> Folder:
    folder.write("typo.yaml", TYPO)
    return folder


def test_validate_warns(typo: Folder) -> None:
    ended = typo.run("validate", "typo.yaml", "powersum.yaml")
    assert ended.code == 0
    assert ended.out == "2 files checked, no problem, 1 warning\n"
    assert ended.err == WARNING
    ended = typo.run("validate", "typo.yaml", "--output", "json")
    document = json.loads(ended.out)
    assert (ended.code, document["state"], document["diagnostics"]) == (0, "VALID", [])
    assert [each["label"] for each in document["warnings"]] == ["did you mean 'ConnectionError'?"]
    assert "warnings" not in typo.run("validate", "powersum.yaml", "--output", "json").out


def test_validate_shows_warnings_beside_problems(typo: Folder) -> None:
    typo.write("typo.yaml", f"{TYPO}kwargs: {{whatever: 1}}\n")
    ended = typo.run("validate", "typo.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: task 'power' has no argument 'whatever'")
    assert ended.err.endswith(f"\n\n{WARNING}\n1 problem in 1 file, 1 warning\n")


def test_apply_warns_before_the_run(typo: Folder) -> None:
    ended = typo.run("apply", "typo.yaml")
    assert (ended.code, ended.out, ended.err) == (0, "9\n", WARNING)
    ended = typo.run("apply", "typo.yaml", "--output", "json")
    assert json.loads(ended.out)["state"] == "SUCCESS"
    assert ended.err == WARNING


def test_doctor_warns(typo: Folder) -> None:
    ended = typo.run("doctor", "typo.yaml", "--output", "json")
    assert ended.code == 0
    found = [each for each in json.loads(ended.out)["findings"] if each["check"] == "exceptions"]
    assert [(each["severity"], each["what"]) for each in found] == [
        ("warning", "typo.yaml:3:24: unknown exception 'ConectionError'")
    ]
    assert found[0]["cure"] == "did you mean 'ConnectionError'?"


def test_without_plugins_no_function_is_at_hand(typo: Folder) -> None:
    ended = typo.run("validate", "typo.yaml", "--no-plugins")
    assert (ended.code, ended.err) == (0, "")


def test_with_an_app_its_workers_may_be_plain(folder: Folder) -> None:
    folder.write("shop.py", APP)
    text = "{task: shop.pay, retry: {max: 1, only: [shop.PaymentError, OSError]}}"
    folder.write("pay.yaml", text)
    ended = folder.run("validate", "pay.yaml", "-A", "shop", "--output", "json")
    assert ended.code == 0
    (warning,) = json.loads(ended.out)["warnings"]
    assert warning["message"] == "instances of 'PaymentError' may not survive pickling"
    assert "flowrunner worker" in warning["label"]
