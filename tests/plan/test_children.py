"""Every node of a plan knows its children."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given

from flowrunner import plan
from flowrunner.plan import Branch, Call, Deferred, GraphStep, Node, Repeat
from tests.unfolding import AT, DYNAMIC, built, trees

KINDS: tuple[Any, ...] = (*get_args(Node), Repeat)
PARTS = (Branch, GraphStep)


def types_in(hint: Any) -> set[Any]:
    """Return the classes that a hint names, however deep."""
    if get_origin(hint) is None and not isinstance(hint, type(Union[int, str])):  # noqa: UP007
        return {hint}
    return {each for inner in get_args(hint) for each in types_in(inner)}


def fields_of(kind: Any, *wanted: Any) -> set[str]:
    """Return the fields that are typed as one of the classes, or as any value."""
    hints = get_type_hints(kind)
    return {each.name for each in fields(kind) if types_in(hints[each.name]) & set(wanted)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_that_holds_a_node_is_among_the_children(kind: Any) -> None:
    assert set(kind.inner) == fields_of(kind, *KINDS, *PARTS)


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_holds_one_node(kind: Any) -> None:
    assert fields_of(kind, *KINDS, *PARTS) == {"step"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {Repeat}, key=lambda kind: kind.__name__))
def test_every_field_that_holds_a_value_may_be_deferred(kind: Any) -> None:
    assert set(kind.deferrable) == fields_of(kind, Any) - {"schemas"}


def every(node: Node | Repeat) -> list[Node | Repeat]:
    """Return a node and all nodes in it."""
    return [node, *(inner for child in node.children() for inner in every(child))]


@given(trees())
def test_a_node_with_the_same_children_is_the_same(tree: Any) -> None:
    for node in every(built(tree, "r")):
        assert node.replaced(node.children()) is node


@pytest.mark.parametrize("name", DYNAMIC)
def test_every_child_can_be_replaced(name: str) -> None:
    for node in every(DYNAMIC[name]):
        children = node.children()
        for number, child in enumerate(children):
            other = replace(child, path="other")
            changed = (*children[:number], other, *children[number + 1 :])
            found = node.replaced(changed)
            assert found.children() == changed
            assert found != node
            assert all(one is two for one, two in zip(found.children(), changed, strict=True))


def test_other_fields_are_replaced_too() -> None:
    node = plan.Given("g", 1, Call("c", "tag", AT), AT)
    assert node.replaced(node.children(), value=2) == replace(node, value=2)
    switch = plan.Switch("s", (Branch(Deferred("a", AT), node),), None, AT)
    branches = (Branch(Deferred("b", AT), node),)
    assert switch.replaced([node.step], branches=branches).children() == (node.step,)
    assert switch.replaced([node.step], branches=branches).branches[0].when.text == "b"


def test_what_a_run_may_leave_out_is_not_certain() -> None:
    step, handler = Call("c", "tag", AT), Call("h", "tag", AT)
    rescue = plan.Rescue("r", step, handler, AT)
    assert rescue.children() == (step, handler)
    assert rescue.children(certain=True) == (step,)
    assert list(plan.calls_in(rescue)) == [step, handler]
