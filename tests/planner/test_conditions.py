"""``when`` and ``switch``: what they give, what is decided while planning, what is refused."""

from typing import Any

import pytest

from flowrunner import plan
from tests.planner.planning import planned, refused, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{task: call, when: true}", []),
        ("{task: call, when: false}", None),
        ("{inputs: {n: 3}, task: call, when: inputs.n > 2}", []),
        ("chain: [{task: call, args: [1]}, {task: call, when: 1 == 2}]", [1]),
        ("chain: [{task: call, args: [1], when: false}, call]", []),
        ("chain: [{chain: [call], when: false}, {task: power, args: [3]}]", 9),
        ("group: [{task: call, when: false}, call]", [None, []]),
        ("chain: [call x2, {each: '${prev}', do: {task: call, when: 'item == [1]'}}]",
         [[0], [[1]]]),
        ("chain: [{task: call, args: [1]}, {task: call, when: 'prev == [1]'}]", [[1]]),
        ("chain: [{task: call, args: [1]}, {task: call, when: 'prev == [2]'}]", [1]),
        ("chain: [{task: call, id: a}, call, {task: call, when: 'a == []'}]", [[[]]]),
        ("chain: [{task: call, args: [1]}, {group: [call, call], when: 'len(prev) > 1'}]", [1]),
        ("{switch: [{when: false, do: none}, {when: true, do: call}, {else: none}]}", []),
        ("{switch: [{when: false, do: none}, {else: call}]}", []),
        ("{switch: [{when: false, do: none}]}", None),
        ("chain: [{task: call, args: [7]}, {switch: ["
         "{when: 'prev == [1]', do: call}, {when: false, do: call}, "
         "{when: 'prev == [7]', do: {task: call, args: [b]}}, {else: call}]}]", [[7], "b"]),
        ("chain: [{task: call, args: [7]}, {switch: ["
         "{when: 'prev == [1]', do: call}, {when: true, do: {task: call, args: [b]}}, "
         "{when: 'prev == [7]', do: call}]}]", [[7], "b"]),
        ("chain: [call, {switch: [{when: 'prev == [1]', do: call}]}]", []),
    ],
)  # fmt: skip
def test_they_have_this_value(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("{task: call, when: true}", ["task"]),
        ("{task: call, when: false}", []),
        ("{chain: [call], when: 1 < 2}", ["chain[0]"]),
        ("{switch: [{when: false, do: call}, {when: true, do: call}]}", ["switch[1].do"]),
        ("chain: [{switch: [{when: false, do: call}, {else: {chain: [call]}}]}]",
         ["chain[0].switch[1].else.chain[0]"]),
        ("{each: [0, 1, 2], do: {task: call, when: item != 1}}", ["each[0]", "each[2]"]),
    ],
)  # fmt: skip
def test_what_is_known_is_decided_and_static(text: str, paths: list[str]) -> None:
    ready = planned(text)
    assert not ready.unfolds
    assert [call.path for call in ready.calls() if call.is_written] == paths


def test_a_step_that_is_left_out_stays_in_the_tree_and_says_why() -> None:
    (root, *_) = (planned("{inputs: {n: 1}, chain: [call], when: ' inputs.n > 2 '}").root,)
    assert isinstance(root, plan.Skipped)
    assert (root.path, root.why, root.step.path) == ("chain", "when inputs.n > 2", "chain")
    root = planned("{switch: [{when: false, do: call}, {when: 1 > 2, do: call}]}").root
    assert isinstance(root, plan.Skipped)
    assert (root.path, root.why) == ("switch", "when false or 1 > 2")


def test_what_run_time_decides_is_a_switch() -> None:
    ready = planned(
        "{inputs: {n: 1}, chain: [call, {task: call, when: prev == inputs.n}, "
        "{switch: [{when: 'prev == 1', do: call}, {when: false, do: call}, {else: call x2}]}]}"
    )
    assert isinstance(ready.root, plan.Chain)
    _, when, switch = ready.root.steps
    assert isinstance(when, plan.Switch)
    assert isinstance(switch, plan.Switch)
    (branch,) = when.branches
    assert (when.path, when.written, when.otherwise, branch.step.path) == (
        "chain[1]",
        "when",
        None,
        "chain[1]",
    )
    assert (branch.when.text, branch.when.bare) == ("prev == inputs.n", True)
    assert branch.when.names == {"inputs": {"n": 1}}
    assert (switch.path, switch.written) == ("chain[2].switch", "switch")
    assert [call.path for call in ready.calls()] == [
        "chain[0]",
        "chain[1]",
        "chain[2].switch[0].do",
        "chain[2].switch[2].else[0]",
        "chain[2].switch[2].else[1]",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{inputs: {n: 3}, task: call, when: inputs.n}",
         "a condition must be a boolean, not 3"),
        ("{task: call, when: 'null'}", "a condition must be a boolean, not null"),
        ("{task: call, when: '${true}'}", "write the expression without '${' and '}' here"),
        ("{task: call, when: inputs.x}", "unknown input 'x'"),
        ("{task: call, when: prev}", "this step has no 'prev'"),
        ("{task: call, when: 1 / 0 > 1}", "division by zero"),
        ("{task: nope, when: false}", "unknown task 'nope'"),
        ("{task: call, args: ['${nope}'], when: false}", "unknown name 'nope'"),
        ("{switch: [{when: true, do: call}, {when: nope, do: call}]}", "unknown name 'nope'"),
        ("{switch: [{when: true, do: call}, {else: nope}]}", "unknown task 'nope'"),
        ("{switch: [{when: '1', do: call}, {when: true, do: call}]}",
         "a condition must be a boolean, not 1"),
        ("group: [{task: call, times: 2, when: true}]",
         "'when' cannot be used on a step that adds members to its group"),
        ("group: [{chunks: {task: power, over: [[1]], size: 1}, when: true}]",
         "'when' cannot be used on a step that adds members to its group"),
        ("chain: [{task: call, when: false}, amass]",
         "task 'amass' needs the argument 'values'"),
        ("chain: [{task: call, when: true}, none]",
         "task 'none' receives the previous result but takes no positional argument"),
    ],
)  # fmt: skip
def test_a_bad_use_is_refused(text: str, message: str) -> None:
    assert refused(text) == [message]


def test_a_step_that_does_not_run_is_not_refused_for_its_values() -> None:
    planned("{inputs: {n: 0}, task: call, args: ['${1 / inputs.n}'], when: inputs.n > 0}")
    planned("{inputs: {n: -1}, task: call, times: '${inputs.n}', when: inputs.n > 0}")
    planned("{inputs: {n: -1}, task: call, countdown: '${inputs.n}', when: inputs.n > 0}")


def test_what_comes_after_a_step_that_may_be_left_out_is_checked_for_both() -> None:
    text = "{inputs: {x: {type: boolean}}, chain: [{task: call, when: inputs.x}, %s]}"
    for fits in ("call", "none", "{task: power, args: [2]}", "{task: call, args: ['${prev}']}"):
        planned(text % fits, assume_missing_inputs=True)
