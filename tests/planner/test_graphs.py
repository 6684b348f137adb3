"""What is wrong with a graph is said where it stands."""

from __future__ import annotations

import pytest

from flowrunner import model
from flowrunner.loader import parse_value
from flowrunner.node import Mapping, Scalar, Sequence
from flowrunner.planner.dependencies import Dependencies, dependencies
from flowrunner.planner.problems import Problems
from flowrunner.source import Source


def graph(text: str) -> model.Graph:
    """Return a graph of steps and what they need: ``{a: [], b: [a]}``."""
    written = parse_value(Source("test.yaml", text))
    assert isinstance(written, Mapping)
    steps = []
    for name, needs in written.entries:
        assert isinstance(needs, Sequence)
        needed = tuple(each for each in needs.items if isinstance(each, Scalar))
        steps.append(model.GraphStep(name, needed, model.TaskCall("call", name.location)))
    return model.Graph(tuple(steps), written.location)


def looked_at(text: str) -> tuple[Dependencies | None, list[str]]:
    written, problems = graph(text), Problems()
    found = dependencies(written, problems)
    told = [
        f"{each.location}: {each.message}: {each.label}"
        for each in problems.in_order(written.location.source)
    ]
    return found, told


def test_a_graph_has_an_order_and_a_result() -> None:
    found, told = looked_at("{d: [b, c], b: [a], c: [a], a: []}")
    assert not told
    assert found is not None
    assert (found.order, found.result) == (("a", "b", "c", "d"), "d")
    assert [sorted(found.before(name)) for name in "abd"] == [[], ["a"], ["a", "b", "c"]]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("{a: [a]}", ["1:6: step 'a' needs itself: "]),
        (
            "{fetch: [], b: [fetc]}",
            ["1:17: step 'b' needs the unknown step 'fetc': did you mean 'fetch'?"],
        ),
        (
            "{fetch: [], b: [zzz]}",
            ["1:17: step 'b' needs the unknown step 'zzz': other steps of the graph: fetch"],
        ),
        (
            "{b: [z]}",
            ["1:6: step 'b' needs the unknown step 'z': the graph has no other step"],
        ),
        (
            "{a: [], b: [a, a]}",
            ["1:16: step 'b' needs 'a' twice: remove one: its list holds each result once"],
        ),
        (
            "{a: [], b: [], c: [a]}",
            [
                "1:9: no step needs 'b', so its result would be lost: "
                "the graph returns the result of its final step 'c'"
            ],
        ),
        (
            "{a: [b], b: [a]}",
            [
                "1:6: dependency cycle: a → b → a: "
                "remove one of these needs: 'a' would wait for itself"
            ],
        ),
        (
            "{r: [], a: [r, c], b: [a], c: [b], d: [c]}",
            [
                "1:16: dependency cycle: a → c → b → a: "
                "remove one of these needs: 'a' would wait for itself"
            ],
        ),
        (
            "{x: [y], y: [x], a: [b], b: [a, x]}",
            [
                "1:6: dependency cycle: x → y → x: "
                "remove one of these needs: 'x' would wait for itself",
                "1:22: dependency cycle: a → b → a: "
                "remove one of these needs: 'a' would wait for itself",
            ],
        ),
    ],
)
def test_problems(text: str, problems: list[str]) -> None:
    assert looked_at(text) == (None, [f"test.yaml:{each}" for each in problems])


def test_a_long_circle_is_cut_and_found_at_once() -> None:
    names = [f"s{number}" for number in range(5_000)]
    needs = {name: names[number - 1] for number, name in enumerate(names)}
    text = "{" + ", ".join(f"{name}: [{needed}]" for name, needed in needs.items()) + "}"
    (told,) = looked_at(text)[1]
    assert (
        "dependency cycle: s0 → s4999 → s4998 → s4997 → s4996 → s4995 → s4994 → … → s1 → s0: "
        in told
    )
