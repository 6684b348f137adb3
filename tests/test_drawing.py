"""Random structures that one draw of bytes decides: what fails is shown small."""

from __future__ import annotations

from hypothesis import find, settings

from flowrunner import plan
from tests.drawing import Choices
from tests.shapes import failing_shapes, plan_of, shapes

EXHAUSTIVE = settings(max_examples=2_000, database=None, derandomize=True)


def test_a_tree_shrinks_to_what_is_wrong_with_it() -> None:
    def has_a_chord_in_a_group(tree: plan.Node) -> bool:
        members = tree.flat() if isinstance(tree, plan.Group) else ()
        return any(isinstance(member, plan.Chord) for member in members)

    found = find(shapes(), has_a_chord_in_a_group, settings=EXHAUSTIVE)
    assert has_a_chord_in_a_group(found)
    assert sum(1 for _ in plan_of(found).calls()) <= 10


def test_failures_shrink_too() -> None:
    found = find(failing_shapes(), lambda _: True, settings=EXHAUSTIVE)
    assert isinstance(found, plan.Call)
    assert found.task == "fail"


def test_choices_are_simple_after_the_last_byte() -> None:
    choices = Choices(bytes([7]))
    assert [choices.below(5), choices.below(5), choices.of("ab")] == [2, 0, "a"]
