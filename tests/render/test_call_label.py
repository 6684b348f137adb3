"""What stands before the lines that a call prints, and where something has to."""

from __future__ import annotations

import pytest

from flowrunner.cli.run_output import runs_in_parallel
from flowrunner.plan import calls_in
from flowrunner.render.call_label import CallLabels
from tests.planner.planning import planned

TWICE = "[{task: call}, {task: queued}]"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("group: [call x2]", ["call[0]", "call[1]"]),
        (f"group: {TWICE}", ["call", "queued"]),
        ("chain: [call, {group: [call]}]", ["chain[0]", "chain[1].group[0]"]),
        ("chain: [call, call]", ["call[0]", "call[1]"]),
        ("{each: [1, 2], do: {task: call}}", ["call[0]", "call[1]"]),
        (
            f"group: [{{chain: {TWICE}}}, {{chain: {TWICE}}}]",
            ["call[0]", "queued[0]", "call[1]", "queued[1]"],
        ),
    ],
)
def test_a_call_is_named_by_its_task_where_that_is_enough(text: str, labels: list[str]) -> None:
    plan = planned(text)
    name = CallLabels(plan, bar="│")
    assert [name(call) for call in calls_in(plan.root)] == [f"{label} │ " for label in labels]


def test_calls_that_run_time_makes_are_named_as_well() -> None:
    plan = planned("chain: [call, {each: '${prev}', do: {task: queued, args: [1, 2]}}]")
    name = CallLabels(plan, bar="|")
    (template,) = [call for call in calls_in(plan.root) if call.task == "queued"]
    made = template.as_member(template.path.replace("[*]", "[3]"))
    assert name(made) == "queued[3] | "


@pytest.mark.parametrize(
    ("text", "parallel"),
    [
        ("{task: call}", False),
        ("chain: [call, {group: [call]}, call]", False),
        ("group: [call x1]", False),
        ("group: [call x2]", True),
        ("{group: [call, call], max_parallel: 1}", False),
        ("{chord: {header: [call, call], body: call}}", True),
        ("chain: [call, {each: '${prev}', do: call}]", True),
        ("chain: [call, {each: '${prev}', do: call, max_parallel: 1}]", False),
        ("chain: [call, {each: '${prev}', do: {group: [call x2]}, max_parallel: 1}]", True),
        ("{map: {task: call, over: [1, 2]}}", False),
        ("{graph: {a: call, b: {task: call, needs: [a]}, c: {task: call, needs: [b]}}}", False),
        (
            "{graph: {a: call, b: {task: call, needs: [a]}, c: {task: queued, needs: [a, b]}}}",
            False,
        ),
        ("{graph: {a: call, b: call, c: {task: queued, needs: [a, b]}}}", True),
        ("{task: call, on_error: {group: [call, call]}}", True),
        ("{task: call, finally: {group: [call, call]}}", True),
    ],
)
def test_a_plan_tells_whether_two_of_its_calls_may_run_at_a_time(text: str, parallel: bool) -> None:
    assert runs_in_parallel(planned(text)) is parallel
