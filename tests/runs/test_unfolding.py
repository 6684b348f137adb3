"""Runs that unfold, against what their plans mean, on an engine that is one loop."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowrunner import plan
from flowrunner.plan import Call, Deferred, Retry, Tolerance
from flowrunner.runs.ledger import FAILURE, SKIPPED, SUCCESS, Ledger, StepError
from flowrunner.runs.unfolding import Unfolding
from flowrunner.semantics import Failure, accumulate, evaluate
from flowrunner.source import Location, Source

AT = Location(Source("test.yaml", "…"), 0, 1)


def later(text: str, *, bare: bool = False, steps: dict[str, str] | None = None) -> Deferred:
    return Deferred(text, AT, bare=bare, steps=steps or {})


def call(path: str, task: str = "tag", *args: Any, **keys: Any) -> Call:
    return Call(path, task, AT, args=args, open=plan.is_open(args), **keys)


class Tasks:
    """Tasks that tell what they were given; ``fail`` fails, ``flaky`` only at first."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._flaky: dict[str, int] = {}

    def __call__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.calls.append(name)
        if name == "fail":
            raise ValueError("no")
        if name == "flaky":
            key = json.dumps(args)
            self._flaky[key] = self._flaky.get(key, 0) + 1
            if self._flaky[key] < 3:
                raise OSError("not yet")
        if name == "numbers":
            return [1, 2, 3]
        if name == "echo":
            return args[0] if args else None
        return [name, *args]


def unfolded(root: plan.Node, tasks: Tasks, *, most: list[int] | None = None) -> Unfolding:
    """Run a plan on an engine that takes the sections of each wave in their order."""
    ledger = Unfolding(root)
    waiting = list(ledger.begin())
    while waiting:
        if most is not None:
            most.append(len(waiting))
        section = waiting.pop(0)
        run_sequence(section, (), ledger, tasks)
        waiting += ledger.advance()
    assert ledger.ended
    return ledger


def run_sequence(
    sequence: plan.Sequence, previous: tuple[Any, ...], ledger: Ledger, tasks: Tasks
) -> tuple[Any, ...] | None:
    given: tuple[Any, ...] | None = previous
    for item in sequence:
        if isinstance(item, plan.Fork):
            values = [run_sequence(each, given or (), ledger, tasks) for each in item.members]
            if any(value is None for value in values):
                return None
            given = ([value[0] for value in values if value is not None],)
            item = item.join
        given = run_call(item, given or (), ledger, tasks)
        if given is None:
            return None
    return given


def run_call(
    made: Call, previous: tuple[Any, ...], ledger: Ledger, tasks: Tasks
) -> tuple[Any, ...] | None:
    args = made.args if made.immutable else (*previous, *made.args)
    try:
        if made.kind == "builtin":
            value: Any = accumulate(*args, **made.kwargs)
        else:
            value = tasks(made.task, args, dict(made.kwargs))
    except Exception as error:
        ledger.record(made.path, FAILURE, StepError(made, type(error).__name__, str(error)))
        return None
    ledger.record(made.path, SUCCESS, result=partial(json.loads, json.dumps(value)))
    return (json.loads(json.dumps(value)),)


def each(path: str, items: Any, do: plan.Node, **keys: Any) -> plan.Each:
    return plan.Each(path, items, do, "item", AT, **keys)


DYNAMIC = {
    "each over the previous result": plan.Chain(
        "c",
        (call("c[0]", "numbers"), each("c[1]", later("${prev}"), call("c[1][*]")), call("c[2]")),
        AT,
    ),
    "each with the item in an argument": each(
        "e", [1, 2], call("e[*]", "tag", later("${item + 1}"))
    ),
    "each of nothing": plan.Chain("c", (each("c[0]", [], call("c[0][*]")), call("c[1]")), AT),
    "each of no list": plan.Chain(
        "c", (call("c[0]"), each("c[1]", later("${prev[0]}"), call("c[1][*]")), call("c[2]")), AT
    ),
    "each in each": each(
        "e",
        [[1, 2], [], [3]],
        plan.Each("e[*].each", later("${item}"), call("e[*].each[*]"), "inner", AT),
    ),
    "when it is not so": plan.Chain(
        "c",
        (
            call("c[0]", "numbers"),
            plan.Switch(
                "c[1]",
                (plan.Branch(later("len(prev) > 3", bare=True), call("c[1]")),),
                None,
                AT,
                written="when",
            ),
            call("c[2]"),
        ),
        AT,
    ),
    "a condition that is no boolean": plan.Switch(
        "s", (plan.Branch(later("1 + 1", bare=True), call("s.0")),), call("s.1"), AT
    ),
    "an id": plan.Chain(
        "c",
        (
            plan.Named("c[0]", "ls", call("c[0]", "numbers"), AT),
            call("c[1]"),
            call("c[2]", "tag", later("${ls[0]}", steps={"ls": "c[0]"})),
        ),
        AT,
    ),
    "an argument that fails": plan.Group(
        "g", (call("g[0]", "tag", later("${1 // 0}")), call("g[1]")), AT
    ),
    "a failure is handled": plan.Chain(
        "c",
        (
            plan.Rescue(
                "c[0]",
                plan.Chain("c[0].chain", (call("a", "fail"), call("b")), AT),
                call("c[0].on_error", "echo"),
                AT,
            ),
            call("c[1]", "tag", later("${len(prev.errors)}")),
        ),
        AT,
    ),
    "a handler that fails": plan.Rescue("r", call("r", "fail"), call("r.on_error", "fail"), AT),
    "some may fail": plan.Chord(
        "c",
        plan.Group("c.header", (call("0", "fail"), call("1")), AT, tolerate=Tolerance(1)),
        call("c.body", "tag", later("${len(errors)}")),
        AT,
    ),
    "too many fail": plan.Group(
        "g", (call("0", "fail"), call("1"), call("2", "fail")), AT, tolerate=Tolerance(1)
    ),
    "made again": plan.Chain("c", (call("c[0]", "flaky", retry=Retry(2)), call("c[1]")), AT),
    "made again in vain": call("c", "fail", retry=Retry(2)),
    "not to be made again": call("c", "flaky", retry=Retry(2, never=("OSError",))),
    "a graph": plan.Graph(
        "g",
        (
            plan.GraphStep("a", (), call("a", "numbers")),
            plan.GraphStep("b", ("a",), call("b")),
            plan.GraphStep("c", (), call("c")),
            plan.GraphStep("d", ("a", "c"), call("d")),
            plan.GraphStep("e", ("b", "d"), call("e")),
        ),
        "e",
        AT,
    ),
    "a graph that fails": plan.Graph(
        "g",
        (
            plan.GraphStep("a", (), call("a", "fail")),
            plan.GraphStep("b", ("a",), call("b")),
            plan.GraphStep("c", (), call("c")),
            plan.GraphStep("d", ("b", "c"), call("d")),
        ),
        "d",
        AT,
    ),
    "another file": plan.Used(
        "u",
        {"n": later("${2 * 3}")},
        {"n": {"type": "integer"}},
        call("u", "tag", later("${inputs.n}")),
        AT,
    ),
    "another file that wants something else": plan.Used(
        "u", {"n": later("${2 / 3}")}, {"n": {"type": "integer"}}, call("u"), AT
    ),
    "outputs": plan.Chain(
        "c", (call("c[0]", "numbers"), plan.Constant("outputs", {"n": later("${prev[1]}")}, AT)), AT
    ),
    "an empty chain": plan.Chain("c", (plan.Skipped("c[0]", call("c[0]"), "when no", AT),), AT),
}


@pytest.mark.parametrize("name", DYNAMIC)
def test_it_gives_what_the_plan_means(name: str) -> None:
    assert_same(DYNAMIC[name])


def assert_same(root: plan.Node) -> None:
    meant_tasks, tasks = Tasks(), Tasks()
    ledger = unfolded(root, tasks)
    meant = evaluate(root, meant_tasks, describe=partial(described, ledger))
    assert sorted(tasks.calls) == sorted(meant_tasks.calls)
    if isinstance(meant, Failure):
        assert ledger.failed
        assert sorted(error.call.path for error in ledger.errors) == sorted(
            path for path, _ in meant.causes
        )
    else:
        assert not ledger.failed
        assert not ledger.errors
        assert not ledger.skipped()
        assert ledger.value == meant


def described(ledger: Unfolding, path: str, failure: Failure) -> Any:
    made = {error.call.path: error for error in (*ledger.errors, *ledger.caught)}
    return ledger.described(path, [made[path] for path, _ in failure.causes])


def test_what_would_have_run_is_skipped() -> None:
    steps = (call("0", "fail"), call("1"), each("2", later("${prev}"), call("2[*]")), call("3"))
    ledger = unfolded(plan.Chain("c", steps, AT), Tasks())
    assert [step.path for step in ledger.skipped()] == ["1", "3"]
    assert ledger.steps["1"].state == SKIPPED


def test_no_more_run_at_a_time_than_their_group_says() -> None:
    members = tuple(call(str(number)) for number in range(10))
    waves: list[int] = []
    root = plan.Group("g", members, AT, max_parallel=3)
    ledger = unfolded(root, Tasks(), most=waves)
    assert max(waves) == 3
    assert ledger.value == [["tag"]] * 10


def test_sections_are_as_large_as_they_can_be() -> None:
    steps: Iterable[plan.Node] = (
        call("0", "numbers"),
        each("1", later("${prev}"), call("1[*]")),
        call("2"),
        call("3"),
    )
    waves: list[int] = []
    ledger = Unfolding(plan.Chain("c", tuple(steps), AT))
    (first,) = ledger.begin()
    run_sequence(first, (), ledger, Tasks())
    (second,) = ledger.advance()
    assert [type(item).__name__ for item in second] == ["Fork", "Call"]
    assert not waves


def trees(depth: int = 3) -> st.SearchStrategy[Any]:
    """Trees as nested tuples, which :func:`built` gives paths."""
    leaf = st.sampled_from(["tag", "fail", "numbers", "open", "flaky"])
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(st.just("chain"), st.lists(inner, max_size=3)),
            st.tuples(st.just("group"), st.lists(inner, max_size=3), st.integers(0, 2)),
            st.tuples(st.just("chord"), st.lists(inner, max_size=3), inner),
            st.tuples(st.just("each"), st.sampled_from([[], [1], [1, 2]]), inner),
            st.tuples(st.just("switch"), st.booleans(), inner, inner),
            st.tuples(st.just("rescue"), inner, inner),
            st.tuples(st.just("window"), st.lists(inner, max_size=3), st.integers(1, 2)),
        ),
        max_leaves=depth * 3,
    )


def built(tree: Any, path: str) -> plan.Node:
    match tree:
        case "open":
            return call(path, "tag", later("${1 + 1}"))
        case "flaky":
            return call(path, "flaky", path, retry=Retry(2))
        case str():
            return call(path, tree)
        case ("chain", steps):
            inner = tuple(built(step, f"{path}.{k}") for k, step in enumerate(steps))
            return plan.Chain(path, inner, AT)
        case ("group", members, most):
            inner = tuple(built(each, f"{path}.{k}") for k, each in enumerate(members))
            return plan.Group(path, inner, AT, tolerate=Tolerance(most) if most else None)
        case ("window", members, most):
            inner = tuple(built(each, f"{path}.{k}") for k, each in enumerate(members))
            return plan.Group(path, inner, AT, max_parallel=most)
        case ("chord", members, body):
            inner = tuple(built(each, f"{path}.h.{k}") for k, each in enumerate(members))
            header = plan.Group(f"{path}.h", inner, AT)
            return plan.Chord(path, header, built(body, f"{path}.b"), AT)
        case ("each", items, do):
            name = f"item{path.count('.')}"
            return plan.Each(path, later(f"${{{items}}}"), built(do, f"{path}[*].d"), name, AT)
        case ("switch", holds, do, otherwise):
            when = later(f"{len(path)} > 0 and {str(holds).lower()}", bare=True)
            branch = plan.Branch(when, built(do, f"{path}.0"))
            return plan.Switch(path, (branch,), built(otherwise, f"{path}.1"), AT)
        case ("rescue", step, handler):
            return plan.Rescue(path, built(step, f"{path}.s"), built(handler, f"{path}.e"), AT)
    raise AssertionError(tree)


@given(trees())
def test_any_plan_gives_what_it_means(tree: Any) -> None:
    assert_same(built(tree, "r"))
