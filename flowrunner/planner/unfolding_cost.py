"""What a tree costs at least of which run time decides some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flowrunner.plan import Call, Cost, Deferred, Each, Node, Repeat, Switch, inner_nodes
from flowrunner.planner.cost import Costing

__all__ = ["cost_alone", "unfolding_cost"]


def unfolding_cost(root: Node) -> Cost:
    """Return what is known of the messages of a tree that unfolds: each call's, as it is alone.

    A fan-out of run time counts with one member, a switch with the branch of the fewest calls
    (none, where its input may pass through); a step's ``on_error`` does not count.
    """
    return cost_alone(_least_calls(root))


def cost_alone(calls: Iterable[Call]) -> Cost:
    """Return what calls cost if each is queued alone; a value that is not known counts as null."""
    costing = Costing()
    sizes = [costing.cost((_known(call),)).bytes for call in calls]
    return Cost(len(sizes), sum(sizes), max(sizes, default=0))


def _least_calls(node: Node | Repeat) -> Iterator[Call]:
    match node:
        case Call():
            yield node
        case Repeat():
            yield from node.calls()
        case Each():
            yield from _least_calls(node.do)
        case Switch():
            if node.otherwise is not None:
                steps = (node.otherwise, *(branch.step for branch in node.branches))
                yield from min((list(_least_calls(step)) for step in steps), key=len)
        case _:  # the node says which children certainly run
            for inner in inner_nodes(node, certain=True):
                yield from _least_calls(inner)


def _known(call: Call) -> Call:
    """Return a call in which null stands for what is not known yet: no value is shorter."""
    if not call.open:
        return call
    args, kwargs = tuple(map(_or_null, call.args)), _or_null(call.kwargs)
    return replace(call, args=args, kwargs=kwargs, options=_or_null(call.options), open=False)


def _or_null(value: Any) -> Any:
    match value:
        case Deferred():
            return None
        case list() | tuple():
            return [_or_null(each) for each in value]
        case Mapping():
            return {key: _or_null(each) for key, each in value.items()}
        case _:
            return value
