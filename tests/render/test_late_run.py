"""How far a run is that unfolds, line by line: also of calls that the plan does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flowrunner.errors import Diagnostic
from flowrunner.plan import Plan
from flowrunner.render.line_index import LineIndex
from flowrunner.render.outcome import failures, headline, task_counts
from flowrunner.render.progress import RunTree
from flowrunner.render.tree import tree_lines
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.step_state import StepError
from tests.planner.planning import planned
from tests.render.test_run import ended


class Run:
    """A run, told by hand how its calls end."""

    def __init__(self, text: str) -> None:
        self.plan: Plan = planned(text)
        self.ledger = RunLedger(self.plan)
        self.ledger.main.begin()

    def end(self, results: dict[str, Any]) -> Run:
        """Let calls end with these results, or fail where they are types of errors."""
        for path, result in results.items():
            step = self.ledger.steps[path]
            if isinstance(result, type):
                error = StepError(step.call, result.__name__, "no")
                self.ledger.main.record(path, "FAILURE", error)
            else:
                self.ledger.main.record(path, "SUCCESS", result=lambda result=result: result)
        self.ledger.main.advance()
        return self

    def is_in(self, state: str, *paths: str) -> Run:
        for path in paths:
            self.ledger.main.record(path, state)
        return self

    def lines(self) -> list[str]:
        return list(_shown(self))

    def failures(self) -> list[Diagnostic]:
        return failures(ended(self.plan, self.ledger))


def _shown(run: Run) -> Iterator[str]:
    for line in RunTree(run.plan).lines(run.ledger):
        yield f"{line.text} | {line.tally}" if line.tally else line.text


EACH = "chain: [call, {each: '${prev}', do: {chain: [call, call]}}, call]"


def test_a_template_counts_what_has_come_into_being() -> None:
    run = Run(EACH)
    assert run.lines() == [
        "└─ chain",
        "   ├─ call | waiting",
        "   ├─ each item of ${prev}",
        "   │  └─ chain",
        "   │     ├─ call | waiting",
        "   │     └─ call | waiting",
        "   └─ call | waiting",
    ]
    run.end({"chain[0]": [1, 2, 3]}).end({"chain[1].each[1].chain[0]": 0})
    run.is_in("STARTED", "chain[1].each[0].chain[0]")
    assert run.lines()[1:] == [
        "   ├─ call | done",
        "   ├─ each item of ${prev}",
        "   │  └─ chain",
        "   │     ├─ call | 1/3 done, 1 running",
        "   │     └─ call | 0/3 done",
        "   └─ call | waiting",
    ]


def test_a_fan_out_of_nothing_needs_nothing() -> None:
    run = Run(EACH).end({"chain[0]": []})
    run.end({"chain[1].each:literal": [], "chain[2]": 1})
    assert run.lines()[4:] == [
        "   │     ├─ call | not needed",
        "   │     └─ call | not needed",
        "   └─ call | done",
    ]


def test_fan_outs_in_fan_outs_count_together() -> None:
    run = Run(
        "chain: [call, {each: '${prev}', as: row, do: {each: '${row}', do: {group: call x2}}}]"
    )
    run.end({"chain[0]": [[1], [2, 3]]}).end({"chain[1].each[1].each[0].group[1]": 0})
    assert run.lines()[1:] == [
        "   ├─ call | done",
        "   └─ each row of ${prev}",
        "      └─ each item of ${row}",
        "         └─ call ×2 | 1/6 done",
    ]


def test_a_branch_that_was_not_taken_was_not_needed() -> None:
    run = Run(
        "chain: [call, {switch: [{when: prev > 1, do: {chain: [call, call]}}, {else: call}]},"
        " {when: prev == 7, task: call}]"
    )
    assert run.lines()[2:] == [
        "   ├─ switch",
        "   │  ├─ when prev > 1:  chain",
        "   │  │  ├─ call | waiting",
        "   │  │  └─ call | waiting",
        "   │  └─ else:           call | waiting",
        "   └─ call | waiting",
    ]
    run.end({"chain[0]": 1}).end({"chain[1].switch[1].else": 2})
    assert run.lines()[2:] == [
        "   ├─ switch",
        "   │  ├─ when prev > 1:  chain",
        "   │  │  ├─ call | not needed",
        "   │  │  └─ call | not needed",
        "   │  └─ else:           call | done",
        "   └─ call | not needed",
    ]


def test_a_step_that_is_known_not_to_run_says_so() -> None:
    run = Run("chain: [call, {when: false, chain: [call, call]}]")
    assert run.lines() == ["└─ chain", "   ├─ call | waiting", "   └─ chain | not needed"]


def test_failures_that_were_tolerated_are_told_apart() -> None:
    run = Run("chain: [{group: call x4, tolerate: 2}, call]")
    names = [f"chain[0].group[{number}]" for number in range(4)]
    run.end(dict(zip(names, [1, ValueError, 2, OSError], strict=True))).end({"chain[1]": 0})
    assert run.lines()[1:] == ["   ├─ call ×4 | 2/4 done, 2 caught", "   └─ call | done"]
    assert run.failures() == []
    assert headline(ended(run.plan, run.ledger, "SUCCESS"), run.ledger).endswith(
        " · 5 tasks: 3 succeeded, 2 failed and caught"
    )


def test_more_failures_than_are_tolerated_are_failures() -> None:
    run = Run("{group: call x3, tolerate: 1}").end(
        {"group[0]": ValueError, "group[1]": ValueError, "group[2]": 1}
    )
    assert run.lines() == ["└─ call ×3 | 1/3 done, 2 failed"]
    assert task_counts(run.ledger) == "3 tasks: 1 succeeded, 2 failed"


def test_a_failure_that_is_handled_is_told_apart() -> None:
    text = "chain: [{chain: [call, call], on_error: call}, call]"
    run = Run(text).end({"chain[0].chain[0]": ValueError})
    assert run.lines() == [
        "└─ chain",
        "   ├─ chain",
        "   │  ├─ call | failed",
        "   │  ├─ call | skipped",
        "   │  └─ on_error  call | waiting",
        "   └─ call | waiting",
    ]
    run.end({"chain[0].on_error": 1}).end({"chain[1]": 1})
    assert run.lines()[2:] == [
        "   │  ├─ call | failed, caught",
        "   │  ├─ call | not needed",
        "   │  └─ on_error  call | done",
        "   └─ call | done",
    ]


def test_a_handler_that_nothing_called_for_was_not_needed() -> None:
    run = Run("chain: [{task: call, on_error: call}]").end({"chain[0]": 1})
    assert run.lines()[1:] == ["   └─ call | done", "      └─ on_error  call | not needed"]


def test_calls_that_are_made_again_are_counted() -> None:
    run = Run("group: [{task: call, retry: 2}, {task: call, retry: 1}]")
    run.end({"group[0]": ValueError, "group[1]": ValueError})
    assert run.lines()[1:] == ["   ├─ call | retrying", "   └─ call | retrying"]
    run.end({"group[0]": ValueError, "group[1]": ValueError})
    assert run.lines()[1:] == ["   ├─ call | retrying, 1 retry", "   └─ call | failed, 1 retry"]
    run.end({"group[0]": 1})
    assert run.lines()[1:] == ["   ├─ call | done, 2 retries", "   └─ call | failed, 1 retry"]
    assert [each.message for each in run.failures()] == [
        "task 'call' failed after 1 retry: ValueError: no"
    ]


def test_a_step_that_cannot_begin_fails_where_it_stands() -> None:
    run = Run("chain: [call, {each: '${prev}', do: call}, call]").end({"chain[0]": 3})
    assert run.lines()[1:] == [
        "   ├─ call | done",
        "   ├─ each item of ${prev} | failed",
        "   │  └─ call | skipped",
        "   └─ call | skipped",
    ]
    assert [each.message for each in run.failures()] == [
        "'each' failed: 'each' needs a list, not 3"
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("chain[0]", 1),
        ("chain[1].each[12].chain[0]", 4),
        ("chain[1].each[0].chain[1]", 5),
        ("chain[1].each[0].chain[2]", None),
        ("chain[1].each[x].chain[0]", None),
        ("chain[1].each", 2),
        ("chain[1].each[0]", None),
        ("elsewhere", None),
    ],
)
def test_a_call_belongs_to_the_line_of_its_template(path: str, line: int | None) -> None:
    index = LineIndex(list(tree_lines(planned(EACH))))
    assert index.line_of(path) == line
    assert index.line_of(path) == line  # as it is remembered
