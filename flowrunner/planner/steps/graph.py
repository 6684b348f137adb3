"""A ``graph``: the chains, groups or graph that its steps become."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from itertools import chain
from typing import Final

from msgspec.structs import replace

from flowrunner import model, plan
from flowrunner.budget import Budget
from flowrunner.planner.calls import PREVIOUS
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.dependencies import Dependencies, dependencies
from flowrunner.planner.scope import Ended, Scope, StepValue
from flowrunner.planner.series_parallel import Series, SideBySide, series_parallel
from flowrunner.planner.steps.wrappers import with_id

__all__ = ["build_graph"]

#: Steps of the budget for finding out what a step of a graph needs.
_STEPS_PER_NEED: Final = 20
#: Steps of a graph whose ids are gathered for one step of the budget.
_STEPS_TOLD_PER_STEP: Final = 4


def build_graph(
    context: PlanContext, graph: model.Graph, path: str, scope: Scope, ended: Ended
) -> plan.Node:
    """Return a graph's steps as chains and groups where these are exact, else as a graph.

    To ``ended`` it adds what has certainly ended once the graph has: all its steps.
    """
    path = joined(path, "graph")
    context.budget.spend_on_part(len(graph.steps) * _STEPS_PER_NEED)
    steps = {str(step.name.value): step for step in graph.steps}
    found = dependencies(graph, context.problems)
    if found is None:  # what else is wrong with its steps is said as well
        everything = {name: StepValue(f"{path}.{name}") for name in steps}
        wrong = scope.perhaps_after(PREVIOUS, everything)
        for name, step in steps.items():
            context.step(step.step, f"{path}.{name}", wrong, {})
        return plan.Chain(path, (), graph.location)
    nodes: dict[str, plan.Node] = {}
    after: dict[str, Scope] = {}
    own: dict[str, dict[str, StepValue]] = {}
    steps_of_ids: dict[str, str] = {}
    for name in found.order:
        place, needs = f"{path}.{name}", found.needs[name]
        inner = scope if not needs else after[needs[0]] if len(needs) == 1 else None
        ids = _NeededIds(scope.ids, found, name, own, steps_of_ids, context.budget)
        inner = replace(inner or scope.after(PREVIOUS, {}), ids=ids)
        own[name] = {}
        node = with_id(context, steps[name].name, steps[name].step, place, inner, own[name])
        nodes[name], after[name] = node, context.after(node, inner, {})
        steps_of_ids |= dict.fromkeys(own[name], name)
        ended |= own[name]
    return _graph_node(graph, path, found, nodes)


class _NeededIds(Mapping[str, StepValue]):
    """The ids that have ended when a step of a graph begins, looked up when an expression asks.

    ``own`` has the ids in each step of the graph, ``steps_of_ids`` the step that each id is in.
    """

    def __init__(
        self,
        outer: Mapping[str, StepValue],
        found: Dependencies,
        name: str,
        own: Mapping[str, Mapping[str, StepValue]],
        steps_of_ids: Mapping[str, str],
        budget: Budget,
    ) -> None:
        self._outer = outer
        self._found = found
        self._name = name
        self._own = own
        self._steps_of_ids = steps_of_ids
        self._budget = budget

    def __getitem__(self, name: str) -> StepValue:
        step = self._steps_of_ids.get(name)
        if step is not None and self._found.is_before(step, self._name):
            return self._own[step][name]
        return self._outer[name]

    def items(self) -> ItemsView[str, StepValue]:
        """Return the ids with their values, as a mapping that is quick to copy."""
        before = list(self._found.before(self._name))
        self._budget.spend_on_part(len(before) // _STEPS_TOLD_PER_STEP)
        own = map(self._own.__getitem__, before)
        return dict(chain(self._outer.items(), *(each.items() for each in own))).items()

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.items()))

    def __len__(self) -> int:
        return len(self.items())


def _graph_node(
    graph: model.Graph, path: str, found: Dependencies, nodes: Mapping[str, plan.Node]
) -> plan.Node:
    series = series_parallel(found.needs, found.result)
    if series is not None:
        return _chain(graph, path, path, series, nodes)
    steps = tuple(plan.GraphStep(name, found.needs[name], nodes[name]) for name in found.order)
    return plan.Graph(path, steps, found.result, graph.location)


def _chain(
    graph: model.Graph, base: str, path: str, series: Series, nodes: Mapping[str, plan.Node]
) -> plan.Node:
    steps = tuple(
        _group(graph, base, item, nodes) if isinstance(item, SideBySide) else nodes[item]
        for item in series
    )
    return steps[0] if len(steps) == 1 else plan.Chain(path, steps, graph.location)


def _group(
    graph: model.Graph, base: str, side_by_side: SideBySide, nodes: Mapping[str, plan.Node]
) -> plan.Group:
    path = f"{base}.{side_by_side.needed_by}.needs"
    members = tuple(
        _chain(graph, base, f"{path}[{position}]", member, nodes)
        for position, member in enumerate(side_by_side.members)
    )
    return plan.Group(path, members, graph.location)
