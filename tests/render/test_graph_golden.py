"""Plans and what each graph format shows of them: read the files in ``golden/``.

``UPDATE_GOLDEN=1 pytest tests/render`` writes them anew; read each before you keep it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from flowrunner.model import HandlerName
from flowrunner.plan import Call, Chain, Chord, Group, Handler, Node, Plan, Repeat
from flowrunner.planner.continuations import sequence_of
from flowrunner.render.graph import GRAPH_FORMATS
from flowrunner.source import Location, Source
from tests.render.golden_file import assert_golden

SOURCE = Source("workflow.yaml", "chord:\n  header: power x10\n  body: amass\n")
TOP, HEADER, BODY = (Location(SOURCE, start, start + 5) for start in (0, 17, 35))


def call(task: str, *args: Any, path: str = "step", at: Location = TOP, **keys: Any) -> Call:
    return Call(path, task, at, args, **keys)


def repeat(task: str, count: int, *, index: str = "i", path: str = "header", **keys: Any) -> Repeat:
    return Repeat(path, Call(path, task, HEADER, **keys), count, index, HEADER, numbered=True)


def chain(*steps: Node) -> Chain:
    return Chain("chain", steps, TOP)


def group(*members: Node | Repeat, batched: bool = False) -> Group:
    return Group("group", members, TOP, batched)


def chord(*header: Node | Repeat, body: Node) -> Chord:
    return Chord("chord", Group("header", header, HEADER), body, TOP)


def chunks(task: str, items: int, size: int, **keys: Any) -> Group:
    ranges = (range(start, min(start + size, items)) for start in range(0, items, size))
    batches = tuple(tuple([item] for item in batch) for batch in ranges)
    member = call(task, kind="starmap", **keys)
    fan_out = Repeat("chunks", member, len(batches), "batch", TOP, {"args": batches})
    return group(fan_out, batched=True)


def plan(name: str, root: Node, **keys: Any) -> Plan:
    return Plan(name, SOURCE, root, *sequence_of(root), **keys)


def handler(name: HandlerName, root: Node) -> Handler:
    return Handler(name, root, *sequence_of(root, has_input=True))


def powersum() -> Plan:
    return plan("powersum", chord(repeat("power", 10), body=call("amass", path="body", at=BODY)))


def powersum_negated() -> Plan:
    chains = (chain(call("power", value), call("negate")) for value in range(10))
    return plan("powersum-negated", chord(*chains, body=call("amass")))


def nested() -> Plan:
    inner = chord(call("power", 2), call("power", 3), call("power", 4), body=call("amass"))
    root = chord(
        inner,
        chain(call("power", 5, kwargs={"expo": 3}), call("negate")),
        repeat("power", 10, kwargs={"expo": 2}),
        group(call("power", 6), call("power", 7)),
        body=chain(call("flatten"), chord(repeat("negate", 2), body=call("amass")), call("negate")),
    )
    return plan("nested", root)


def every_kind() -> Plan:
    """One chain with each kind of step, and the keys that a call can have."""
    root = chain(
        call("fetch", "https://example.org/subscribers.csv", options={"queue": "io"}, id="source"),
        call("clean", kwargs={"columns": ["name", "street", "town", "amount"], "strict": True}),
        call("log", "cleaned", immutable=True),
        call("negate", 1, 2, 3, kind="map"),
        call("power", [2, 3], kind="starmap"),
        chunks("slow_power", 42, 10, options={"priority": 3}),
        group(call("sum"), call("count"), repeat("sample", 4, index="seed")),
        call("report", options={"queue": "cpu", "countdown": 5, "headers": {"tenant": "blue"}}),
        repeat_group("mail", 3),
    )
    inputs = {"month": "2025-11", "limit": 100}
    return plan("every-kind", root, description="Each kind of step.", inputs=inputs, timeout=90.0)


def repeat_group(task: str, count: int) -> Group:
    return group(repeat(task, count))


def stacked() -> Plan:
    """What is written out many times in one shape is shown once."""

    def month(number: int, region: str) -> Chord:
        header = (call("sales", number, region), repeat("sample", 100))
        return chord(*header, body=chain(call("merge", number * number), repeat_group("store", 2)))

    regions = ("north", "east", "south", "west", "centre", "abroad")
    months = (month(number, region) for number, region in enumerate(regions, start=1))
    root = chain(group(*months), call("publish", kwargs={"to": "s3://bucket/of/the/yearly/report"}))
    return plan("stacked", root)


def abridged() -> Plan:
    """Many siblings that differ: the first and the last are shown."""
    different = (call(f"task_{number % 7}", number) for number in range(1000))
    steps = (call(f"step_{number}") for number in range(30))
    return plan("abridged", chain(group(*different), *steps))


def empties() -> Plan:
    root = chain(
        group(),
        chain(),
        call("first"),
        group(call("only")),
        group(group(repeat("inner", 2))),
        chord(call("single"), body=group(call("lone"))),
        chord(group(repeat("deep", 2)), body=group(repeat("none", 0))),
        group(chain(), repeat("once", 1)),
        chunks("nothing", 0, 10),
        chunks("few", 3, 10),
    )
    return plan("empties", root)


def hostile() -> Plan:
    """Names and values that mean something to mermaid, Graphviz, HTML or a terminal."""
    root = chain(
        call("end", 'say "hi"', "[a](b) {c} |d| <b>e</b> &lt; #35; 100%"),
        call("__init__", "back\\slash\\N", "line\nbreak", "\x1b[31mred\u202e", id="end"),
        call("größe", "名前", kwargs={"emoji": "🎉", "$$x$$": "`md` *bold* ~s~ www.x.org 1. a"}),
        call("請求書を作る", options={"queue": "a b"}),
        call("style", "x:y#z;w", immutable=True),
    )
    return plan('end "of" <the> \\ #line', root, inputs={"Ünïcode": "a\tb"})


def handlers() -> Plan:
    """A workflow with both handlers, one of them a chain and one side by side."""
    main = chord(repeat("power", 10), body=call("amass", path="body", at=BODY))
    mail = call("mail", "admin@example.org", path="on_error.chain[0]")
    sweep = call("sweep", immutable=True, path="finally.group[1]")
    return plan(
        "handlers",
        main,
        timeout=60.0,
        handlers=(
            handler("on_error", chain(mail, call("record", path="on_error.chain[1]"))),
            handler("finally", group(call("note", path="finally.group[0]"), sweep)),
        ),
    )


PLANS: dict[str, Callable[[], Plan]] = {
    "powersum": powersum,
    "powersum-negated": powersum_negated,
    "nested": nested,
    "every-kind": every_kind,
    "stacked": stacked,
    "abridged": abridged,
    "empties": empties,
    "hostile": hostile,
    "handlers": handlers,
}

COLLAPSED = [(name, kind, False) for name in PLANS for kind in ("tree", "mermaid", "dot")]
EXPANDED = [
    (name, kind, True) for name in ("powersum", "every-kind") for kind in ("tree", "mermaid", "dot")
]
DOCUMENTS = [
    *(("powersum", "json", False), ("powersum", "json", True)),
    *(("empties", "json", False), ("handlers", "json", False)),
]


@pytest.mark.parametrize(("name", "kind", "expand"), COLLAPSED + EXPANDED + DOCUMENTS)
def test_format_shows_the_plan(name: str, kind: str, expand: bool) -> None:
    assert_golden(name, kind, GRAPH_FORMATS[kind](PLANS[name](), expand), expand=expand)


def test_tree_of_powersum_is_the_one_of_the_design() -> None:
    assert GRAPH_FORMATS["tree"](powersum(), False) == (
        "powersum\n"
        "└─ chord\n"
        "   ├─ header  power ×10   i = 0…9\n"
        "   └─ body    amass       ← list of 10\n"
        "11 tasks · 11 messages · about 14.6 KB · largest about 1.3 KB\n"
        "one canvas for plain Celery workers (continuations would save less than 250 KB)"
    )


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("expand", [False, True])
def test_json_is_one_object_with_the_counts_of_the_plan(name: str, expand: bool) -> None:
    subject = PLANS[name]()
    document = json.loads(GRAPH_FORMATS["json"](subject, expand))
    assert document["workflow"] == subject.name
    assert document["tasks"] == subject.task_count
    assert document["messages"] == subject.cost.messages
    assert document["inputs"] == subject.inputs


#: Functions, since every process that collects this file would build these plans.
WIDE: dict[str, Callable[[], list[Node | Repeat]]] = {
    "fan-out": lambda: [repeat("power", 100_000)],
    "calls": lambda: [call("power", number) for number in range(100_000)],
    "chains": lambda: [chain(call("power", number), call("negate")) for number in range(50_000)],
    "different": lambda: [call(f"power_{number}") for number in range(100_000)],
}


@pytest.mark.parametrize("name", WIDE)
def test_a_wide_plan_stays_short(name: str) -> None:
    wide = plan("wide", chord(*WIDE[name](), body=call("amass")))
    for kind in ("tree", "mermaid", "dot"):
        assert len(GRAPH_FORMATS[kind](wide, False).splitlines()) < 60, kind


def test_continuations_of_a_handler_are_told_though_the_main_part_has_none() -> None:
    steps = (
        chord(*(call("t", path=f"{n}.{m}") for m in range(50)), body=call("t", path=f"{n}"))
        for n in range(20)
    )
    subject = plan("long", call("t"), handlers=(handler("finally", chain(*steps)),))
    last = GRAPH_FORMATS["tree"](subject, False).splitlines()[-1]
    assert last.startswith("finally: 1,020 tasks, 1,0")
    assert last.endswith(" continuations (for workers with flowrunner)")


@pytest.mark.parametrize("kind", GRAPH_FORMATS)
def test_expanded_shows_every_call(kind: str) -> None:
    subject = plan("wide", chord(repeat("power", 5_000), body=call("amass")))
    assert len(GRAPH_FORMATS[kind](subject, True).splitlines()) > 5_000


@pytest.mark.parametrize("kind", GRAPH_FORMATS)
def test_deep_nesting_is_shown(kind: str) -> None:
    root: Node = call("power")
    for _ in range(100):
        root = chain(root, call("negate"))
    assert GRAPH_FORMATS[kind](plan("deep", root), False).count("negate") == 100
