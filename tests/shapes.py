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
from tests.drawing import Choices, decoded

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


def drawn_call(choices: Choices) -> plan.Call:
    """Return a call with a label as its argument; :func:`with_paths` sets its path."""
    kind = choices.below(4)
    if kind < 3:
        label, flags = choices.below(10), choices.below(4)
        kwargs = {"k": 1} if flags & 2 else {}
        return plan.Call("", "tag", HERE, args=(label,), immutable=bool(flags & 1), kwargs=kwargs)
    name, count = choices.of(["map", "starmap"]), choices.below(4)
    items = tuple([n, n + 1] if name == "starmap" else n for n in range(count))
    return plan.Call("", "tag", HERE, kind=name, immutable=True, args=items)


def drawn_tree(choices: Choices, depth: int = 4, width: int = 4, kinds: int = 13) -> plan.Node:
    """Return a tree nested up to ``depth``, each composite of 0 to ``width`` nodes.

    The root is a call in one of thirteen trees, and each node below in one of seven.
    """

    def members() -> tuple[plan.Node, ...]:
        return tuple(choices.several(lambda: drawn_tree(choices, depth - 1, width, 7), width))

    kind = choices.below(kinds) if depth else 0
    if not kind:
        return drawn_call(choices)
    match kind % 3:
        case 1:
            return plan.Chain("", members(), HERE)
        case 2:
            return plan.Group("", members(), HERE)
    body = drawn_tree(choices, depth - 1, width, 7)
    return plan.Chord("", plan.Group("", members(), HERE), body, HERE)


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


def shapes() -> st.SearchStrategy[plan.Node]:
    """Return whole trees with paths."""
    return decoded(lambda choices: with_paths(drawn_tree(choices)))


def failing_shapes() -> st.SearchStrategy[plan.Node]:
    """Return trees with one to three failing tasks, wherever they are."""
    return decoded(_failing_shape)


def _failing_shape(choices: Choices) -> plan.Node:
    failing = [choices.below(256) for _ in range(1 + choices.below(3))]
    tree = with_paths(drawn_tree(choices))
    paths = sorted(set(task_paths(tree)))
    if not paths:
        tree = with_paths(plan.Chain("", (tree, plan.Call("", "tag", HERE)), HERE))
        paths = sorted(set(task_paths(tree)))
    return with_failures(tree, frozenset(paths[each % len(paths)] for each in failing))
