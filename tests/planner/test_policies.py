"""``retry``, ``max_parallel``, ``tolerate`` and ``on_error``: what a plan says of them."""

from typing import Any

import pytest

from flowrunner import plan
from flowrunner.plan import Retry, Tolerance
from tests.planner.planning import planned, refused, value


@pytest.mark.parametrize(
    ("text", "retries"),
    [
        ("{task: call, retry: 3}", [Retry(3)]),
        ("{task: call, retry: 0}", [None]),
        ("{task: call, retry: {max: 2, delay: 1.5, backoff: 2, cap: 10, jitter: full, "
         "only: [ValueError], never: [a.b.Error]}}",
         [Retry(2, 1.5, 2, 10, "full", ("ValueError",), ("a.b.Error",))]),
        ("{inputs: {n: 2}, task: call, retry: '${inputs.n}'}", [Retry(2)]),
        ("{task: call, times: 2, retry: {max: 1, delay: '${i}'}}", [Retry(1), Retry(1, 1)]),
        ("{map: {task: power, over: [1], retry: 1}}", [Retry(1)]),
        ("{starmap: {task: power, over: [[1]], retry: 1}}", [Retry(1)]),
        ("{chunks: {task: power, over: [[1], [2]], size: 1, retry: 1}}", [Retry(1), Retry(1)]),
        ("{defaults: {call: {retry: 2}}, group: [call, {task: call, retry: 1}, power x1]}",
         [Retry(2), Retry(1), None]),
        ("{defaults: {'*': {retry: 2}}, map: {task: power, over: [1]}}", [Retry(2)]),
        ("{each: [1, 2], do: {task: call, retry: '${item}'}}", [Retry(1), Retry(2)]),
    ],
)  # fmt: skip
def test_a_call_says_how_often_it_is_made_again(text: str, retries: list[Retry | None]) -> None:
    assert [call.retry for call in planned(text).calls() if call.is_written] == retries


@pytest.mark.parametrize(
    ("text", "max_parallel", "tolerate"),
    [
        ("{group: call x5, max_parallel: 2, tolerate: 1}", 2, Tolerance(1)),
        ("{group: call x5, max_parallel: 5}", None, None),
        ("{group: call x5, tolerate: 0}", None, None),
        ("{group: call x5, tolerate: 20%}", None, Tolerance(20, percent=True)),
        ("{group: call x5, tolerate: 19%}", None, None),
        ("{task: call, times: 3, max_parallel: 1}", 1, None),
        ("{inputs: {n: 1}, task: call, times: 3, max_parallel: '${inputs.n}'}", 1, None),
        ("{each: [1, 2, 3], do: call, max_parallel: 2, tolerate: 1}", 2, Tolerance(1)),
        ("{each: [1, 2], do: call, max_parallel: 2}", None, None),
        ("{group: {each: [1, 2], do: call}, max_parallel: 1}", 1, None),
        ("{chunks: {task: power, over: [[1], [2]], size: 1}, max_parallel: 1}", 1, None),
    ],
)  # fmt: skip
def test_a_group_says_what_is_asked_of_its_members(
    text: str, max_parallel: int | None, tolerate: Tolerance | None
) -> None:
    ready = planned(text)
    assert isinstance(ready.root, plan.Group)
    assert (ready.root.max_parallel, ready.root.tolerate) == (max_parallel, tolerate)
    assert ready.unfolds == (max_parallel is not None or tolerate is not None)


def test_an_each_of_a_list_that_is_not_known_keeps_what_is_asked() -> None:
    text = "chain: [call, {each: '${prev}', do: call, max_parallel: 2, tolerate: %s}]"
    for tolerate, expected in (("0", None), ("50%", Tolerance(50, percent=True))):
        ready = planned(text % tolerate)
        assert isinstance(ready.root, plan.Chain)
        each = ready.root.steps[1]
        assert isinstance(each, plan.Each)
        assert (each.max_parallel, each.tolerate) == (2, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{group: [{task: call, args: [1]}, fail], tolerate: 1}", [[1], None]),
        ("{chord: {header: [fail, call], body: {task: call, args: ['${len(errors)}']}}, "
         "tolerate: 1}", [[None, []], 1]),
        ("{chord: {header: [call], body: {task: call, args: ['${errors}']}}, tolerate: 0}",
         [[[]], []]),
        ("{chord: {header: [fail, call], body: {chain: [call, {task: call, immutable: true, "
         "args: ['${errors[0].path}']}]}}, tolerate: 50%}", ["chord.header[0]"]),
        ("chain: [power x2, {chord: {header: {each: '${prev}', do: fail, tolerate: 2}, "
         "body: {task: call, args: ['${len(errors)}']}}}]", [[None, None], 2]),
        # The errors of a chord in another's body are its own
        ("{chord: {header: [fail, fail], body: {chord: {header: [fail, call], "
         "body: {task: call, immutable: true, args: ['${len(errors)}']}}, tolerate: 1}}, "
         "tolerate: 2}", [1]),
        ("{group: [{task: fail, args: [1], on_error: {task: call, immutable: true}}]}", [[]]),
        ("chain: [{task: fail, on_error: {task: call, immutable: true, "
         "args: ['${prev.errors[0].type}']}}]", ["ValueError"]),
    ],
)  # fmt: skip
def test_failures_that_are_taken_care_of_have_this_value(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_a_handler_of_a_step_stands_beside_it() -> None:
    ready = planned(
        "chain: [{chain: [call], on_error: call, when: true, id: a}, {each: [1], do: {task: call, "
        "on_error: {chain: [call]}}}]"
    )
    assert [call.path for call in ready.calls()] == [
        "chain[0].chain[0]",
        "chain[0].on_error",
        "chain[1].each[0]",
        "chain[1].each[0].on_error.chain[0]",
    ]
    assert isinstance(ready.root, plan.Chain)
    assert isinstance(ready.root.steps[0], plan.Rescue)
    assert ready.root.steps[0].path == "chain[0]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{task: call, retry: '${0 - 1}'}",
         "'max' of 'retry' must be an integer from 0 to 1,000, not -1"),
        ("{task: call, retry: {max: '${1.5}'}}",
         "'max' of 'retry' must be an integer from 0 to 1,000, not 1.5"),
        ("{task: call, retry: {max: 1, backoff: '${0.5}'}}",
         "'backoff' of 'retry' must be a number from 1 to 1,000, not 0.5"),
        ("{task: call, retry: {max: 1, delay: '${true}'}}",
         "'delay' of 'retry' must be a duration from 0 to a year (30, 5m, 1h30m), not true"),
        ("chain: [call, {task: call, retry: '${len(prev)}'}]",
         "'max' of 'retry' must be known before the run"),
        ("{group: [call], max_parallel: '${0}'}",
         "'max_parallel' must be an integer from 1, not 0"),
        ("{group: [call], tolerate: '${0 - 1}'}",
         "'tolerate' must be an integer from 0, or a percentage from 0% to 100%, not -1"),
        ("{group: [call], tolerate: '${\"101%\"}'}",
         "'tolerate' must be an integer from 0, or a percentage from 0% to 100%, not '101%'"),
        ("chain: [call, {group: [call], tolerate: '${len(prev)}'}]",
         "'tolerate' must be known before the run"),
        ("group: [{task: call, times: 2, max_parallel: 1}]",
         "'max_parallel' belongs to the group of these calls"),
        ("group: [{task: call, times: 2, tolerate: 1, id: a}]",
         "'tolerate' belongs to the group of these calls"),
        ("group: [{task: call, times: 2, on_error: call}]",
         "'on_error' cannot be used on a step that adds members to its group"),
        ("{chord: {header: [call], body: {task: call, args: ['${errors}']}}}",
         "this step has no 'errors'"),
        ("chain: [{task: call, on_error: none}]",
         "task 'none' receives the error but takes no positional argument"),
        ("chain: [call, {task: call, queue: '${prev}'}]", "'queue' must be known before the run"),
        ("chain: [{task: call, id: a}, {task: call, times: '${a}'}]",
         "the number of calls must be known before the run"),
    ],
)  # fmt: skip
def test_a_bad_use_is_refused(text: str, message: str) -> None:
    assert refused(text) == [message]
