"""Ids: whose values a step can use, and why it cannot use others'."""

from typing import Any

import pytest

from flowrunner import plan
from tests.planner.planning import diagnostics, planned, refused, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chain: [{task: call, id: a, args: [1]}, call, {task: call, args: ['${a}']}]",
         [[[1]], [1]]),
        ("chain: [{task: call, id: a, args: [{b: [5]}]}, {task: call, immutable: true, "
         "kwargs: {k: 'x${a[0].b[0]}'}}]", {"args": [], "k": "x5"}),
        ("chain: [{chain: [{task: call, id: a}], id: b}, {task: call, args: ['${[a, b]}']}]",
         [[], [[], []]]),
        ("chain: [{group: [{task: call, id: a}, {chain: [call, {task: call, id: b}]}], id: c}, "
         "{task: call, immutable: true, args: ['${[a, b, c]}']}]",
         [[[], [[]], [[], [[]]]]]),
        ("chord: {header: [{task: call, id: a}], body: {task: call, args: ['${a}']}}",
         [[[]], []]),
        ("chain: [{chord: {header: [call], body: {task: call, id: b}}}, {task: call, "
         "args: ['${b}']}]", [[[[]]], [[[]]]]),
        ("chain: [{group: [{chain: [{task: call, id: a}, {task: call, args: ['${a}']}]}]}, call]",
         [[[[], []]]]),
        ("{each: [1, 2], do: {chain: [{task: call, id: a}, {task: call, args: ['${a}']}]}}",
         [[[1], [1]], [[2], [2]]]),
        ("chain: [power x2, {each: '${prev}', do: {chain: [{task: call, id: a}, {task: call, "
         "args: ['${a}']}]}}]", [[[0], [0]], [[1], [1]]]),
        ("chain: [{each: [1, 2], do: power, id: e}, {task: call, immutable: true, "
         "args: ['${e}']}]", [[1, 4]]),
        ("chain: [{map: {task: power, over: [3]}, id: m}, {task: call, args: ['${m}']}]",
         [[9], [9]]),
        ("chain: [{map: {task: power, over: [3], id: m}}, {task: call, args: ['${m}']}]",
         [[9], [9]]),
        ("chain: [{task: power, times: 2, args: [3], id: r}, {task: call, args: ['${r}']}]",
         [[9, 9], [9, 9]]),
        # A step with a condition, or a handler, has a value either way
        ("chain: [call, {task: call, when: 'prev == 1', id: a}, {task: call, args: ['${a}']}]",
         [[], []]),
        ("chain: [{task: call, when: false, id: a}, {task: call, args: ['${a}']}]", [None]),
        ("chain: [{task: call, id: a}, {task: call, when: false, id: b}, "
         "{task: call, args: ['${b}']}]", [[], []]),
        ("chain: [{task: fail, on_error: {task: call, immutable: true}, id: a}, "
         "{task: call, args: ['${a}']}]", [[], []]),
        ("chain: [{task: call, id: a}, {task: fail, on_error: {task: call, immutable: true, "
         "args: ['${a}']}}]", [[]]),
        ("chain: [{task: call, id: a}, {switch: [{when: 'a == []', do: {task: call, "
         "args: ['${a}']}}]}]", [[], []]),
        # Outputs
        ("{task: call, id: a, outputs: {x: '${a}', y: '${prev}', z: 1}}",
         {"x": [], "y": [], "z": 1}),
        ("{chain: [{task: call, id: a, args: [1]}, call], outputs: {x: '${a[0]}'}}", {"x": 1}),
        ("{inputs: {n: 2}, task: call, outputs: {x: '${inputs.n}'}}", {"x": 2}),
    ],
)  # fmt: skip
def test_a_step_that_has_certainly_ended_can_be_used(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("chain: [{task: call, args: ['${a}']}, {task: call, id: a}]",
         "step 'a' (line 1) runs after this step"),
        ("{task: call, id: a, args: ['${a}']}",
         "this step is 'a' (line 1) or is inside it"),
        ("{chain: [{task: call, args: ['${a}']}], id: a}",
         "this step is 'a' (line 1) or is inside it"),
        ("group: [{task: call, id: a}, {chain: [{task: call, args: ['${a}']}]}]",
         "step 'a' (line 1) is in member 0 of a group, in parallel with this step in member 1"),
        ("group:\n- call\n- {chain: [{task: call, id: a}]}\n- {task: call, when: a}",
         "step 'a' (line 3) is in member 1 of a group, in parallel with this step in member 2"),
        ("group: [{task: call, times: 2, args: ['${a}']}, {task: call, id: a}]",
         "step 'a' (line 1) is in member 1 of a group, in parallel with this step in member 0"),
        ("chord: {header: [{task: call, args: ['${a}']}], body: {task: call, id: a}}",
         "step 'a' (line 1) is in the body, which runs after this step"),
        ("chain: [{chain: [{task: call, id: a}], when: true}, {task: call, args: ['${a}']}]",
         "step 'a' (line 1) is in a step that may not run: it depends on a condition in line 1"),
        ("chain: [{switch: [{when: false, do: call}, {else: {task: call, id: a}}]}, "
         "{task: call, args: ['${a}']}]",
         "step 'a' (line 1) is in a step that may not run: it depends on a condition in line 1"),
        ("{switch: [{when: false, do: {task: call, id: a}}, {else: {task: call, "
         "args: ['${a}']}}]}", "step 'a' (line 1) is in another branch: only one branch runs"),
        ("chain: [{each: [1], do: {task: call, id: a}}, {task: call, args: ['${a}']}]",
         "step 'a' (line 1) is in 'do' of 'each': it has one result per item"),
        ("chain: [{chain: [{task: call, id: a}], on_error: call}, {task: call, args: ['${a}']}]",
         "step 'a' (line 1) is in a step with 'on_error': it may fail or not run"),
        ("chain: [{chain: [{task: call, id: a}, call], on_error: {task: call, args: ['${a}']}}]",
         "step 'a' (line 1) has failed or did not run if this step runs"),
        ("chain: [{group: [{task: call, id: a}], tolerate: 1}, {task: call, args: ['${a}']}]",
         "step 'a' (line 1) is in a group whose members may fail: 'tolerate' in line 1"),
        ("chain: [{group: [{task: call, times: 2, id: a}]}, {task: call, args: ['${a}']}]",
         "step 'a' (line 1) adds members to the group around it: it has no result of its own"),
        ("{chain: [{each: [1], do: {task: call, id: a}}], outputs: {x: '${a}'}}",
         "step 'a' (line 1) is in 'do' of 'each': it has one result per item"),
        ("{task: call, finally: {task: call, id: a}, outputs: {x: '${a}'}}",
         "step 'a' (line 1) belongs to a handler"),
        ("{task: call, id: a, on_error: {task: call, args: ['${a}']}}",
         "step 'a' (line 1) is in the main part, which may have failed before this step"),
        ("{task: call, args: ['${a}'], on_error: {task: call, id: a}}",
         "step 'a' (line 1) belongs to a handler, which runs after the main part"),
        ("{task: call, on_error: {task: call, id: a}, finally: {task: call, args: ['${a}']}}",
         "step 'a' (line 1) belongs to another handler"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_said(text: str, label: str) -> None:
    (problem,) = diagnostics(text)
    assert problem.label == label
    assert problem.location is not None
    assert problem.location.text == "a"


def test_two_steps_cannot_have_one_id() -> None:
    two = "duplicate id 'a'"
    assert refused("group: [{task: call, id: a}, {each: [1], do: {task: call, id: a}}]") == [two]
    assert refused("{task: call, id: a, finally: {task: call, id: a}}") == [two]
    planned("{each: [1, 2], do: {task: call, id: a}}")


def test_only_an_id_that_is_used_makes_a_plan_unfold() -> None:
    text = "chain: [{chain: [{group: [{task: call, id: a}], id: b}], id: c}, {task: call%s}]"
    assert not planned(text % "").unfolds
    assert not planned(text % ", args: ['${b}'], when: false").unfolds
    ready = planned(text % ", args: ['${b}']")
    assert isinstance(ready.root, plan.Chain)
    (chain, use) = ready.root.steps
    assert isinstance(chain, plan.Chain)
    (named,) = chain.steps
    assert isinstance(named, plan.Named)
    assert (named.name, named.path) == ("b", "chain[0].chain[0]")
    assert isinstance(named.step, plan.Group)
    assert isinstance(named.step.members[0], plan.Call)
    assert isinstance(use, plan.Call)
    assert use.args[0].steps == {"b": "chain[0].chain[0]"}


def test_the_paths_of_names_in_a_template_begin_as_it_does() -> None:
    ready = planned(
        "chain: [power x2, {each: '${prev}', do: {chain: [{task: call, id: a}, {task: call, "
        "args: ['${a}']}]}}]"
    )
    (*_, use) = ready.calls()
    assert use.args[0].steps == {"a": "chain[1].each[*].chain[0]"}


@pytest.mark.parametrize(
    "text",
    [
        "{task: call, args: ['${prev}']}",
        "group: [{task: call, args: ['${prev}']}]",
        "chain: [{task: call, args: ['${prev}']}]",
        "chain: [{chain: []}, {task: call, args: ['${prev}']}]",
        "chain: [{task: call, when: false}, {task: call, args: ['${prev}']}]",
        "chord: {header: [{task: call, args: ['${prev}']}], body: call}",
    ],
)
def test_the_first_step_is_given_nothing(text: str) -> None:
    assert refused(text) == ["this step has no 'prev'"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chain: [{task: call, args: [1]}, {task: call, args: ['${prev[0] + 1}']}]", [[1], 2]),
        ("chain: [{task: call, args: [1]}, {group: [{task: call, args: ['${prev}']}, call]}]",
         [[[1], [1]], [[1]]]),
        ("chain: [{task: call, args: [1]}, {task: call, times: 2, args: ['${prev[0] + i}']}]",
         [[[1], 1], [[1], 2]]),
        ("chord: {header: [call, call], body: {task: call, immutable: true, "
         "args: ['${len(prev)}']}}", [2]),
    ],
)  # fmt: skip
def test_prev_is_what_a_step_is_given(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_a_handler_knows_what_it_is_given() -> None:
    ready = planned("{task: call, on_error: {task: call, args: ['${prev.x}']}}")
    (call,) = ready.handlers[0].calls()
    assert call.open
    assert ready.handlers[0].sequence == ()


def test_every_id_that_is_out_of_reach_is_said() -> None:
    assert [problem.label for problem in diagnostics("{task: call, args: ['${a + b + a}']}")] == [
        *["known names: inputs"] * 3
    ]
