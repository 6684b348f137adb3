"""``each``: what it gives, what it becomes, and what is refused of it."""

from typing import Any

import pytest

from flowrunner import plan
from flowrunner.planner import context
from tests.planner.planning import diagnostics, planned, refused, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{each: [1, 2, 3], do: power}", [1, 4, 9]),
        ("{each: [], do: power}", []),
        ("{each: '${range(2)}', do: {task: call, args: ['${item}', '${prev}']}}",
         [[0, 0, 0], [1, 1, 1]]),
        ("{each: [1, 2], as: n, do: {task: call, immutable: true, args: ['${n * 10}']}}",
         [[10], [20]]),
        ("{each: [{a: 1}], do: {task: call, immutable: true, kwargs: {a: '${item.a}'}}}",
         [{"args": [], "a": 1}]),
        ("{each: [1, 2], do: {chain: [power, power]}}", [1, 16]),
        ("{each: [1, 2], do: {chain: []}}", [1, 2]),
        ("{each: [3, 4], do: call x2}", [[[3, 0], [3, 1]], [[4, 0], [4, 1]]]),
        ("{each: [2, 0], do: {task: call, times: '${item}', args: ['${i + item}']}}",
         [[[2, 2], [2, 3]], []]),
        ("{each: [[1, 2], []], do: {each: '${prev}', as: x, do: power}}", [[1, 4], []]),
        ("{each: [1, 2], do: {each: '${[item, 5]}', as: x, do: {task: call, args: ['${item}']}}}",
         [[[1, 1], [5, 1]], [[2, 2], [5, 2]]]),
        ("{each: [1, 0], do: {task: call, when: item > 0, args: ['${6 / item}']}}",
         [[1, 6.0], 0]),
        ("chain: [power x3, {each: [5], do: {task: call, args: ['${item}']}}]", [[5, 5]]),
        ("chord: {header: {each: [1, 2], do: power}, body: amass}", 5),
        ("group: {each: [1, 2], do: power}", [1, 4]),
        ("group: [{each: [1, 2], do: power}]", [[1, 4]]),
        # Known at run time only
        ("chain: [power x3, {each: '${prev}', do: power}]", [0, 1, 16]),
        ("chain: [call x0, {each: '${prev}', do: power}]", []),
        ("chain: [power x3, {each: '${prev}', do: {task: call, args: ['${item + 1}']}}]",
         [[0, 1], [1, 2], [4, 5]]),
        ("chain: [power x2, {each: ['${prev[1]}', 7], do: call}]", [[1], [7]]),
        ("chain: [call x2, {each: '${prev}', do: {each: '${item}', as: x, do: power}}]",
         [[0], [1]]),
        ("chain: [power x3, {chord: {header: {each: '${prev}', do: power}, body: amass}}]", 17),
        ("chain: [{task: call, args: [[1, 2]], id: ls}, call, {each: '${ls[0]}', do: power}]",
         [1, 4]),
        # Known while it is planned, and used beside what is not
        ("{each: [1, 2], do: {chain: [power, {task: call, args: ['${[item, prev]}']}]}}",
         [[1, [1, 1]], [4, [2, 4]]]),
        ("{inputs: {k: 3}, each: [2], do: {chain: [power, "
         "{task: call, args: ['${item + inputs.k + prev}']}]}}", [[4, 9]]),
    ],
)  # fmt: skip
def test_it_has_this_value(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_a_list_that_is_known_is_a_group_of_given_members() -> None:
    ready = planned("chain: [call, {each: [7, 8], do: {chain: [power, call]}}]")
    assert not ready.unfolds
    assert [call.path for call in ready.calls() if call.is_written] == [
        "chain[0]",
        *("chain[1].each[0].chain[0]", "chain[1].each[0].chain[1]"),
        *("chain[1].each[1].chain[0]", "chain[1].each[1].chain[1]"),
    ]
    assert isinstance(ready.root, plan.Chain)
    group = ready.root.steps[1]
    assert isinstance(group, plan.Group)
    assert [(each.path, each.value) for each in group.members if isinstance(each, plan.Given)] == [
        ("chain[1].each[0]", 7),
        ("chain[1].each[1]", 8),
    ]


def test_a_list_that_is_not_known_stays_an_each_with_a_template() -> None:
    ready = planned(
        "{inputs: {a: 1, b: 2}, chain: [call x2, "
        "{each: '${prev[inputs.a]}', as: n, do: {task: call, args: ['${n + inputs.b}', 3]}}]}"
    )
    assert ready.unfolds
    assert ready.sequence == ()
    assert [call.path for call in ready.calls()][2:] == ["chain[1].each[*]"]
    assert ready.task_count == 3
    assert isinstance(ready.root, plan.Chain)
    each = ready.root.steps[1]
    assert isinstance(each, plan.Each)
    assert isinstance(each.items, plan.Deferred)
    assert (each.items.text, each.items.names) == ("${prev[inputs.a]}", {"inputs": {"a": 1}})
    assert isinstance(each.do, plan.Call)
    assert each.do.open
    deferred, known = each.do.args
    assert (deferred.text, deferred.names) == ("${n + inputs.b}", {"inputs": {"b": 2}})
    assert known == 3


def test_a_template_that_uses_nothing_is_not_open() -> None:
    ready = planned("chain: [call x2, {each: '${prev}', do: {task: call, args: [1]}}]")
    (*_, template) = ready.calls()
    assert not template.open


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{each: 3, do: call}", "'each' must be a list, not 3"),
        ("{inputs: {n: 3}, each: '${inputs.n}', do: call}", "'each' needs a list, not 3"),
        ("{each: '${{}}', do: call}", "'each' needs a list, not {}"),
        ("{each: [], do: {task: call, args: ['${itme}']}}", "unknown name 'itme'"),
        ("{each: [], do: nope}", "unknown task 'nope'"),
        ("{each: [1], as: n, do: {task: call, args: ['${item}']}}", "unknown name 'item'"),
        ("chain: [{each: [1], do: call}, {task: call, args: ['${item}']}]", "unknown name 'item'"),
        ("{each: '${prev}', do: call}", "this step has no 'prev'"),
        ("{each: [1], do: none}", "task 'none' receives the item but takes no positional argument"),
        ("{each: [1], do: {chain: [call, none]}}",
         "task 'none' receives the previous result but takes no positional argument"),
        ("{each: [1], do: {task: keyed, kwargs: {name: x}}}",
         "task 'keyed' receives the item but takes no positional argument"),
        ("{each: [1, 2], do: {each: [3], do: call}}", "the name 'item' is already in use"),
        ("{each: [1, 2], as: i, do: call x2}", "the name 'i' is already in use"),
        ("chain: [{task: call, id: a}, {each: [1], as: a, do: call}]",
         "the name 'a' is already in use"),
        ("chain: [call, {each: '${prev}', do: {task: call, queue: 'q${item}'}}]",
         "'queue' must be known before the run"),
        ("chain: [call, {each: '${prev}', do: {task: call, times: '${item}'}}]",
         "the number of calls must be known before the run"),
        ("chain: [call, {each: '${prev}', do: {map: {task: power, over: '${item}'}}}]",
         "'over' must be known before the run"),
        ("chain: [call, {each: '${prev}', do: {chunks: {task: power, over: [[1]], size: '${item}'}}"
         "}]", "'size' must be known before the run"),
        ("chain: [call, {each: '${prev}', do: call, max_parallel: '${len(prev)}'}]",
         "'max_parallel' must be known before the run"),
        ("group: {each: [1], do: call, when: false}",
         "'when' cannot be used on a step that adds members to its group"),
        ("chord: {header: {each: [1], do: call, on_error: call}, body: call}",
         "'on_error' cannot be used on a step that adds members to its group"),
        ("{each: [1, 0], do: {task: call, args: ['${1 / item}']}}", "division by zero"),
    ],
)  # fmt: skip
def test_a_bad_use_is_refused(text: str, message: str) -> None:
    assert refused(text) == [message]


def test_what_is_wrong_with_many_members_is_said_once() -> None:
    (problem,) = diagnostics("{each: '${range(50000)}', do: {task: call, args: ['${nope}']}}")
    assert problem.message == "unknown name 'nope'"


def test_the_cap_holds_for_members_with_calls_and_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(context, "MAXIMUM_CALLS", 10)
    planned("{each: '${range(5)}', do: call x2}")
    planned("{each: '${range(5)}', do: {each: [1, 2], as: x, do: {chain: []}}}")
    for text in (
        "{each: '${range(6)}', do: call x2}",
        "{each: '${range(6)}', do: {each: [1, 2], as: x, do: {chain: []}}}",
    ):
        assert refused(text) == ["the workflow has more than 10 calls"]


def test_a_list_that_hangs_on_an_input_without_a_value_can_be_checked() -> None:
    do = "{task: call, queue: '${item}', times: '${item}'}"
    text = f"{{inputs: {{x: {{}}}}, each: '${{inputs.x}}', do: {do}}}"
    ready = planned(text, assume_missing_inputs=True)
    assert [call.path for call in ready.calls()] == ["each[*][0]"]


def test_the_variables_of_the_environment_are_known_after_a_step_and_to_members() -> None:
    ready = planned(
        "{env: [X], chain: [call, {task: call, args: ['${env.X}']}, "
        "{each: [1], do: {chain: [call, {task: call, args: ['${env.X}']}]}}]}"
    )
    assert [plan.has_secret(call.args) for call in ready.calls() if call.is_written] == [
        *(False, True, False, True),
    ]
