"""A ``graph``: who needs whom, what is wrong with that, and the nodes that it becomes."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, compress, islice
from typing import TYPE_CHECKING, Final

from flowrunner import model, plan
from flowrunner.budget import Budget
from flowrunner.node import Scalar
from flowrunner.planner.calls import PREVIOUS
from flowrunner.planner.problems import Problems
from flowrunner.planner.scope import Scope, StepValue
from flowrunner.planner.series_parallel import Series, SideBySide, in_order, series_parallel
from flowrunner.suggestion import did_you_mean

if TYPE_CHECKING:
    from flowrunner.planner.builder import PlanBuilder

__all__ = ["Dependencies", "build_graph", "dependencies"]

#: Names that a message lists.
MOST_NAMED: Final = 8
#: Circles that are told.
MOST_CIRCLES: Final = 5
#: Steps of the budget for finding out what a step of a graph needs.
_STEPS_PER_NEED: Final = 20
#: Steps of a graph whose ids are gathered for one step of the budget.
_STEPS_TOLD_PER_STEP: Final = 4


@dataclass(frozen=True)
class Dependencies:
    """What each step of a graph needs, by name; ``order`` has each after those that it needs.

    ``result`` is the step that nobody needs: its value is the graph's.
    """

    needs: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]
    result: str

    def before(self, name: str) -> Iterator[str]:
        """Yield the steps that have certainly ended when this one begins."""
        return compress(self.order, map("1".__eq__, f"{self._before[name]:b}"[::-1]))

    def is_before(self, step: str, name: str) -> bool:
        """Tell whether a step has certainly ended when another one begins."""
        return bool(self._before[name] >> self._numbers[step] & 1)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.order)}

    @cached_property
    def _before(self) -> dict[str, int]:
        """What comes before each step, a bit for each step: sets would take far more memory."""
        found: dict[str, int] = {}
        for name in self.order:
            found[name] = 0
            for needed in self.needs[name]:
                found[name] |= found[needed] | 1 << self._numbers[needed]
        return found


def dependencies(graph: model.Graph, problems: Problems) -> Dependencies | None:
    """Return what the steps of a graph need; ``None`` where that is wrong, which is reported."""
    known = len(problems)
    steps = {str(step.name.value): step for step in graph.steps}
    needs = {name: tuple(_needs(step, steps, problems)) for name, step in steps.items()}
    order = in_order(needs)
    if len(order) < len(needs):
        for circle in _circles(needs):
            _report_circle(circle, steps, problems)
        return None
    needed = {each for names in needs.values() for each in names}
    ends = [name for name in needs if name not in needed]
    if not ends:  # it has no steps, which the loader has said
        return None
    if len(problems) == known:
        _report_unneeded(ends, steps, problems)
    return Dependencies(needs, tuple(order), ends[-1]) if len(problems) == known else None


def _needs(
    step: model.GraphStep, steps: Mapping[str, model.GraphStep], problems: Problems
) -> Iterator[str]:
    own, seen = str(step.name.value), set[str]()
    for needed in step.needs:
        name = str(needed.value)
        if name == own:
            problems.report(f"step '{own}' needs itself", needed.location)
        elif name in seen:
            problems.report(
                f"step '{own}' needs '{name}' twice",
                needed.location,
                "the list that it is given has one place for it",
            )
        elif name not in steps:
            first = list(islice((each for each in steps if each != own), MOST_NAMED + 1))
            listed = ", ".join(first[:MOST_NAMED]) + (", …" if len(first) > MOST_NAMED else "")
            otherwise = f"the graph's other steps: {listed}" if first else "it is the only step"
            others = (each for each in steps if each != own)
            problems.report(
                f"step '{own}' needs '{name}', and the graph has no such step",
                needed.location,
                did_you_mean(name, others, otherwise),
            )
        else:
            yield name
        seen.add(name)


def _circles(needs: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield circles, none of which has a step of another: one at least, where there are any."""
    for _ in range(MOST_CIRCLES):
        done = set(in_order(needs))
        # Each of these needs another of them.
        left = {
            name: tuple(each for each in needed if each not in done)
            for name, needed in needs.items()
            if name not in done
        }
        if not left:
            return
        path: dict[str, int] = {}
        at = next(iter(left))
        while at not in path:
            path[at] = len(path)
            at = left[at][0]
        circle = list(path)[path[at] :]
        yield circle
        told = set(circle)
        needs = {
            name: tuple(each for each in needed if each not in told)
            for name, needed in left.items()
            if name not in told
        }


def _report_circle(
    circle: list[str], steps: Mapping[str, model.GraphStep], problems: Problems
) -> None:
    positions = {name: position for position, name in enumerate(steps)}
    first = min(circle, key=positions.__getitem__)
    start = circle.index(first)
    turned = [*circle[start:], *circle[:start]]
    if len(turned) > MOST_NAMED:
        shown = [*turned[: MOST_NAMED - 1], "…", turned[-1], first]
    else:
        shown = [*turned, first]
    problems.report(
        f"the steps need each other in a circle: {' → '.join(shown)}",
        _need(steps[first], turned[1 % len(turned)]).location,
        f"'{first}' would wait for itself",
    )


def _need(step: model.GraphStep, name: str) -> Scalar:
    return next(each for each in step.needs if str(each.value) == name)


def _report_unneeded(
    ends: list[str], steps: Mapping[str, model.GraphStep], problems: Problems
) -> None:
    *others, last = ends
    for name in others:
        problems.report(
            f"nobody needs '{name}': what it gives would be lost",
            steps[name].name.location,
            f"the graph's value is that of its one last step, here '{last}'",
            (f"let '{last}' need it too, or a further step need both: needs: [{name}, {last}]",),
        )


def build_graph(
    builder: PlanBuilder,
    graph: model.Graph,
    path: str,
    scope: Scope,
    ended: dict[str, StepValue],
) -> plan.Node:
    """Return a graph's steps as chains and groups where these are exact, else as a graph.

    To ``ended`` it adds what has certainly ended once the graph has: all its steps.
    """
    builder.budget.spend_on_part(len(graph.steps) * _STEPS_PER_NEED)
    steps = {str(step.name.value): step for step in graph.steps}
    found = dependencies(graph, builder.problems)
    if found is None:  # what else is wrong with its steps is said as well
        everything = {name: StepValue(f"{path}.{name}") for name in steps}
        wrong = scope.perhaps_after(PREVIOUS, everything)
        for name, step in steps.items():
            builder.step(step.step, f"{path}.{name}", wrong, {})
        return plan.Chain(path, (), graph.location)
    nodes: dict[str, plan.Node] = {}
    after: dict[str, Scope] = {}
    own: dict[str, dict[str, StepValue]] = {}
    steps_of_ids: dict[str, str] = {}
    for name in found.order:
        place, needs = f"{path}.{name}", found.needs[name]
        inner = scope if not needs else after[needs[0]] if len(needs) == 1 else None
        ids = _NeededIds(scope.ids, found, name, own, steps_of_ids, builder.budget)
        inner = replace(inner or scope.after(PREVIOUS, {}), ids=ids)
        own[name] = {}
        node = builder.named(steps[name].name, steps[name].step, place, inner, own[name])
        nodes[name], after[name] = node, builder.after(node, inner, {})
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
