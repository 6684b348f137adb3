"""What is true of each type of node: one function for each property.

A type of node that a function does not mention is a type error.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import assert_never

from flowrunner.plan.nodes import (
    Call,
    Chain,
    Chord,
    Constant,
    Each,
    Failing,
    Given,
    Graph,
    Group,
    Named,
    Node,
    Repeat,
    Rescue,
    Skipped,
    Switch,
    Used,
)
from flowrunner.plan.tree import calls_in, inner_nodes
from flowrunner.plan.values import is_open

__all__ = [
    "Passing",
    "Reuse",
    "has_own_expression",
    "is_static",
    "may_run_in_parallel",
    "passing",
    "reuse_of",
    "runtime_word",
]


def is_static(node: Node | Repeat) -> bool:
    """Tell whether Celery can run a node as one canvas, without a driver that looks on."""
    match node:
        case Call():
            return not node.open and node.retry is None
        case Repeat():
            return not node.count or ("retry" not in node.varying and is_static(node.call))
        case Chain() | Chord() | Given():
            return all(map(is_static, node.children()))
        case Group():
            plain = node.max_parallel is None and node.tolerate is None
            return plain and all(map(is_static, node.members))
        case Constant():
            return not is_open(node.value)
        case Skipped():
            return True
        case Each() | Switch() | Rescue() | Named() | Used() | Graph() | Failing():
            return False
        case _:
            assert_never(node)


class Passing(Enum):
    """Whether a step gives what it is given, so that nothing has come before what follows it."""

    NEVER = "never"
    PERHAPS = "perhaps"
    ALWAYS = "always"


def passing(step: Node) -> Passing:
    """Tell whether a step gives what it is given: one that is skipped, an empty chain."""
    match step:
        case Skipped():
            return Passing.ALWAYS
        case Chain():
            found = [passing(each) for each in step.steps]
            if Passing.NEVER in found:
                return Passing.NEVER
            return Passing.PERHAPS if Passing.PERHAPS in found else Passing.ALWAYS
        case Named() | Used() | Rescue():
            return passing(step.step)
        case Switch():
            ways = {passing(branch.step) for branch in step.branches}
            ways.add(Passing.ALWAYS if step.otherwise is None else passing(step.otherwise))
            return ways.pop() if len(ways) == 1 else Passing.PERHAPS
        case Call() | Group() | Chord() | Each() | Given() | Constant() | Graph() | Failing():
            return Passing.NEVER
        case _:
            assert_never(step)


class Reuse(Enum):
    """Which results in a node a resumed run reuses if only a part of the node has changed."""

    NOTHING = "none"
    BEFORE_THE_CHANGE = "those of the children before the first that has changed"
    OF_EACH_CHILD = "those of every child"
    OF_THE_FIRST_CHILD = "those of the first child"


def reuse_of(node: Node | Repeat) -> Reuse:
    """Return which results in a node a resumed run reuses."""
    match node:
        case Chain() | Chord():
            return Reuse.BEFORE_THE_CHANGE
        case Group() | Repeat():
            return Reuse.OF_EACH_CHILD
        case Rescue() | Named():
            return Reuse.OF_THE_FIRST_CHILD
        case Call() | Each() | Switch() | Skipped() | Given() | Constant() | Used() | Graph():
            return Reuse.NOTHING
        case Failing():
            return Reuse.NOTHING
        case _:
            assert_never(node)


def has_own_expression(node: Node) -> bool:
    """Tell whether a node other than a call may fail before its first call."""
    match node:
        case Each() | Switch() | Constant() | Used():
            return True
        case Call() | Chain() | Group() | Chord() | Skipped() | Rescue() | Named() | Given():
            return False
        case Graph() | Failing():
            return False
        case _:
            assert_never(node)


def runtime_word(node: Node) -> str | None:
    """Return the key of a step that a run decides about, if the node is one."""
    match node:
        case Each():
            return "each"
        case Switch():
            return node.written
        case Rescue():
            return "on_error"
        case Graph():
            return "graph"
        case Call() | Chain() | Group() | Chord() | Skipped() | Named() | Given() | Constant():
            return None
        case Used() | Failing():
            return None
        case _:
            assert_never(node)


def may_run_in_parallel(node: Node) -> bool:
    """Tell whether two calls of a tree may run at the same time."""
    waiting: list[Node | Repeat] = [node]
    while waiting:
        node_or_repeat = waiting.pop()
        if isinstance(node_or_repeat, Repeat):
            continue  # its group has counted the calls
        if _is_parallel(node_or_repeat):
            return True
        waiting += inner_nodes(node_or_repeat)
    return False


def _is_parallel(node: Node) -> bool:
    match node:
        case Group(members=members, max_parallel=most):
            return most != 1 and _are_several(members)
        case Each(max_parallel=most):
            return most != 1
        case Graph():
            return not _is_in_one_order(node)
        case Call() | Chain() | Chord() | Switch() | Skipped() | Rescue() | Named() | Given():
            return False
        case Constant() | Used() | Failing():
            return False
        case _:
            assert_never(node)


def _are_several(members: Iterable[Node | Repeat]) -> bool:
    """Tell whether more than one member makes calls; some only pass on what they are given."""
    found = 0
    for member in members:
        found += member.count if isinstance(member, Repeat) else any(calls_in(member))
        if found > 1:
            return True
    return False


def _is_in_one_order(graph: Graph) -> bool:
    """Tell whether each step needs the one before directly, so that no two run side by side."""
    needs = {step.name: set(step.needs) for step in graph.steps}
    dependents: dict[str, list[str]] = {name: [] for name in needs}
    for name, needed in needs.items():
        for each in needed:
            dependents.setdefault(each, []).append(name)
    ready, ended = [name for name, needed in needs.items() if not needed], set[str]()
    while len(ready) == 1:
        ended.add(ready[0])
        ready = [name for name in dependents[ready[0]] if needs[name] <= ended]
    return len(ended) == len(needs)
