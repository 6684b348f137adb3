"""A plan is read from its data as it was, on a machine that knows nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowrunner import plan
from flowrunner.app import Project
from flowrunner.plan import Call, Group, Plan, Repeat, Retry
from flowrunner.runs.packing import packed, unpacked
from flowrunner.runs.plan_data import PlanFormatError, plan_from_data, plan_to_data
from flowrunner.settings import load_settings
from flowrunner.source import Location, Source
from tests.planner.planning import planned
from tests.shapes import SOURCE, plan_of, shapes
from tests.unfolding import AT, DYNAMIC, built, later, trees

WORKFLOWS = sorted((Path(__file__).parents[2] / "workflows").glob("*.yaml"))

#: Texts with halves of surrogate pairs, which the name of a file may have.
texts = st.text(st.characters(exclude_categories=[]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def again(ready: Plan) -> Plan:
    return plan_from_data(unpacked(packed(plan_to_data(ready))))


def nodes(node: plan.Node | Repeat) -> Iterator[plan.Node | Repeat]:
    yield node
    match node:
        case plan.Chain():
            inner: tuple[Any, ...] = node.steps
        case Group():
            inner = node.members
        case plan.Chord():
            inner = (node.header, node.body)
        case Repeat():
            inner = (node.call, *node.calls())
        case _:
            inner = ()
    for each in inner:
        yield from nodes(each)


def spans(node: plan.Node) -> list[tuple[int, int]]:
    return [(each.location.start, each.location.end) for each in nodes(node)]


def assert_same(found: Plan, ready: Plan) -> None:
    """Compare to the last type: ``1``, ``1.0`` and ``True`` are equal and not the same."""
    assert repr(replace(found, source=ready.source)) == repr(ready)
    assert spans(found.root) == spans(ready.root)
    for one, other in zip(found.handlers, ready.handlers, strict=True):
        assert spans(one.root) == spans(other.root)
    sources = (found.source, ready.source)
    assert len({(each.name, each.text, each.path) for each in sources}) == 1
    assert all(each.location.source is found.source for each in nodes(found.root))


@given(shapes(), texts, texts, st.dictionaries(texts, values, max_size=2))
def test_any_tree_is_read_as_it_was(
    root: plan.Node, name: str, text: str, inputs: dict[str, Any]
) -> None:
    source = Source(name, text, Path("some") / "\udcff.yaml")
    ready = replace(plan_of(root), source=source, description=text, inputs=inputs, timeout=2.5)
    assert_same(again(ready), ready)


def calls(path: str) -> st.SearchStrategy[Call]:
    """Return calls with anything that a call can have."""
    return st.builds(
        Call,
        st.just(path) | texts,
        texts,
        st.builds(Location, st.just(SOURCE), st.integers(0, 3), st.integers(0, 3)),
        args=st.lists(values, max_size=2).map(tuple),
        kwargs=st.dictionaries(texts, values, max_size=2),
        options=st.fixed_dictionaries(
            {}, optional={"queue": texts, "headers": st.dictionaries(texts, values, max_size=2)}
        ),
        immutable=st.booleans(),
        kind=st.sampled_from(["task", "map", "starmap"]),
        index=st.none() | st.integers(0, 3),
        id=st.none() | texts,
        retry=st.none()
        | st.builds(Retry, st.integers(0, 3), only=st.lists(texts, max_size=2).map(tuple)),
    )


@st.composite
def fan_outs(draw: st.DrawFn) -> Repeat:
    """Return a fan-out whose calls differ in the fields that a draw says."""
    differing = draw(st.sets(st.sampled_from(["args", "kwargs", "options", "retry"])))
    count = draw(st.integers(0, 4))
    members = [draw(calls("out[*]")) for _ in range(count)]
    varying = {name: tuple(getattr(each, name) for each in members) for name in differing}
    template = replace(draw(calls("out[*]")), path="out[*]", index=None)
    numbered = "args" not in differing and draw(st.booleans())
    place = Location(SOURCE, 1, 2)
    return Repeat("out", template, count, "i", place, varying, numbered)


@given(fan_outs())
def test_a_fan_out_makes_the_calls_that_its_template_says(fan_out: Repeat) -> None:
    calls = list(fan_out.calls())
    assert len(calls) == fan_out.count
    assert repr(fan_out.ends()) == repr(tuple(calls[:1] + calls[1:][-1:]))
    for number, each in enumerate(calls):
        own = {name: values[number] for name, values in fan_out.varying.items()}
        if fan_out.numbered:
            own["args"] = (number,)
        path = f"out[{number}]"
        assert repr(each) == repr(replace(fan_out.call, path=path, index=number, **own))


@given(fan_outs())
def test_any_fan_out_is_read_as_it_was(fan_out: Repeat) -> None:
    group = Group("", (fan_out, Call("beside", "tag", Location(SOURCE, 0, 0))), fan_out.location)
    ready = plan_of(group)
    assert_same(again(ready), ready)


def test_what_is_equal_and_not_the_same_stays_apart() -> None:
    place = Location(SOURCE, 0, 0)
    args = {"args": ((1,), (1.0,), (True,))}
    ready = plan_of(
        Group("", (Repeat("out", Call("out[*]", "tag", place), 3, "i", place, args),), place)
    )
    assert_same(again(ready), ready)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_the_workflows_that_come_with_it_are_read_as_they_were(file: Path) -> None:
    project = Project(load_settings(folder=file.parent))
    ready = project.plan(file, assume_missing_inputs=True)
    assert_same(again(ready), ready)


def test_handlers_and_every_option_are_kept() -> None:
    ready = planned(
        "{timeout: 5, on_error: call, finally: {chain: [call, call x3]}, group: [queued x3,"
        " {task: call, times: 3, kwargs: {a: '${i}'}, queue: q, routing_key: r, priority: 1,"
        " countdown: 1.5, time_limit: 9, soft_time_limit: 8, headers: {h: [1]}},"
        " {chunks: {task: call, over: [[1], [2], [3]], size: 2}}]}"
    )
    assert_same(again(ready), ready)
    assert [handler.name for handler in again(ready).handlers] == ["on_error", "finally"]


@pytest.mark.usefixtures("continued_everywhere")
def test_continuations_are_where_they_were() -> None:
    ready = planned("chain: [call, {group: [call x3, {chain: [call, call]}]}, call]")
    assert ready.continuations
    assert_same(again(ready), ready)


@pytest.mark.parametrize(
    "text", ["group: power x10000", "group: [{task: power, times: 10000, kwargs: {expo: '${i}'}}]"]
)
def test_a_wide_fan_out_is_kept_in_little(text: str) -> None:
    ready = planned(text)
    assert len(packed(plan_to_data(ready))) < 200_000
    assert_same(again(ready), ready)


@pytest.mark.parametrize("data", [{"format": 0}, {"format": 99}, {}, [], None])
def test_a_plan_of_another_format_is_refused(data: Any) -> None:
    with pytest.raises(PlanFormatError, match="use the version of flowrunner that"):
        plan_from_data(data)


def test_places_are_in_the_file_that_they_were_in() -> None:
    ready = planned("task: call")
    used = Source("used.yaml", "chain: [task: call]", Path("used.yaml"))
    call = Call("use.chain[0]", "call", Location(used, 14, 18))
    root = plan.Chain("use", (call,), Location(ready.source, 0, 4))
    found = again(replace(ready, root=root, used=(used,)))
    assert [(each.location.source.name, each.location.text) for each in nodes(found.root)] == [
        ("test.yaml", "task"),
        ("used.yaml", "call"),
    ]
    assert [(each.name, each.text, each.path) for each in found.used] == [
        ("used.yaml", used.text, used.path)
    ]


def again_at(root: plan.Node) -> plan.Node:
    ready = replace(plan_of(root), source=AT.source)
    return again(ready).root


@pytest.mark.parametrize("name", DYNAMIC)
def test_what_run_time_decides_is_read_as_it_was(name: str) -> None:
    assert again_at(DYNAMIC[name]) == DYNAMIC[name]


@given(trees())
def test_any_plan_that_unfolds_is_read_as_it_was(tree: Any) -> None:
    root = built(tree, "r")
    assert again_at(root) == root


lookalikes = st.recursive(
    st.none() | st.integers() | st.just(later("${prev}")) | st.sampled_from(["$", "is", "plain"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$", "is", "plain", "Deferred"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(lookalikes, max_size=3))
def test_values_that_look_like_deferred_ones_stay_values(given_values: list[Any]) -> None:
    root = Call("c", "tag", AT, args=tuple(given_values), open=True)
    assert again_at(root) == root
    secret = plan.Secret("${env.TOKEN}", AT)
    hidden = Call("c", "tag", AT, args=(secret, *given_values), open=True)
    assert again_at(hidden) == hidden


def test_members_that_use_an_input_do_not_keep_it_each() -> None:
    do = "{chain: [call, {task: call, args: ['${[inputs.rows[item], prev]}']}]}"
    text = f"{{inputs: {{rows: []}}, each: '${{range(len(inputs.rows))}}', do: {do}}}"
    ready = planned(text, {"rows": str(list(range(300)))})
    assert len(str(plan_to_data(ready))) < 300_000
    read = again(ready)
    assert read == replace(ready, source=read.source)


def test_a_chord_of_members_that_run_time_makes_is_read_as_it_was() -> None:
    text = "chain: [call x2, {chord: {header: {each: '${prev}', do: call}, body: amass}}]"
    assert again(planned(text)).root == planned(text).root
