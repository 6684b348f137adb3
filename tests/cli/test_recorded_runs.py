"""``runs`` and ``show``: what is recorded of runs, for people and for programs."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from flowrunner.runs.store import StepRow
from tests.cli.commands import Folder
from tests.cli.recorded import RUN, Recorded
from tests.runs.records import at

OTHER = UUID("0123ffff-0000-4000-8000-000000000000")
MEMBERS = ("chord.header[0]", "chord.header[1]")
BODY = "chord.body"


def success(path: str, result: Any) -> StepRow:
    return StepRow(path, "SUCCESS", at(0), at(0.25), result=result, has_result=True)


SUCCEEDED = [*(success(path, 1) for path in MEMBERS), success(BODY, {"größer": [1.5, None]})]
FAILED = [
    success(MEMBERS[0], 1),
    StepRow(MEMBERS[1], "FAILURE", at(0), at(0.25), 0, None, False, "ValueError", "no", "", "w@h"),
]


def test_runs_are_listed_the_newest_first(recorded: Recorded) -> None:
    recorded.add("SUCCESS", SUCCEEDED)
    recorded.add(run=OTHER, minutes=1)
    ended = recorded.run("runs")
    assert (ended.code, ended.err) == (0, "")
    heading, newest, oldest = ended.out.splitlines()
    assert heading.split() == ["run", "workflow", "state", "created", "took", "attempts", "file"]
    assert newest.startswith("0123ffff  test      STARTED  ")
    assert oldest.startswith("0123abcd  test      SUCCESS  ")
    assert "  30.0 s  " in oldest
    assert oldest.endswith("  1         test.yaml")


def test_runs_of_a_state_are_listed(recorded: Recorded) -> None:
    recorded.add("FAILURE", FAILED)
    recorded.add(run=OTHER, minutes=1)
    assert len(recorded.run("runs", "--state", "failure").out.splitlines()) == 2
    assert len(recorded.run("runs", "--limit", "1").out.splitlines()) == 2
    nothing = recorded.run("runs", "--state", "SUCCESS", "--state", "REVOKED")
    assert (nothing.out, nothing.err) == ("", "no run in state SUCCESS or REVOKED is recorded\n")


def test_programs_get_runs_as_objects(recorded: Recorded) -> None:
    recorded.add("FAILURE", FAILED)
    (said,) = json.loads(recorded.run("runs", "--output", "json").out)
    assert said == {
        "run": str(RUN),
        "workflow": "test",
        "file": "test.yaml",
        "state": "FAILURE",
        "created": at(0).isoformat(),
        "ended": at(0.5).isoformat(),
        "attempts": 1,
        "engine": "embedded",
        "seconds": 30.0,
        "abandoned": False,
    }


def test_a_run_that_succeeded_is_shown_with_its_result(recorded: Recorded) -> None:
    recorded.add("SUCCESS", SUCCEEDED)
    ended = recorded.run("show", "last")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "test succeeded after 30.00 s · 3 tasks"
    assert f"  run      {RUN}" in lines
    assert "  inputs   n=2" in lines
    assert any(line.endswith("call ×2   2/2 done") for line in lines)
    assert any(line.endswith("on_error  call   not needed") for line in lines)
    assert lines[-2:] == ["", '{"größer": [1.5, null]}']


def test_a_run_that_failed_is_shown_with_its_errors(recorded: Recorded) -> None:
    recorded.add("FAILURE", FAILED, reason="why")
    out = recorded.run("show", "0123abcd").out
    assert out.startswith("test failed after 30.00 s: why · 4 tasks: 1 succeeded, 1 failed,")
    assert "call ×2   1/2 done, 1 failed" in out
    assert "error: task 'call' failed: ValueError: no\n  ┌─ test.yaml:1:" in out
    assert "= on w@h" in out
    assert "= skipped because of it: chord.body" in out


def test_a_run_that_goes_on_is_shown_with_where_it_stands(recorded: Recorded) -> None:
    recorded.add(rows=[success(MEMBERS[0], 1), StepRow(MEMBERS[1], "STARTED", at(0))])
    out = recorded.run("show", "last").out
    assert out.startswith("test has been running for ")
    assert "  driven by  nobody at this moment\n" in out
    assert f"  running    {MEMBERS[1]}\n" in out
    recorded.store.claim(RUN, "host-1", seconds=60)
    recorded.store.cancel(RUN)
    out = recorded.run("show", "last").out
    assert out.startswith("test is being cancelled, after ")
    assert "  driven by  host-1\n" in out


def test_every_call_is_listed_on_demand(recorded: Recorded) -> None:
    recorded.add("FAILURE", FAILED)
    lines = recorded.run("show", "last", "--full").out.splitlines()
    (line,) = [line for line in lines if line.startswith(MEMBERS[1])]
    assert line.split()[:3] == [MEMBERS[1], "call", "FAILURE"]
    assert line.endswith("w@h")


def test_a_result_that_is_not_kept_is_told(recorded: Recorded) -> None:
    recorded.add("SUCCESS", [*SUCCEEDED[:2], StepRow(BODY, "SUCCESS")])
    assert "its result is not stored" in recorded.run("show", "last").out
    said = json.loads(recorded.run("show", "last", "--output", "json").out)
    assert (said["state"], said["result"], said["has_result"]) == ("SUCCESS", None, False)


def test_programs_get_every_step_of_a_run_that_is_queued(recorded: Recorded) -> None:
    recorded.add()
    said = json.loads(recorded.run("show", "last", "--output", "json").out)
    steps = {step["path"]: step["state"] for step in said["steps"]}
    assert steps == dict.fromkeys((*MEMBERS, BODY, "on_error"), "PENDING")
    assert {(step["started"], step["ended"]) for step in said["steps"]} == {(None, None)}


@pytest.mark.parametrize(
    ("state", "rows", "result", "has_result"),
    [
        ("SUCCESS", SUCCEEDED, {"größer": [1.5, None]}, True),
        ("FAILURE", FAILED, None, False),
        (None, FAILED[:1], None, False),
    ],
)
def test_programs_get_a_run_as_one_object(
    recorded: Recorded, state: Any, rows: list[StepRow], result: Any, has_result: bool
) -> None:
    recorded.add(state, rows)
    ended = recorded.run("show", "0123", "--output", "json")
    said = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert (said["state"], said["result"], said["has_result"]) == (
        state or "STARTED",
        result,
        has_result,
    )
    assert (said["run"], said["inputs"]) == (str(RUN), {"n": 2})
    assert said["ended"] == (state and at(0.5).isoformat())
    assert [each["id"] for each in said["attempts"]] == [str(RUN)]
    steps = {step["path"]: step for step in said["steps"]}
    assert steps[MEMBERS[0]] == {
        "path": MEMBERS[0],
        "task": "call",
        "state": "SUCCESS",
        "started": at(0).isoformat(),
        "ended": at(0.25).isoformat(),
        "retries": 0,
        "worker": None,
        "reused": False,
        "caught": False,
    }
    assert [error["path"] for error in said["errors"]] == (
        [MEMBERS[1]] if state == "FAILURE" else []
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "ffff"], "there is no run 'ffff'; the newest: 0123abcd-"),
        (["show", ""], "'' names no run: give the first characters of its id, or 'last'"),
        (["show"], "'flowrunner show' needs 'RUN'"),
        (["runs", "--state", "GONE"], "FAILURE or REVOKED, not 'GONE'"),
    ],
)
def test_what_cannot_be_shown_exits_with_2(
    recorded: Recorded, arguments: list[str], words: str
) -> None:
    recorded.add("SUCCESS", SUCCEEDED)
    ended = recorded.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


@pytest.mark.parametrize("command", [["runs"], ["show", "last"]])
def test_where_nothing_is_recorded_that_is_said(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("FLOWRUNNER_RUNS", "none")
    ended = recorded.run(*command)
    assert (ended.code, ended.out) == (2, "")
    assert "the setting 'runs' (FLOWRUNNER_RUNS) is 'none', so no runs are recorded" in ended.err


@pytest.mark.parametrize(
    ("backend", "code", "words"),
    [
        ("redis://:secret@127.0.0.1:1/0", 3, "redis://:**@127.0.0.1:1/0 cannot be read"),
        ("cache+memory://", 2, "runs are recorded in Redis only, and the result backend is cache"),
        ("nonsense://", 2, "the result backend nonsense:// cannot be used"),
    ],
)
def test_a_cluster_whose_records_cannot_be_read_is_named(
    recorded: Recorded, backend: str, code: int, words: str
) -> None:
    ended = recorded.run("runs", "--broker", "redis://127.0.0.1:1/0", "--backend", backend)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert "secret" not in ended.err


def test_records_are_read_where_celery_cannot_be_imported(
    folder: Folder, recorded: Recorded
) -> None:
    recorded.add("SUCCESS", SUCCEEDED)
    for name in ("celery", "kombu", "billiard", "redis"):
        folder.write(f"{name}.py", "raise ImportError('imported')")
    for command in (["runs"], ["show", "last"], ["show", "last", "--output", "json"]):
        runs = str(recorded.store.path)
        ended = folder.run(*command, fresh=True, PYTHONPATH=".", FLOWRUNNER_RUNS=runs)
        assert (ended.code, ended.err) == (0, "")
