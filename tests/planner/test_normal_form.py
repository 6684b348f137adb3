"""The normal form means what the tree means, and has the promised shape."""

from __future__ import annotations

from hypothesis import given, settings

from flowrunner import plan
from flowrunner.planner.normal_form import normal_form
from flowrunner.semantics import Failure, evaluate, evaluate_sequence
from tests.conftest import EXAMPLES
from tests.shapes import call_task, failing_shapes, shapes


@settings(max_examples=2 * EXAMPLES)
@given(shapes())
def test_it_has_the_value_of_the_tree(tree: plan.Node) -> None:
    assert evaluate_sequence(normal_form(tree), call_task) == evaluate(tree, call_task)


@settings(max_examples=2 * EXAMPLES)
@given(failing_shapes())
def test_it_fails_where_the_tree_fails(tree: plan.Node) -> None:
    expected, actual = evaluate(tree, call_task), evaluate_sequence(normal_form(tree), call_task)
    assert isinstance(expected, Failure)
    assert isinstance(actual, Failure)
    assert actual.paths == expected.paths


@given(shapes())
def test_members_are_sequences_that_end_in_a_call(tree: plan.Node) -> None:
    def check(sequence: plan.Sequence, *, member: bool) -> None:
        assert sequence
        assert not (member and isinstance(sequence[-1], plan.Fork))
        for item in sequence:
            if isinstance(item, plan.Fork):
                assert len(item.members) > 1
                for inner in item.members:
                    check(inner, member=True)

    check(normal_form(tree), member=False)


@given(shapes())
def test_paths_are_unique(tree: plan.Node) -> None:
    paths = [call.path for call in plan.calls_of(normal_form(tree))]
    assert len(paths) == len(set(paths))
