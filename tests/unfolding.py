"""Plans that unfold: by hand, and random ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from flowrunner import plan
from flowrunner.plan import Call, Deferred, Retry, Tolerance
from flowrunner.source import Location, Source
from tests.drawing import Choices, decoded

AT = Location(Source("test.yaml", "…"), 0, 1)
#: How deep a random tree is nested.
MOST_NESTED = 3


def later(text: str, *, bare: bool = False, steps: dict[str, str] | None = None) -> Deferred:
    return Deferred(text, AT, bare=bare, steps=steps or {})


def call(path: str, task: str = "tag", *args: Any, **keys: Any) -> Call:
    return Call(path, task, AT, args=args, open=plan.is_open(args), **keys)


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


def trees(*, flaky: bool = True) -> st.SearchStrategy[Any]:
    """Trees as nested tuples, which :func:`built` gives paths."""
    leaves = ["tag", "fail", "numbers", "open", *(["flaky"] if flaky else [])]
    return decoded(lambda choices: _drawn(choices, leaves, MOST_NESTED))


def _drawn(choices: Choices, leaves: list[str], depth: int) -> Any:
    def inner() -> Any:
        return _drawn(choices, leaves, depth - 1)

    def several() -> list[Any]:
        return choices.several(inner, 3)

    kind = choices.below(8 if depth == MOST_NESTED else 11) if depth else 0
    match kind:
        case 1:
            return ("chain", several())
        case 2:
            return ("group", several(), choices.below(3))
        case 3:
            return ("chord", several(), inner())
        case 4:
            return ("each", choices.of([[], [1], [1, 2]]), inner())
        case 5:
            return ("switch", bool(choices.below(2)), inner(), inner())
        case 6:
            return ("rescue", inner(), inner())
        case 7:
            return ("window", several(), 1 + choices.below(2))
    return choices.of(leaves)


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
