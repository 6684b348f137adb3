"""Random plans: nested chains, groups and chords with every kind of call at the leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from flowrunner import plan
from flowrunner.planner.continuations import sequence_of
from flowrunner.planner.normal_form import normal_form
from flowrunner.source import Location, Source
from flowrunner.tasks import TaskRegistry

SOURCE = Source("shape.yaml", "")
HERE = Location(SOURCE, 0, 0)


class PlannedFailureError(Exception):
    """What the task ``fail`` raises."""


def tag(*args: Any, **kwargs: Any) -> Any:
    """Return what it was called with, so that a value tells how it was made."""
    return {"args": args, "kwargs": kwargs} if kwargs else list(args)


def fail(*_: Any, **__: Any) -> Any:
    """Raise."""
    raise PlannedFailureError("planned")


def registry() -> TaskRegistry:
    """Return a registry of the tasks that the shapes call."""
    tasks = TaskRegistry()
    for function in (tag, fail):
        tasks.for_plugin("shapes").add(function)
    return tasks


def call_task(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a task of the shapes directly."""
    return {"tag": tag, "fail": fail}[name](*args, **kwargs)


def plan_of(root: plan.Node) -> plan.Plan:
    """Return a plan of a tree."""
    return plan.Plan("shape", SOURCE, root, *sequence_of(root))


def calls() -> st.SearchStrategy[plan.Call]:
    """Return calls with distinct labels as arguments; paths are set by :func:`with_paths`."""
    label = st.integers(0, 9)
    task = st.builds(
        lambda label, immutable, keyword: plan.Call(
            "", "tag", HERE, args=(label,), immutable=immutable, kwargs={"k": 1} if keyword else {}
        ),
        label,
        st.booleans(),
        st.booleans(),
    )
    items = st.builds(
        lambda kind, count: plan.Call(
            "",
            "tag",
            HERE,
            kind=kind,
            immutable=True,
            args=tuple([n, n + 1] if kind == "starmap" else n for n in range(count)),
        ),
        st.sampled_from(["map", "starmap"]),
        st.integers(0, 3),
    )
    return st.one_of(task, task, task, items)


def trees(depth: int = 4, width: int = 4) -> st.SearchStrategy[plan.Node]:
    """Return plan trees nested up to ``depth``, each composite of 0 to ``width`` nodes."""
    if depth == 0:
        return calls()
    nodes = trees(depth - 1, width)
    members = st.lists(nodes, max_size=width).map(tuple)
    group = members.map(lambda nodes: plan.Group("", nodes, HERE))
    return st.one_of(
        calls(),
        members.map(lambda nodes: plan.Chain("", nodes, HERE)),
        group,
        st.builds(lambda header, body: plan.Chord("", header, body, HERE), group, nodes),
    )


def with_paths(node: plan.Node, path: str = "root") -> plan.Node:
    """Return the tree with a path of its own for every node."""
    match node:
        case plan.Call():
            return replace(node, path=path)
        case plan.Chain():
            steps = tuple(with_paths(step, f"{path}.{n}") for n, step in enumerate(node.steps))
            return replace(node, path=path, steps=steps)
        case plan.Group():
            members = tuple(
                with_paths(member, f"{path}.{n}") for n, member in enumerate(node.flat())
            )
            return replace(node, path=path, members=members)
        case plan.Chord():
            header = with_paths(node.header, f"{path}.header")
            assert isinstance(header, plan.Group)
            return replace(
                node, path=path, header=header, body=with_paths(node.body, f"{path}.body")
            )


def task_paths(node: plan.Node) -> Iterator[str]:
    """Yield the paths of the plain task calls of a tree."""
    for call in plan.calls_of(normal_form(node)):
        if call.kind == "task":
            yield call.path


def mapped(node: plan.Node, change: Callable[[plan.Call], plan.Call]) -> plan.Node:
    """Return the tree with each of its calls changed."""
    match node:
        case plan.Call():
            return change(node)
        case plan.Chain():
            return replace(node, steps=tuple(mapped(step, change) for step in node.steps))
        case plan.Group():
            return replace(node, members=tuple(mapped(each, change) for each in node.flat()))
        case plan.Chord():
            header = mapped(node.header, change)
            assert isinstance(header, plan.Group)
            return replace(node, header=header, body=mapped(node.body, change))


def with_failures(node: plan.Node, paths: frozenset[str]) -> plan.Node:
    """Return the tree with a failing task at each of these paths."""
    return mapped(node, lambda call: replace(call, task="fail") if call.path in paths else call)


@st.composite
def shapes(draw: st.DrawFn) -> plan.Node:
    """Return a whole tree with paths."""
    return with_paths(draw(trees()))


@st.composite
def failing_shapes(draw: st.DrawFn) -> plan.Node:
    """Return a tree with one or more failing tasks, wherever they are."""
    tree = draw(shapes().filter(lambda node: any(task_paths(node))))
    paths = sorted(set(task_paths(tree)))
    failing = draw(st.sets(st.sampled_from(paths), min_size=1, max_size=3))
    return with_failures(tree, frozenset(failing))
