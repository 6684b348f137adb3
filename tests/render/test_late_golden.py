"""Plans that run time decides parts of, and what each graph format shows of them.

Read the files in ``golden/``; ``UPDATE_GOLDEN=1 pytest tests/render`` writes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from flowrunner import plan
from flowrunner.plan import Call, Deferred, Node, Plan, Retry, Secret, Tolerance
from flowrunner.planner.continuations import sequence_of
from flowrunner.render.graph import GRAPH_FORMATS
from flowrunner.runs.plan_data import plan_from_data, plan_to_data
from flowrunner.source import Location, Source
from tests.planner.planning import planned
from tests.render.golden_file import assert_golden
from tests.unfolding import DYNAMIC

SOURCE = Source("workflow.yaml", "chain: [list, resize, publish]\n")
OTHER = Source("steps/resize.yaml", "task: resize\n")
HERE, THERE = Location(SOURCE, 0, 5), Location(OTHER, 0, 4)


def late(text: str, *, bare: bool = False, **steps: str) -> Deferred:
    return Deferred(text, HERE, steps=steps, bare=bare)


def call(path: str, task: str, *args: Any, at: Location = HERE, **keys: Any) -> Call:
    is_open = plan.is_open(args) or plan.is_open(keys.get("kwargs", {}))
    return Call(path, task, at, args, open=is_open, **keys)


def chain(path: str, *steps: Node, at: Location = HERE) -> plan.Chain:
    return plan.Chain(path, steps, at)


def when(text: str, step: Node) -> plan.Switch:
    branch = plan.Branch(late(text, bare=True), step)
    return plan.Switch(step.path, (branch,), None, HERE, written="when")


def whole(name: str, root: Node, **keys: Any) -> Plan:
    return Plan(name, SOURCE, root, *sequence_of(root), **keys)


def each_known() -> Plan:
    """Items that are known: members that are alike are one line, the others have their own."""
    return planned(
        "name: each-known\n"
        "chain:\n"
        "- each: [a.png, b.png, c d.png]\n"
        "  do: {task: call, kwargs: {size: 100}}\n"
        "- {each: '${range(1, 13)}', as: month, max_parallel: 3, do: {chain: [call, call]}}\n"
        "- {each: [solo], do: call}\n"
        "- {each: [], do: call}\n"
        "- {each: [a, b, c], do: {task: call, when: item != 'a'}}\n"
        "- {each: [[1, 2], [3, 4]], as: row, do: {each: '${row}', do: {chain: [call, call]}}}\n"
        "- chord: {header: {each: [1, 2], do: call}, body: amass}\n"
    )


def each_late() -> Plan:
    """Items that run time gives, with a template beneath; what it uses; what may fail."""
    resize = call(
        "chain[1].each[*].chain[0]",
        "resize",
        late("${item}"),
        "file-${x}",
        late("file-${item}.png"),
        retry=Retry(3, 2, 2, 60, "full", ("TimeoutError", "OSError"), ("IOError",)),
    )
    notify = call("chain[1].each[*].chain[1]", "notify", late("${ls.owner}", ls="chain[0]"))
    template = chain(
        "chain[1].each[*].chain",
        resize,
        plan.Rescue(notify.path, when("item.size > 3", notify), call("x.on_error", "log"), HERE),
    )
    keys: Any = {"max_parallel": 4, "tolerate": Tolerance(5, True)}
    fan_out = plan.Each("chain[1].each", late("${ls.files}", ls="chain[0]"), template, "item", HERE)
    simple = plan.Each(
        "h.each", late("${prev}"), call("h.each[*]", "count"), "n", HERE, tolerate=Tolerance(2)
    )
    root = chain(
        "chain",
        plan.Named("chain[0]", "ls", call("chain[0]", "list", id="ls"), HERE),
        replace(fan_out, **keys),
        plan.Chord("chain[2].chord", simple, call("b", "report", late("${errors}")), HERE),
    )
    return whole("each-late", root, timeout=90.0)


def choices() -> Plan:
    """Conditions of run time, and steps that are known not to run."""
    long = "prev.rows > 1000 and prev.rows < 1000000 or prev.name == 'a\\nb'"
    switch = plan.Switch(
        "chain[1].switch",
        (
            plan.Branch(
                late("prev.rows > 3", bare=True),
                chain("a", call("a0", "load"), call("a1", "index")),
            ),
            plan.Branch(late(long, bare=True), call("b", "split")),
        ),
        call("c", "load"),
        HERE,
    )
    open_end = plan.Switch(
        "chain[3].switch",
        (
            plan.Branch(
                late("prev == 7", bare=True),
                plan.Group("g", (call("d", "x"), call("e", "y")), HERE),
            ),
        ),
        None,
        HERE,
    )
    skipped = plan.Skipped(
        "chain[2]",
        chain("chain[2].chain", call("s", "mail")),
        "when inputs.mail and not inputs.quiet",
        HERE,
    )
    return whole(
        "choices",
        chain(
            "chain",
            call("chain[0]", "fetch"),
            switch,
            skipped,
            open_end,
            when("prev > 100", chain("w", call("w0", "audit"), call("w1", "sign"))),
            plan.Skipped("chain[5]", call("chain[5]", "archive"), "when false", HERE),
            call("chain[6]", "publish"),
        ),
        inputs={"mail": False, "quiet": False},
    )


def needs() -> Plan:
    """A graph that is no chain and no group."""
    steps = (
        plan.GraphStep("extract", (), call("graph.extract", "extract", retry=Retry(2))),
        plan.GraphStep("clean", ("extract",), call("graph.clean", "clean")),
        plan.GraphStep("rates", (), call("graph.rates", "rates", immutable=True)),
        plan.GraphStep("priced", ("clean", "rates"), call("graph.priced", "price")),
        plan.GraphStep(
            "summary",
            ("extract", "priced"),
            plan.Group("graph.summary", (call("s0", "sum"), call("s1", "chart")), HERE),
        ),
    )
    return whole("needs", plan.Graph("graph", steps, "summary", HERE))


def used() -> Plan:
    """Other files, with inputs that are known and others that are not; outputs; secrets."""
    inner = chain(
        "chain[1].use.chain",
        call("chain[1].use.chain[0]", "resize", late("${inputs.size}"), at=THERE),
        call("chain[1].use.chain[1]", "save", at=THERE),
        at=THERE,
    )
    outputs = plan.Constant("chain[1].use.outputs", {"path": late("${prev.path}")}, THERE)
    use = plan.Used(
        "chain[1].use",
        {"size": late("${prev.size * 2}"), "kind": "png"},
        {"size": {"type": "integer"}},
        chain("chain[1].use", inner, outputs, at=THERE),
        HERE,
    )
    token = Secret("${env.TOKEN}", HERE)
    upload = call(
        "chain[3]",
        "upload",
        kwargs={"token": token, "headers": {"Authorization": Secret("Bearer ${env.TOKEN}", HERE)}},
    )
    root = chain(
        "",
        chain(
            "chain",
            plan.Named("chain[0]", "found", call("chain[0]", "find"), HERE),
            use,
            call("chain[2].use", "resize", 100, at=THERE),
            upload,
        ),
        plan.Constant(
            "outputs",
            {
                "count": late("${len(found)}", found="chain[0]"),
                "first": late("${found[0]}", found="chain[0]"),
                "text": "two\nlines",
                "url": late("https://${prev.host}/${prev.path}"),
            },
            HERE,
        ),
    )
    return whole("used", root, inputs={"token": token, "limit": 3}, used=(OTHER,), env=("TOKEN",))


def hostile() -> Plan:
    """Expressions, names and reasons that mean something to the formats."""
    wild = 'prev[\'"<b>|x|"\'] == "]-->" and `1` or {} #35; \x1b[31m\u202e\n%%'
    template = chain("t", call("t0", "end", late(f"${{{wild}}}")), call("t1", "end"))
    root = chain(
        "c",
        plan.Named("c[0]", "größe", call("c[0]", "subgraph"), HERE),
        when(wild, call("c[1]", "請求書を作る")),
        plan.Switch(
            "s",
            (plan.Branch(late(wild, bare=True), call("s0", "style")),),
            plan.Skipped("s1", call("s1", "class"), f"when {wild}", HERE),
            HERE,
        ),
        plan.Each("c[2].each", late(f"${{{wild}}}"), template, "名前", HERE),
        plan.Rescue("c[3]", call("c[3]", "x"), call("c[3].on_error", '"]'), HERE),
        plan.Graph("g", (plan.GraphStep('a"|b', (), call("g0", "end")),), 'a"|b', HERE),
        plan.Constant("outputs", {'"<i>': late("${größe}", größe="c[0]")}, HERE),
    )
    return whole("hostile-late", root)


PLANS: dict[str, Callable[[], Plan]] = {
    "each-known": each_known,
    "each-late": each_late,
    "choices": choices,
    "needs": needs,
    "used": used,
    "hostile-late": hostile,
}
CASES = [(name, kind, False) for name in PLANS for kind in ("tree", "mermaid", "dot")]
DOCUMENTS = [(name, "json", False) for name in ("each-late", "choices", "used")]


@pytest.mark.parametrize(
    ("name", "kind", "expand"), [*CASES, *DOCUMENTS, ("each-known", "tree", True)]
)
def test_format_shows_the_plan(name: str, kind: str, expand: bool) -> None:
    assert_golden(name, kind, GRAPH_FORMATS[kind](PLANS[name](), expand), expand=expand)


@pytest.mark.parametrize("kind", GRAPH_FORMATS)
@pytest.mark.parametrize("name", DYNAMIC)
def test_every_plan_that_unfolds_is_shown(name: str, kind: str) -> None:
    root: Node = DYNAMIC[name]  # type: ignore[assignment]
    subject = whole(name, root)
    assert GRAPH_FORMATS[kind](subject, False)
    assert GRAPH_FORMATS[kind](subject, True)


@pytest.mark.parametrize("kind", ["tree", "mermaid", "dot"])
@pytest.mark.parametrize("name", ["used", "each-late", "hostile-late"])
def test_every_line_can_be_printed(kind: str, name: str) -> None:
    text = GRAPH_FORMATS[kind](PLANS[name](), False)
    assert all(line.isprintable() for line in text.splitlines())


def test_mappings_that_look_like_what_is_not_known_yet_stay_apart_in_json() -> None:
    data = {"$expression": 1, "$$secret": 2, "$ref": 3}
    root = call("c", "t", data, late("${prev}"), [Secret("${env.A}", HERE)])
    document = json.loads(GRAPH_FORMATS["json"](whole("w", root), False))
    assert document["root"]["args"] == [
        {"$$expression": 1, "$$$secret": 2, "$ref": 3},
        {"$expression": "${prev}"},
        [{"$secret": "${env.A}"}],
    ]


def test_a_wide_each_stays_short() -> None:
    members = tuple(
        plan.Given(f"each[{n}]", n, call(f"each[{n}]", "t"), HERE) for n in range(5_000)
    )
    wide = whole("wide", plan.Group("each", members, HERE))
    for kind in ("tree", "mermaid", "dot"):
        assert len(GRAPH_FORMATS[kind](wide, False).splitlines()) < 10, kind


@pytest.mark.parametrize("kind", GRAPH_FORMATS)
def test_deep_nesting_is_shown(kind: str) -> None:
    root: Node = call("c", "deepest")
    for number in range(25):
        root = when("prev == 1", root)
        root = plan.Named(f"n{number}", f"n{number}", root, HERE)
        root = plan.Rescue("r", root, call("r.on_error", "log"), HERE)
        root = plan.Each("e", late("${prev}"), root, "item", HERE)
    assert "deepest" in GRAPH_FORMATS[kind](whole("deep", root), False)


def test_the_name_of_items_is_kept_in_a_plans_data() -> None:
    ready = planned("{each: [a, b], as: letter, do: call}")
    again = plan_from_data(plan_to_data(ready))
    assert GRAPH_FORMATS["tree"](again, False) == GRAPH_FORMATS["tree"](ready, False)
    assert "letter = a, b" in GRAPH_FORMATS["tree"](again, False)
