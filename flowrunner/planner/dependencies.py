"""Which steps of a ``graph`` need which, and the errors in what they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import compress, islice
from typing import Final

from msgspec import Struct

from flowrunner import model
from flowrunner.node import Scalar
from flowrunner.planner.problems import Problems
from flowrunner.planner.series_parallel import in_order
from flowrunner.suggestion import did_you_mean

__all__ = ["Dependencies", "dependencies"]

#: Names that a message lists.
MOST_NAMED: Final = 8
#: Circles that are told.
MOST_CIRCLES: Final = 5


class Dependencies(Struct, frozen=True, dict=True):
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
                "remove one: its list holds each result once",
            )
        elif name not in steps:
            first = list(islice((each for each in steps if each != own), MOST_NAMED + 1))
            listed = ", ".join(first[:MOST_NAMED]) + (", …" if len(first) > MOST_NAMED else "")
            otherwise = (
                f"other steps of the graph: {listed}" if first else "the graph has no other step"
            )
            others = (each for each in steps if each != own)
            problems.report(
                f"step '{own}' needs the unknown step '{name}'",
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
        f"dependency cycle: {' → '.join(shown)}",
        _need(steps[first], turned[1 % len(turned)]).location,
        f"remove one of these needs: '{first}' would wait for itself",
    )


def _need(step: model.GraphStep, name: str) -> Scalar:
    return next(each for each in step.needs if str(each.value) == name)


def _report_unneeded(
    ends: list[str], steps: Mapping[str, model.GraphStep], problems: Problems
) -> None:
    *others, last = ends
    for name in others:
        problems.report(
            f"no step needs '{name}', so its result would be lost",
            steps[name].name.location,
            f"the graph returns the result of its final step '{last}'",
            (f"let '{last}' need it, or add a step that needs both: needs: [{name}, {last}]",),
        )
