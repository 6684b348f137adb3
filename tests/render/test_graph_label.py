"""How calls read in a graph, and which siblings are shown as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from flowrunner.plan import Call, Chain, Group, Node, Repeat
from flowrunner.render.label import call_label, chunks_label
from flowrunner.render.stack import More, Stack, abridged, members_of
from flowrunner.render.value import named_values, shown_name
from flowrunner.source import Location, Source

HERE = Location(Source("workflow.yaml", "power\n"), 0, 5)


def call(*args: Any, task: str = "power", **keys: Any) -> Call:
    return Call("step", task, HERE, args, **keys)


def fan_out(*values: Any, index: str = "i", **keys: Any) -> Stack:
    """Return a stack whose calls are each given one of the values, or nothing at all."""
    calls = (
        call(*([] if value is None else [value]), index=number, **keys)
        for number, value in enumerate(values)
    )
    return Stack(tuple(calls), len(values), index)


def label(stack: Stack) -> str:
    calls = [node for node in stack.nodes if isinstance(node, Call)]
    shown = call_label(stack, calls)
    return " · ".join([shown.text, *shown.notes])


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (call(), "power"),
        (call(3), "power(3)"),
        (call(3, kwargs={"expo": 2}), "power(3, expo=2)"),
        (call(None, True, 1.5, "a b"), 'power(null, true, 1.5, "a b")'),
        (call([], {}, [1, [2, 3]], {"a": None}), 'power([], {}, [1, [2, 3]], {"a": null})'),
        (call((1, 2)), "power([1, 2])"),
        (call("x" * 1000), 'power("' + "x" * 39 + '…")'),
        (call(list(range(1000))), "power([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 988 more])"),
        (call({"k" * 100: 1, "other": 2}), 'power({"' + "k" * 39 + '…": 1, … 1 more})'),
        (call(*range(100)), "power(" + ", ".join(map(str, range(17))) + ", …)"),
        (call(10**50), "power(1" + "0" * 38 + "…)"),
        (call("é 名 🎉"), 'power("é 名 🎉")'),
        (call("a\n\t\x1b\x9b\u202e\ud800"), 'power("a\\n\\t\\u001b\\u009b\\u202e\\ud800")'),
        (call(options={"queue": "cpu", "priority": 3}), "power · queue=cpu · priority=3"),
        (call(options={"queue": "true or not"}), 'power · queue="true or not"'),
        (call(options={"routing_key": "7"}), 'power · routing_key="7"'),
        (call(id="total"), "power · id=total"),
        (call(1, 2, kind="map", task="negate"), "map negate over 2 items"),
        (call([1, 2], kind="starmap"), "starmap power over 1 item"),
        (call(task="a.b.c\n"), "a.b.c\\u000a"),
    ],
)
def test_call(subject: Call, text: str) -> None:
    assert label(Stack((subject,))) == text


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (fan_out(0, 1, 2), "power · i = 0…2"),
        (fan_out(0), "power · i = 0"),
        (fan_out(0, 1, 2, index="seed"), "power · seed = 0…2"),
        (fan_out(0, 1, kwargs={"expo": 2}), "power(i, expo=2) · i = 0…1"),
        (fan_out(None, None), "power"),
        (fan_out(7, 7, 7), "power(7)"),
        (fan_out(1, 2, 3, 4), "power(1…4)"),
        (fan_out(5, 7), "power(5|7)"),
        (fan_out(5, 6), "power(5|6)"),
        (fan_out(0, 2, 4), "power(0|2|4)"),
        (fan_out(0, 2, 4, 6), "power(0|2|…|6)"),
        (fan_out(3, 2, 1, 0), "power(3|2|…|0)"),
        (fan_out("a", "b", "a", "b"), 'power("a"|"b")'),
        (fan_out("a", "b", "c", "d", "a"), 'power("a"|"b"|…)'),
        (fan_out(1, 1.0, True), "power(1|1.0|true)"),
        (fan_out(0, True, 2), "power(0|true|2)"),
        (fan_out("first of many", "2" * 40), 'power("first of many"|"2222222222222…")'),
        (Stack((call(1, index=0), call(1, 2, index=1)), 2, "i"), "power(…)"),
        (
            Stack((call(options={"queue": "a"}), call(options={"queue": "b"})), 2),
            "power · queue=a|b",
        ),
    ],
)
def test_calls_side_by_side(subject: Stack, text: str) -> None:
    assert label(subject) == text


def chunks(sizes: Sequence[int]) -> Group:
    batches = tuple(tuple([item] for item in range(size)) for size in sizes)
    member = call(kind="starmap")
    fan_out = Repeat("chunks", member, len(batches), "batch", HERE, {"args": batches})
    return Group("chunks", (fan_out,), HERE, batched=True)


@pytest.mark.parametrize(
    ("sizes", "note"),
    [
        ([], "no items"),
        ([1], "1 item in 1 batch"),
        ([10, 10, 10, 10], "40 items in 4 batches of 10"),
        ([10, 10, 2], "22 items in 3 batches of up to 10"),
    ],
)
def test_chunks(sizes: list[int], note: str) -> None:
    assert chunks_label([chunks(sizes)]).notes == (note,)


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ([call(1)], [None]),
        ([call(1)] * 4, [None] * 4),
        ([call(1)] * 5, [5]),
        ([call(number) for number in range(9)], [9]),
        ([Chain("c", (call(number), call()), HERE) for number in range(9)], [9]),
        # Another number of arguments, keyword, option, id or task is another shape.
        ([*[call(1)] * 5, call(1, 2), *[call(1)] * 5], [5, None, 5]),
        ([*[call(1)] * 5, *[call(1, kwargs={"expo": 2})] * 5], [5, 5]),
        ([*[call(1)] * 5, *[call(1, options={"queue": "a"})] * 5], [5, 5]),
        ([*[call(1)] * 5, *[call(1, immutable=True)] * 5], [5, 5]),
        ([call(id=f"step{number}") for number in range(6)], [None] * 6),
        ([*[call(1)] * 5, *[call(1, task="negate")] * 5], [5, 5]),
        ([Repeat("r", call(0), 3, "i", HERE) for _ in range(6)], [3] * 6),
        ([Repeat("r", call(), 0, "i", HERE), call(1)], [0, None]),
        ([Group("g", (call(1),) * size, HERE) for size in (1, 2, 3, 4, 5, 6)], [None] * 6),
    ],
)
def test_members_of_one_shape_are_stacked(
    members: list[Node | Repeat], counts: list[int | None]
) -> None:
    stacks = members_of([Group("group", tuple(members), HERE)], expand=False)
    assert [stack.count for stack in stacks] == counts


def test_batches_of_other_sizes_are_another_shape() -> None:
    members = tuple(chunks((4, 4, last)) for last in [4] * 5 + [3] * 5)
    stacks = members_of([Group("group", members, HERE)], expand=False)
    assert [stack.count for stack in stacks] == [5, 5]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, []),
        (20, [*range(20)]),
        (21, [*range(18), More(2), 20]),
        (1000, [*range(18), More(981), 999]),
    ],
)
def test_long_lists_are_abridged(count: int, shown: list[object]) -> None:
    assert abridged(range(count), expand=False) == shown
    assert abridged(range(count), expand=True) == [*range(count)]


def test_names_and_inputs_fit_a_line() -> None:
    assert shown_name("n" * 100) == "n" * 59 + "…"
    assert named_values({"month": "2025-11", "limit": 3}.items()) == 'month="2025-11", limit=3'
    assert len(named_values((f"input_{number}", number) for number in range(1000))) < 80
