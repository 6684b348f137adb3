"""``resume``: what did not succeed runs again, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flowrunner.cli.main import main
from tests.cli.commands import Ended

PLUGIN = """
from pathlib import Path
from flowrunner import hookimpl

def add(value, n=1):
    with Path("executed").open("a") as file:
        file.write(f"add {value} {n}\\n")
    return value + n

def total(values):
    with Path("executed").open("a") as file:
        file.write(f"total {values}\\n")
    return sum(values)

def needs(value, name):
    if not Path(name).exists():
        raise FileNotFoundError(name)
    return value

@hookimpl
def flowrunner_register_tasks(registry):
    for task in (add, total, needs):
        registry.add(task)
"""
WORKFLOW = """\
chord:
  header:
  - {task: add, times: 3}
  - chain:
    - {task: add, args: [10]}
    - {task: needs, kwargs: {name: there}}
    - add
  body: total
"""

TREE = """\
workflow
└─ chord
   ├─ header  group of 4
   │  ├─ add ×3                   reuse 3
   │  └─ chain
   │     ├─ add(10)               reuse
   │     ├─ needs(name="there")   run: failed: FileNotFoundError
   │     └─ add                   run: did not run
   └─ body    total               run: did not run
3 to run · 4 results used again
6 messages · about 8.3 KB · largest about 1.8 KB
"""


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWRUNNER_RUNS", str(tmp_path / "runs.sqlite3"))
    monkeypatch.setenv("FLOWRUNNER_PLUGINS", "plugin.py")
    Path("plugin.py").write_text(PLUGIN)
    Path("workflow.yaml").write_text(WORKFLOW)

    def run(*arguments: str) -> Ended:
        code = main(list(arguments))
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return run


def executed() -> list[str]:
    """Return what has run since the last time that this was asked, in any order."""
    file = Path("executed")
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return sorted(lines)


def test_counts_agree_with_their_nouns(run: Callable[..., Ended]) -> None:
    chain = "chain:\n- {task: add, args: [1]}\n- {task: needs, kwargs: {name: there}}\n"
    Path("workflow.yaml").write_text(chain)
    assert run("apply", "workflow.yaml").code == 1
    told = run("resume", "last", "--dry-run")
    assert "1 to run · 1 result used again\n" in told.out
    told = run("resume", "last")
    assert told.err.startswith("resuming ")
    assert "attempt 2: 1 result used again, 1 call to run\n" in told.err


def test_only_what_did_not_succeed_runs_again(run: Callable[..., Ended]) -> None:
    assert run("apply", "workflow.yaml").code == 1
    assert executed() == ["add 0 1", "add 1 1", "add 10 1", "add 2 1"]

    told = run("resume", "last", "--dry-run")
    assert told.code == 0
    assert told.out == TREE
    cost = json.loads(run("resume", "last", "--dry-run", "--output", "json").out)
    assert (cost["messages"], round(cost["bytes"], -2), cost["largest_message"]) == (6, 8300, 1753)
    assert executed() == []

    assert run("resume", "last").code == 1  # it is still not there
    assert executed() == []
    Path("there").touch()
    again = run("resume", "last")
    assert (again.code, again.out) == (0, "18\n")
    assert executed() == ["add 11 1", "total [1, 2, 3, 12]"]
    assert json.loads(run("runs", "--output", "json").out)[0]["attempts"] == 3
    assert run("show", "last").out.endswith("\n18\n")

    nothing = run("resume", "last")
    assert (nothing.code, nothing.out) == (0, "")
    assert "has succeeded: nothing is left to run" in nothing.err


def test_a_file_that_has_changed_is_refused_unless_one_says_what_holds(
    run: Callable[..., Ended],
) -> None:
    run("apply", "workflow.yaml")
    executed()
    Path("there").touch()
    Path("workflow.yaml").write_text(WORKFLOW.replace("args: [10]", "args: [20]") + "# changed\n")
    refused = run("resume", "last")
    assert refused.code == 2
    assert "workflow.yaml has changed since the run:" in refused.err
    assert "chord.header[1].chain[0]: other args for task 'add'" in refused.err
    assert "--as-changed" in refused.err
    assert executed() == []

    assert "run: it has changed" in run("resume", "last", "--dry-run", "--as-changed").out
    changed = run("resume", "last", "--as-changed")
    assert (changed.code, changed.out) == (0, "28\n")
    assert executed() == ["add 20 1", "add 21 1", "total [1, 2, 3, 22]"]


def test_a_run_goes_on_as_it_was_recorded_where_one_says_so(run: Callable[..., Ended]) -> None:
    run("apply", "workflow.yaml")
    executed()
    Path("there").touch()
    Path("workflow.yaml").write_text("task: add\nargs: [1]\n")
    recorded = run("resume", "last", "--as-recorded")
    assert (recorded.code, recorded.out) == (0, "18\n")


def test_a_change_that_means_nothing_is_none(run: Callable[..., Ended]) -> None:
    run("apply", "workflow.yaml")
    Path("there").touch()
    Path("workflow.yaml").write_text(f"# better told\n{WORKFLOW}")
    assert run("resume", "last").out == "18\n"


def test_what_has_ended_is_not_cancelled_and_is_watched_at_once(run: Callable[..., Ended]) -> None:
    Path("there").touch()
    run("apply", "workflow.yaml")
    cancelled = run("cancel", "last")
    assert cancelled.code == 1
    assert "had already ended: succeeded" in cancelled.out
    watched = run("watch", "last")
    assert (watched.code, watched.out) == (0, "18\n")


def test_unknown_runs_and_detaching_without_a_cluster_are_refused(
    run: Callable[..., Ended],
) -> None:
    for command in ("show", "watch", "cancel", "resume"):
        refused = run(command, "0123abcd")
        assert refused.code == 2
        assert "no run is recorded here" in refused.err
    detached = run("apply", "workflow.yaml", "--detach")
    assert detached.code == 2
    assert "--detach needs a cluster" in detached.err


def test_a_used_file_that_has_changed_is_noticed_as_well(run: Callable[..., Ended]) -> None:
    Path("used.yaml").write_text(
        "chain: [{task: add, args: [20]}, {task: needs, kwargs: {name: x}}]"
    )
    Path("workflow.yaml").write_text("chain: [{task: add, args: [1]}, {use: used.yaml}]")
    assert run("apply", "workflow.yaml").code == 1
    Path("used.yaml").write_text("chain: [{task: add, args: [30]}, {task: add}]")
    refused = run("resume", "last")
    assert refused.code == 2
    assert refused.err.splitlines()[:3] == [
        "error: used.yaml has changed since the run:",
        "  chain[1].use.chain[0]: other args for task 'add'",
        "  chain[1].use.chain[1]: task 'needs' is now 'add'",
    ]
    executed()
    assert run("resume", "last", "--as-changed").out == "33\n"
    assert executed() == ["add 2 30", "add 32 1"]
    Path("used.yaml").unlink()
    assert run("resume", "last").code == 0
