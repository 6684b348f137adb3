"""Whether calls of a plan can run at the same time."""

from __future__ import annotations

from collections.abc import Iterable

from flowrunner.plan.nodes import Each, Graph, Group, Node, Repeat
from flowrunner.plan.tree import calls_in, inner_nodes

__all__ = ["may_run_in_parallel"]


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
        case _:
            return False


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
