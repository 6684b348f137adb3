"""A graph becomes chains and groups where these give every step what the graph gives it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowrunner.planner.series_parallel import (
    MOST_NESTED,
    Needs,
    Series,
    SideBySide,
    in_order,
    series_parallel,
)

INPUT = "input"


def of_graph(needs: Needs, name: str) -> Any:
    """Return what a graph gives: each step's value is its name and what it was given."""
    needed = [of_graph(needs, each) for each in needs[name]]
    return (name, needed[0] if len(needed) == 1 else needed or INPUT)


def of_series(series: Series, given: Any) -> Any:
    """Return what chains and groups give."""
    for item in series:
        if isinstance(item, SideBySide):
            given = [of_series(member, given) for member in item.members]
        else:
            given = (item, given)
    return given


def steps_of(series: Series) -> Iterator[str]:
    for item in series:
        if isinstance(item, SideBySide):
            for member in item.members:
                yield from steps_of(member)
        else:
            yield item


def check(needs: Needs) -> Series | None:
    """Check that a graph's last step has a tree that is exact, or none; return it."""
    result = list(needs)[-1]
    series = series_parallel(needs, result)
    if series is not None:
        assert of_series(series, INPUT) == of_graph(needs, result)
        assert sorted(steps_of(series)) == sorted(needs)
        for item in series:
            assert isinstance(item, str) or len(item.members) > 1
    return series


def graph_of(lines: str) -> Needs:
    """Read ``a, b a, c a b``: each step and what it needs."""
    found = {}
    for line in lines.split(","):
        name, *needed = line.split()
        found[name] = tuple(needed)
    return found


@pytest.mark.parametrize(
    ("lines", "tree"),
    [
        ("a", "a"),
        ("a, b a, c b", "a b c"),
        ("a, b, c a b", "[a | b] c"),
        ("a, b a, c a, d b c", "a [b | c] d"),
        ("a, b a, c a, d c b", "a [c | b] d"),
        ("a, b a, c a b", "a [ | b] c"),
        ("a, b a, c a, d b c, e d, f d, g e f", "a [b | c] d [e | f] g"),
        ("a, b a, c a, d b c, x, z d x", "[a [b | c] d | x] z"),
        ("r, a, b a, c r b", "[r | a b] c"),
        ("s, a s, b a, c a, d b c, e s, f d e", "s [a [b | c] d | e] f"),
    ],
)
def test_exact_graphs_become_trees(lines: str, tree: str) -> None:
    def written(series: Series) -> str:
        return " ".join(
            item if isinstance(item, str) else f"[{' | '.join(map(written, item.members))}]"
            for item in series
        )

    series = check(graph_of(lines))
    assert series is not None
    assert written(series) == tree


@pytest.mark.parametrize(
    "lines",
    [
        "a, b, c a, d a b, e c d",  # the smallest graph that is not series-parallel
        "a, x, b a, c a x, d b c",  # c is given what a step beside a gives
        "a, b a, c a, d b c, e d b",  # b would have to run twice
        "a, b a, c a, x, d b c x",  # as a tree its list would be [[b, c], x]
    ],
)
def test_others_stay_graphs(lines: str) -> None:
    assert check(graph_of(lines)) is None


def graphs_of(count: int) -> Iterator[Needs]:
    """Yield every graph of so many steps, in one order, each of which the last one needs."""
    names = [f"s{number}" for number in range(count)]
    before = [
        [each for size in range(number + 1) for each in combinations(names[:number], size)]
        for number in range(count)
    ]
    for needs in product(*before):
        if {name for needed in needs for name in needed} == set(names[:-1]):
            yield dict(zip(names, needs, strict=True))


def test_every_small_graph() -> None:
    found = [check(needs) for count in range(1, 6) for needs in graphs_of(count)]
    assert len(found) > 300
    assert 0 < sum(each is not None for each in found) < len(found)


@given(st.data())
def test_large_graphs(data: st.DataObject) -> None:
    needs: dict[str, tuple[str, ...]] = {}
    for number in range(data.draw(st.integers(2, 12))):
        # Steps that nobody needs yet, first: so that graphs with a tree are not rare.
        free = [name for name in needs if all(name not in each for each in needs.values())]
        known = [*free, *(name for name in needs if name not in free)]
        picked = st.lists(st.sampled_from(known), max_size=3, unique=True) if known else st.just([])
        needs[f"s{number}"] = tuple(data.draw(picked))
    free = [name for name in needs if all(name not in each for each in needs.values())]
    needs["last"] = tuple(data.draw(st.permutations(free)))
    check(needs)


def test_long_chains_and_deep_groups_do_not_meet_pythons_limits() -> None:
    chain = {f"s{number}": (f"s{number - 1}",) * bool(number) for number in range(20_000)}
    series = series_parallel(chain, "s19999")
    assert series is not None
    assert len(series) == 20_000

    def comb(depth: int) -> Needs:
        needs: dict[str, tuple[str, ...]] = {"s0": ()}
        for number in range(1, depth + 1):
            needs[f"r{number}"] = ()
            needs[f"s{number}"] = (f"s{number - 1}", f"r{number}")
        return needs

    assert check(comb(MOST_NESTED)) is not None
    assert check(comb(MOST_NESTED + 1)) is None
    assert series_parallel(comb(5_000), "s5000") is None


def test_an_order_has_each_step_after_those_that_it_needs() -> None:
    assert in_order({"c": ("b", "a"), "b": ("a",), "a": ()}) == ["a", "b", "c"]
    assert in_order({"a": (), "b": ("c",), "c": ("b",), "d": ("a", "b")}) == ["a"]
