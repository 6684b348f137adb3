"""The minimum cost of a dynamic plan."""

from __future__ import annotations

import pytest

from flowrunner.planner.continuations import sequence_of
from tests.planner.planning import planned

EACH = "{each: '${prev}', do: {chain: [call, call]}}"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (f"chain: [call, {EACH}]", 3),
        (f"chain: [call, {{chord: {{header: {EACH}, body: call}}}}]", 4),
        ("chain: [call, {when: prev == 1, task: call}]", 1),
        ("chain: [call, {switch: [{when: prev == 1, do: call}]}]", 1),
        ("chain: [call, {switch: [{when: prev == 1, do: {chain: [call, call]}},"
         " {else: call}]}]", 2),
        ("{chain: [call, {task: call, on_error: {chain: [call, call]}}]}", 2),
        ("{group: [call x3, {each: [1, 2], do: call}], tolerate: 1}", 5),
        ("{task: call, retry: 5}", 1),
        ("chain: [call, {when: false, task: call}, {task: call, retry: 1}]", 2),
        ("graph: {a: call, b: {task: call, needs: [a]}, c: {task: call, needs: [a]},"
         " d: {task: call, needs: [b, c]}, e: {task: call, needs: [b, d]}}", 5),
    ],
)  # fmt: skip
def test_messages(text: str, messages: int) -> None:
    cost = planned(text).cost
    assert cost.messages == messages
    assert cost.bytes <= messages * cost.largest


def test_nothing_costs_nothing() -> None:
    ready = planned("{outputs: {a: '${prev}'}, chain: [call, {each: '${prev}', do: call}]}")
    assert ready.cost.messages == 2
    nothing = planned("inputs: {n: 1}\nchain: [call]\nwhen: inputs.n == 2")
    assert sequence_of(nothing.root).cost.messages <= 1


def test_what_is_not_known_is_not_counted() -> None:
    def bytes_of(value: str) -> int:
        return planned(f"chain: [call, {{task: call, args: [{value}], retry: 1}}]").cost.bytes

    assert bytes_of("'${prev.a_long_name_that_says_nothing}'") == bytes_of("null")
    assert bytes_of("'a long text that is known'") > bytes_of("null")
