"""The normal form gives every small shape what it means, without any engine."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from flowrunner.planner.normal_form import normal_form
from flowrunner.semantics import Failure, evaluate, evaluate_sequence
from tests.conformance.classics import CLASSICS
from tests.conformance.conftest import FULL
from tests.conformance.generator import trees, with_failures
from tests.conformance.meaning import meaning
from tests.conformance.reference import call_task, ends_every_member_in_a_call, plan_tree
from tests.conformance.shape import Shape
from tests.conformance.walk import labelled

#: The most nodes of a shape, with empty ones allowed and without.
MOST_NODES = {True: 7, False: 8} if FULL else {True: 5, False: 6}


def failed(value: Any) -> Any:
    """Return the labels that a failure names."""
    assert isinstance(value, Failure), value
    return frozenset(str(error) for _, error in value.causes)


def holds(shape: Shape) -> bool:
    means, tree = meaning(shape), plan_tree(shape)
    sequence = normal_form(tree)
    if not ends_every_member_in_a_call(sequence):
        return False
    values = evaluate_sequence(sequence, call_task), evaluate(tree, call_task)
    if means.failed:
        return all(failed(value) == means.failed for value in values)
    return all(value == means.value for value in values)


@pytest.mark.parametrize("empty", [True, False], ids=["with empty ones", "without empty ones"])
def test_every_small_shape_means_the_same_in_its_normal_form(empty: bool) -> None:
    random = Random(1)
    tried = 0
    for nodes in range(1, MOST_NODES[empty] + 1):
        for tree in trees(nodes, empty=empty):
            shape = labelled(tree)
            assert holds(shape), shape
            failing = with_failures(random, shape, 2)
            assert failing is None or holds(failing), failing
            tried += 1
    assert (
        tried
        == {(True, 5): 3_873, (True, 7): 323_175, (False, 6): 822, (False, 8): 21_639}[
            empty, MOST_NODES[empty]
        ]
    )


@pytest.mark.parametrize(("shape", "value"), CLASSICS.values(), ids=CLASSICS.keys())
def test_a_classic_means_what_is_written(shape: Shape, value: Any) -> None:
    assert meaning(shape).value == value
