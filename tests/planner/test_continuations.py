"""Where continuations stand, and that they change nothing of what a plan means."""

from __future__ import annotations

import pytest
from hypothesis import given

from flowrunner import plan
from flowrunner.plan import calls_of, parts_of, without_continuations
from flowrunner.planner.continuations import WORTH_CONTINUING, sequence_of
from flowrunner.planner.normal_form import normal_form
from flowrunner.semantics import Failure, evaluate, evaluate_sequence
from tests.engines.plans import call, chain, chord, group
from tests.shapes import call_task, failing_shapes, shapes, with_paths


def steps(count: int) -> plan.Node:
    return chain(*(call("tag", n) for n in range(count)))


def fans(count: int, width: int) -> plan.Node:
    one = chord([call("tag", n) for n in range(width)], call("tag"))
    return chain(*[one] * count)


@pytest.mark.usefixtures("continued_everywhere")
@given(shapes())
def test_a_plan_with_continuations_has_the_value_of_its_tree(tree: plan.Node) -> None:
    sequence = sequence_of(tree).sequence
    assert evaluate_sequence(sequence, call_task) == evaluate(tree, call_task)


@pytest.mark.usefixtures("continued_everywhere")
@given(failing_shapes())
def test_a_plan_with_continuations_fails_where_its_tree_fails(tree: plan.Node) -> None:
    expected = evaluate(tree, call_task)
    actual = evaluate_sequence(sequence_of(tree).sequence, call_task)
    assert isinstance(expected, Failure)
    assert isinstance(actual, Failure)
    assert actual.paths == expected.paths


@pytest.mark.usefixtures("continued_everywhere")
@given(shapes())
def test_they_stand_between_all_the_steps_and_can_be_taken_out_again(tree: plan.Node) -> None:
    plain, continued = normal_form(tree), sequence_of(tree).sequence

    def check(sequence: plan.Sequence) -> None:
        for part in parts_of(sequence):
            assert len(part) == 1 or part[1].kind == "continuation"  # type: ignore[union-attr]
            if isinstance(part[0], plan.Fork):
                for member in part[0].members:
                    check(member)

    check(continued)
    assert without_continuations(continued) == plain
    paths = [call.path for call in calls_of(continued)]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    "tree",
    [
        call("tag"),
        steps(30),
        fans(3, 10),
        fans(1, 2000),
        chord([call("tag", n) for n in range(2000)], chain(call("tag"), call("tag"))),
        chain(fans(1, 100), steps(6)),
    ],
    ids=[
        *("one call", "30 steps", "3 fans of 10", "a fan of 2,000", "and a step after it"),
        "a fan of 100, and 6 steps",
    ],
)
def test_a_plan_that_they_would_not_save_much_has_none(tree: plan.Node) -> None:
    ready = sequence_of(with_paths(tree))
    assert ready.sequence == normal_form(with_paths(tree))
    assert ready.cost == ready.one_canvas


@pytest.mark.parametrize(
    "tree",
    [
        steps(200),
        fans(4, 30),
        chord([steps(60), *(call("tag", n) for n in range(60))], call("tag")),
        chord([call("tag", n) for n in range(100)], group(*[steps(3)] * 20)),
    ],
    ids=["200 steps", "4 fans of 30", "a long member", "a wide body"],
)
def test_a_plan_that_they_save_much_has_some(tree: plan.Node) -> None:
    ready = sequence_of(with_paths(tree))
    assert ready.one_canvas.bytes - ready.cost.bytes > WORTH_CONTINUING
    assert ready.sequence != normal_form(with_paths(tree))


def test_none_stands_before_what_is_hardly_larger_than_itself() -> None:
    sequence = sequence_of(with_paths(chain(fans(4, 1000), steps(2)))).sequence
    *before, fork, _, _ = sequence
    assert isinstance(fork, plan.Fork)
    assert isinstance(before[-1], plan.Call)
    assert before[-1].kind == "continuation"


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (steps(300), steps(3000)),
        (fans(16, 10), fans(16, 100)),
        (fans(4, 100), fans(40, 100)),
        (
            chord([steps(100)] * 10, call("tag")),
            chord([steps(100)] * 100, call("tag")),
        ),
    ],
    ids=["steps", "wider fans", "more fans", "more members"],
)
def test_ten_times_the_steps_cost_at_most_ten_times_the_bytes(
    small: plan.Node, large: plan.Node
) -> None:
    costs = [sequence_of(with_paths(tree)).cost.bytes for tree in (small, large)]
    assert costs[1] < 11 * costs[0]
