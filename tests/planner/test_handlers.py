"""``on_error`` and ``finally`` in a plan: their paths, what they are given, the caps together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from flowrunner import plan
from flowrunner.errors import WorkflowError
from flowrunner.planner import context
from flowrunner.planner.continuations import sequence_of
from flowrunner.planner.handlers import handler_plan
from flowrunner.semantics import evaluate, evaluate_sequence
from tests.planner.planning import planned
from tests.shapes import HERE, call_task, plan_of, shapes

TEXT = """
on_error: call
finally: {chain: [{group: [call, call x2]}, call]}
task: call
"""


def test_they_stand_in_the_order_in_which_they_run() -> None:
    for text in (TEXT, "{finally: call, on_error: call, task: call}"):
        assert [handler.name for handler in planned(text).handlers] == ["on_error", "finally"]


def test_every_call_of_a_plan_has_a_path_of_its_own_that_names_its_handler() -> None:
    assert [call.path for call in planned(TEXT).every_call()] == [
        "task",
        "on_error",
        "finally.chain[0].group[0]",
        "finally.chain[0].group[1][0]",
        "finally.chain[0].group[1][1]",
        "finally.chain[1]",
    ]


def test_an_empty_chain_in_a_handler_hands_on_the_outcome() -> None:
    ready = planned("{task: call, finally: {group: [{chain: []}, call]}}")
    finally_ = handler_plan(ready, ready.handlers[0], "the outcome")
    assert evaluate_sequence(finally_.sequence, lambda _, args, __: args) == [
        "the outcome",
        ["the outcome"],
    ]


def test_they_take_defaults_and_inputs_as_every_step_does() -> None:
    ready = planned(
        "inputs: {n: 2}\ndefaults: {call: {kwargs: {k: '${inputs.n}'}}}\n"
        "task: call\nfinally: 'call x${inputs.n}'\n"
    )
    ((_, finally_),) = [(handler.name, handler) for handler in ready.handlers]
    assert [call.kwargs for call in plan.calls_of(finally_.sequence)][:2] == [{"k": 2}, {"k": 2}]


def test_the_cap_of_calls_holds_for_all_of_them_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MAXIMUM_CALLS", 10)
    planned("{task: call, on_error: call x4, finally: call x5}")
    with pytest.raises(WorkflowError, match="more than 10 calls"):
        planned("{task: call, on_error: call x5, finally: call x5}")


@given(shapes())
def test_the_first_calls_are_given_the_outcome(tree: plan.Node) -> None:
    outcome = ["the outcome"]
    handler = plan.Handler("finally", tree, *sequence_of(tree, has_input=True))
    ready = handler_plan(plan_of(tree), handler, outcome)

    def source_and_tasks(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return outcome if name == "source" else call_task(name, args, kwargs)

    after_a_step = plan.Chain("", (plan.Call("source", "source", HERE), tree), HERE)
    assert evaluate_sequence(ready.sequence, call_task) == evaluate(after_a_step, source_and_tasks)
