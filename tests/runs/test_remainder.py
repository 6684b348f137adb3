"""What is left of a plan gives the plan's value, and runs no call again that need not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowrunner import plan, semantics
from flowrunner.plan import calls_of, without_continuations
from flowrunner.planner.unchanged import unchanged_paths
from flowrunner.runs.replay import Kept, remainder_of
from flowrunner.semantics import evaluate, evaluate_sequence
from tests.shapes import HERE, call_task, mapped, plan_of, shapes, with_paths


def ran(sequence: plan.Sequence) -> tuple[Any, dict[str, Any]]:
    """Return the value of a sequence and what each of its calls gave."""
    results: dict[str, Any] = {}
    evaluate_call = semantics._call

    def noted(call: plan.Call, previous: Any, call_task: semantics.TaskFunction) -> Any:
        results[call.path] = evaluate_call(call, previous, call_task)
        return results[call.path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantics, "_call", noted)
        return evaluate_sequence(sequence, call_task), results


def unchanged(before: plan.Plan, now: plan.Plan) -> set[str]:
    is_same = unchanged_paths(before, now)
    return {call.path for call in now.calls() if is_same(call.path)}


@given(shapes(), st.data())
def test_the_rest_gives_the_value_and_reuses_what_can_be(
    root: plan.Node, data: st.DataObject
) -> None:
    whole = plan_of(root)
    value, results = ran(without_continuations(whole.sequence))
    kept = data.draw(st.sets(st.sampled_from(sorted(results))))
    rest = remainder_of(whole, Kept({path: results[path] for path in kept}))
    if rest.plan is None:
        assert rest.result == value
        return
    again, executed = ran(without_continuations(rest.plan.sequence))
    assert again == value
    own = {path for path in executed if not path.endswith(":reused")}
    assert own == {call.path for call in calls_of(rest.plan.sequence)} & results.keys()
    assert not own & rest.reused
    assert kept - rest.reused <= own  # none is lost on the way


def test_unchanged_are_the_calls_that_are_the_same_with_all_before_them() -> None:
    def chord(*labels: int, body: int = 0, then: int = 9) -> plan.Plan:
        header = plan.Group("", tuple(call(label) for label in labels), HERE)
        return plan_of(
            with_paths(plan.Chain("", (plan.Chord("", header, call(body), HERE), call(then)), HERE))
        )

    def call(label: int) -> plan.Call:
        return plan.Call("", "tag", HERE, args=(label,))

    members = {f"root.0.header.{number}" for number in range(3)}
    body, then = "root.0.body", "root.1"
    before = chord(1, 2, 3)
    assert unchanged(before, chord(1, 2, 3)) == members | {body, then}
    assert unchanged(before, chord(1, 2, 3, then=8)) == members | {body}
    assert unchanged(before, chord(1, 2, 3, body=8)) == members
    assert unchanged(before, chord(1, 5, 3)) == members - {"root.0.header.1"}
    assert unchanged(before, chord(1, 2)) == members - {"root.0.header.2"}
    assert unchanged(before, chord(1, 2, 3, 4)) == members


@given(shapes(), st.data())
def test_a_changed_workflow_gives_its_own_value(root: plan.Node, data: st.DataObject) -> None:
    """Results of the old one are used only where the new one would give the same."""
    before = plan_of(root)
    paths = sorted(call.path for call in before.calls() if call.kind == "task")
    changed = data.draw(st.sets(st.sampled_from(paths))) if paths else set()
    now = plan_of(
        mapped(
            root,
            lambda call: replace(call, args=(*call.args, "new")) if call.path in changed else call,
        )
    )
    _, results = ran(before.sequence)
    same = unchanged(before, now)
    rest = remainder_of(now, Kept({path: results[path] for path in same}))
    value = rest.result if rest.plan is None else evaluate_sequence(rest.plan.sequence, call_task)
    assert value == evaluate(now.root, call_task)
    assert not changed & rest.reused
