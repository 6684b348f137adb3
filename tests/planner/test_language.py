"""What each construct of the language means, by the reference semantics."""

from typing import Any

import pytest

from tests.planner.planning import planned, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Calls
        ("task: call", []),
        ("{task: call, args: [1, two, null]}", [1, "two", None]),
        ("{task: call, kwargs: {a: 1}}", {"args": [], "a": 1}),
        ("group: call x3", [[0], [1], [2]]),
        ("group: call x0", []),
        ("group: [call x2, call]", [[0], [1], []]),
        ("{task: call, times: 2}", [[0], [1]]),
        ("{task: call, times: 2, args: []}", [[], []]),
        ("{task: call, times: 2, args: [x]}", [["x"], ["x"]]),
        ("{task: call, times: 2, args: ['${i}', '${i * 10}']}", [[0, 0], [1, 10]]),
        ("{task: call, times: 2, as: n, args: ['${n}']}", [[0], [1]]),
        ("{task: call, times: 2, kwargs: {a: '${i + 1}'}}",
         [{"args": [0], "a": 1}, {"args": [1], "a": 2}]),
        # Chains
        ("chain: []", None),
        ("chain: [call]", []),
        ("chain: [{task: call, args: [1]}, call]", [[1]]),
        ("chain: [{task: call, args: [1]}, {task: call, args: [2]}]", [[1], 2]),
        ("chain: [{task: call, args: [1]}, {task: call, immutable: true}]", []),
        ("chain: [{task: call, args: [1]}, call x2]", [[[1], 0], [[1], 1]]),
        ("chain: [call x2, call]", [[[0], [1]]]),
        ("chain: [{chain: [call]}, {chain: []}]", []),
        # Groups and chords
        ("group: []", []),
        ("group: [call]", [[]]),
        ("group: [{group: [call]}, call]", [[[]], []]),
        ("chain: [{task: call, args: [7]}, {group: [call, call]}]", [[[7]], [[7]]]),
        ("chord: {header: power x10, body: amass}", 285),
        ("chord: {header: [], body: amass}", 0),
        ("chord: {header: power x1, body: amass}", 0),
        ("chord: {header: power x3, body: {group: [amass, call]}}", [5, [[0, 1, 4]]]),
        ("chord: {header: [{chord: {header: power x3, body: amass}}, power x2], body: amass}", 6),
        # Items
        ("map: {task: power, over: [1, 2, 3]}", [1, 4, 9]),
        ("map: {task: power, over: []}", []),
        ("starmap: {task: power, over: [[2, 3], [3, 2]]}", [8, 9]),
        ("chunks: {task: power, over: [[1], [2], [3]], size: 2}", [[1, 4], [9]]),
        ("group: [{chunks: {task: power, over: [[1], [2], [3]], size: 2}}, call]",
         [[1, 4], [9], []]),
        ("chain: [call, {map: {task: power, over: [2]}}]", [4]),
    ],
)  # fmt: skip
def test_a_construct_has_this_value(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{task: call, args: [010, 0o10, 1:30, yes, 2026-11-24]}",
         [10, 8, "1:30", "yes", "2026-11-24"]),
        ("{task: call, args: [&a [1], *a]}", [[1], [1]]),
        ("{task: call, args: ['$${x}', '$x', 'a$${b}${1}']}", ["${x}", "$x", "a${b}1"]),
    ],
)  # fmt: skip
def test_values_are_read_as_they_look(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_inputs_are_used_with_their_type() -> None:
    text = """
        inputs: {count: 2, name: {type: string}, rows: [1, 2]}
        chain:
          - task: call
            times: ${inputs.count}
            args: ["${inputs.name}", "n${inputs.count}", "${inputs.rows[i]}"]
    """
    assert value(text, {"name": "ada"}) == [["ada", "n2", 1], ["ada", "n2", 2]]
    assert value(text, {"name": "ada", "count": "1"}) == [["ada", "n1", 1]]
    assert value("{inputs: {n: 2}, group: 'call x${inputs.n}'}") == [[0], [1]]


def test_an_input_is_data_and_never_an_expression() -> None:
    text = "{inputs: {x: {}}, task: call, args: ['${inputs.x}']}"
    assert value(text, {"x": "'${inputs.y}'"}) == ["${inputs.y}"]


def test_defaults_give_way_to_the_call_and_the_task_goes_before_the_star() -> None:
    text = """
        defaults:
          power: {kwargs: {expo: 3}, queue: cubes}
          "*": {queue: all, priority: 1}
        group:
          - {task: power, args: [2]}
          - {task: power, args: [2], kwargs: {expo: 1}, queue: own}
          - {task: power, args: [2, 4]}
          - call
    """
    assert value(text) == [8, 2, 16, []]
    options = [dict(call.options) for call in planned(text).calls() if call.kind == "task"]
    assert options == [
        {"queue": "cubes", "priority": 1},
        {"queue": "own", "priority": 1},
        {"queue": "cubes", "priority": 1},
        {"queue": "all", "priority": 1},
    ]


def test_every_call_of_a_task_carries_the_routing_that_it_was_registered_with() -> None:
    text = "group: [queued x2, {task: queued, queue: fast}]"
    options = [dict(call.options) for call in planned(text).calls() if call.kind == "task"]
    assert options == [
        {"queue": "slow", "priority": 3},
        {"queue": "slow", "priority": 3},
        {"queue": "fast", "priority": 3},
    ]


def test_options_take_expressions_and_are_checked_after() -> None:
    text = "{inputs: {s: 2}, task: call, countdown: '${inputs.s / 4}', headers: {a: '${inputs.s}'}}"
    (call,) = planned(text).calls()
    assert call.options == {"countdown": 0.5, "headers": {"a": 2}}


def test_a_plan_knows_its_name_its_inputs_and_its_cost() -> None:
    plan = planned("{name: n, inputs: {a: 1}, timeout: 5, group: [call x10, call]}", {"a": "2"})
    assert (plan.name, plan.inputs, plan.timeout) == ("n", {"a": 2}, 5.0)
    assert (plan.task_count, plan.cost.messages) == (11, 12)


def test_a_file_is_checked_without_the_inputs_that_have_to_be_given() -> None:
    text = """
        inputs: {n: {type: integer}, name: {}}
        group:
          - {task: power, times: "${inputs.n}"}
          - {task: call, args: ["${inputs.name.first}"]}
          - {task: call, headers: "${inputs.name}", queue: "${inputs.name}"}
          - {task: call, headers: {a: "${inputs.name}"}, countdown: "${inputs.n}"}
          - {task: call, priority: "${inputs.n}", time_limit: "${inputs.n}"}
          - {map: {task: power, over: "${inputs.name}"}}
    """
    planned(text, assume_missing_inputs=True)


@pytest.mark.parametrize("kind", ["map", "starmap", "chunks"])
def test_items_carry_options_and_take_nothing_from_the_step_before(kind: str) -> None:
    over = "[1]" if kind == "map" else "[[1]]"
    size = ", size: 1" if kind == "chunks" else ""
    text = f"chain: [power x2, {{{kind}: {{task: power, over: {over}, queue: q{size}}}}}]"
    *_, call = [call for call in planned(text).calls() if call.kind in ("map", "starmap")]
    assert call.options == {"queue": "q"}
    assert call.immutable
