"""What goes on in a run that unfolds: one activity for each node that a driver looks after.

An activity begins others and is told how each of them has ended; when it has seen enough, it ends
itself. None of them waits, and none knows an engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from flowrunner import plan
from flowrunner.deferred import NO_INPUT, passes_on, value_or_none
from flowrunner.runs.outcome import failure_data
from flowrunner.runs.step_state import StepError
from flowrunner.template import bind

__all__ = ["Activity", "End", "Failed", "Input", "Stage", "Succeeded", "activity_of"]


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A value; ``tolerated`` says what failed of the members that it is the list of.

    It is ``new`` where a call has run for it in this attempt.
    """

    value: Any
    tolerated: tuple[StepError, ...] = ()
    new: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """No value: why, and the paths of the calls that did not run because of it."""

    errors: tuple[StepError, ...]
    skipped: tuple[str, ...] = ()
    new: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """What a step is given; it is ``new`` where that follows from what has run in this attempt."""

    value: Any = NO_INPUT
    new: bool = False

    @property
    def passed_on(self) -> Succeeded:
        """The value of a step that passes it on."""
        return Succeeded(self.value, new=self.new)


End: TypeAlias = Succeeded | Failed


class Stage(Protocol):
    """What activities ask for."""

    def resolve(self, node: plan.Node, given: Input) -> plan.Node:
        """Return a node with everything decided that its beginning needs."""

    def start(self, node: plan.Node, given: Input, parent: Activity, slot: int) -> None:
        """Begin a node; ``parent`` is told how it has ended."""

    def end(self, activity: Activity, end: End) -> None:
        """Note how an activity has ended."""

    def leave(self, nodes: Iterable[plan.Node]) -> tuple[str, ...]:
        """Note that nodes will not run, and return the paths of their calls."""

    def catch(self, failed: Iterable[Failed]) -> None:
        """Note that failures are none of the run's."""

    def keep(self, path: str, value: Any) -> None:
        """Keep the value of a step that has a name."""


class Activity:
    """Something that goes on; ``slot`` is its number with its ``parent``."""

    def __init__(self, stage: Stage, parent: Activity | None, slot: int) -> None:
        self.stage = stage
        self.parent = parent
        self.slot = slot

    def begin(self) -> None:
        """Begin what comes first."""
        raise NotImplementedError

    def ended(self, slot: int, end: End) -> None:
        """Take note of how something has ended that this has begun."""
        raise NotImplementedError


def activity_of(
    node: plan.Node, given: Input, stage: Stage, parent: Activity | None, slot: int
) -> Activity:
    """Return the activity for a resolved node that is no section and has no value yet."""
    match node:
        case plan.Chain():
            return _Steps(node, node.steps, given, stage, parent, slot)
        case plan.Chord():
            return _Steps(node, (node.header, node.body), given, stage, parent, slot)
        case plan.Group():
            return _Members(node, given, stage, parent, slot)
        case plan.Rescue():
            return _Rescue(node, given, stage, parent, slot)
        case plan.Named():
            return _Named(node, given, stage, parent, slot)
        case plan.Graph():
            return _Graph(node, given, stage, parent, slot)
        case _:
            raise AssertionError(f"BUG: {type(node).__name__} is not resolved")


class _Steps(Activity):
    """Steps one after the other: as many as can be in one section, the others one by one."""

    def __init__(
        self,
        node: plan.Chain | plan.Chord,
        steps: tuple[plan.Node, ...],
        given: Input,
        stage: Stage,
        parent: Activity | None,
        slot: int,
    ) -> None:
        super().__init__(stage, parent, slot)
        self._node = node
        self._steps = steps
        self._given = given
        self._position = 0

    def begin(self) -> None:
        while self._position < len(self._steps):
            node = self.stage.resolve(self._steps[self._position], self._given)
            self._position += 1
            if passes_on(node):
                continue
            self.stage.start(self._with_what_follows(node), self._given, self, 0)
            return
        self.stage.end(self, self._given.passed_on)

    def _with_what_follows(self, node: plan.Node) -> plan.Node:
        """Return a chain of a static node and the static ones after it."""
        if not plan.is_static(node):
            return node
        end = self._position
        while end < len(self._steps) and plan.is_static(self._steps[end]):
            end += 1
        if end == self._position:
            return node
        steps = (node, *self._steps[self._position : end])
        self._position = end
        return plan.Chain(self._node.path, steps, node.location)

    def ended(self, slot: int, end: End) -> None:
        rest = self._steps[self._position :]
        if isinstance(end, Failed):
            skipped = (*end.skipped, *self.stage.leave(rest))
            self.stage.end(self, Failed(end.errors, skipped, end.new))
            return
        self._given = Input(end.value, end.new or self._given.new)
        if rest and isinstance(self._node, plan.Chord):
            errors = failure_data(self._node.path, end.tolerated)["errors"]
            self._steps = (self._steps[0], bind(self._node.body, {"errors": errors}))
        self.begin()


class _Members(Activity):
    """Members side by side, not more of them at a time than their group says."""

    def __init__(
        self, group: plan.Group, given: Input, stage: Stage, parent: Activity | None, slot: int
    ) -> None:
        super().__init__(stage, parent, slot)
        self._group = group
        self._given = given
        self._members = list(group.flat())
        self._ends: list[End | None] = [None] * len(self._members)
        self._started = 0
        self._open = len(self._members)

    def begin(self) -> None:
        if not self._members:
            self.stage.end(self, Succeeded([], new=self._given.new))
            return
        for _ in range(self._group.max_parallel or len(self._members)):
            self._start_next()

    def _start_next(self) -> None:
        if self._started < len(self._members):
            number = self._started
            self._started += 1
            self.stage.start(self._members[number], self._given, self, number)

    def ended(self, slot: int, end: End) -> None:
        self._ends[slot] = end
        self._open -= 1
        self._start_next()
        if not self._open:
            self.stage.end(self, self._end())

    def _end(self) -> End:
        failed = [end for end in self._ends if isinstance(end, Failed)]
        errors = tuple(error for end in failed for error in end.errors)
        new = any(end.new for end in self._ends if end is not None)
        tolerate = self._group.tolerate
        if failed and (tolerate is None or len(failed) > tolerate.most(len(self._members))):
            return Failed(errors, tuple(path for end in failed for path in end.skipped), new)
        self.stage.catch(failed)
        values = [
            value_or_none(end.value) if isinstance(end, Succeeded) else None for end in self._ends
        ]
        return Succeeded(values, errors, new)


class _Rescue(Activity):
    """A step, and its handler when it fails."""

    def __init__(
        self, rescue: plan.Rescue, given: Input, stage: Stage, parent: Activity | None, slot: int
    ) -> None:
        super().__init__(stage, parent, slot)
        self._rescue = rescue
        self._given = given
        self._failed: Failed | None = None

    def begin(self) -> None:
        self.stage.start(self._rescue.step, self._given, self, 0)

    def ended(self, slot: int, end: End) -> None:
        failed = self._failed
        if failed is None and isinstance(end, Failed):
            self._failed = end
            data = failure_data(self._rescue.path, end.errors)
            self.stage.start(self._rescue.handler, Input(data, end.new), self, 1)
        elif failed is not None and isinstance(end, Failed):
            both = Failed(failed.errors + end.errors, failed.skipped + end.skipped, end.new)
            self.stage.end(self, both)
        else:
            if failed is not None:
                self.stage.catch([failed])
            self.stage.end(self, end)


class _Named(Activity):
    """A step whose value is kept."""

    def __init__(
        self, named: plan.Named, given: Input, stage: Stage, parent: Activity | None, slot: int
    ) -> None:
        super().__init__(stage, parent, slot)
        self._named = named
        self._given = given

    def begin(self) -> None:
        self.stage.start(self._named.step, self._given, self, 0)

    def ended(self, slot: int, end: End) -> None:
        if isinstance(end, Succeeded):
            self.stage.keep(self._named.path, end.value)
        self.stage.end(self, end)


class _Graph(Activity):
    """Steps, each of which begins when those that it needs have ended."""

    def __init__(
        self, graph: plan.Graph, given: Input, stage: Stage, parent: Activity | None, slot: int
    ) -> None:
        super().__init__(stage, parent, slot)
        self._graph = graph
        self._given = given
        self._values: dict[str, Succeeded] = {}
        self._failed: dict[int, Failed] = {}
        self._missing = [len(step.needs) for step in graph.steps]
        self._needed_by: dict[str, list[int]] = {}
        for number, step in enumerate(graph.steps):
            for name in step.needs:
                self._needed_by.setdefault(name, []).append(number)
        self._open = 0

    def begin(self) -> None:
        ready = [number for number, missing in enumerate(self._missing) if not missing]
        self._open = len(ready)
        for number in ready:
            self.stage.start(self._graph.steps[number].step, self._given, self, number)

    def ended(self, slot: int, end: End) -> None:
        self._open -= 1
        if isinstance(end, Failed):
            self._failed[slot] = end
        else:
            name = self._graph.steps[slot].name
            self._values[name] = end
            for number in self._needed_by.get(name, ()):
                self._missing[number] -= 1
                if not self._missing[number]:
                    self._open += 1
                    step = self._graph.steps[number]
                    self.stage.start(step.step, self._input(step), self, number)
        if not self._open:
            self.stage.end(self, self._end())

    def _input(self, step: plan.GraphStep) -> Input:
        ends = [self._values[name] for name in step.needs]
        new = any(end.new for end in ends)
        if len(ends) == 1:
            return Input(ends[0].value, new)
        return Input([value_or_none(end.value) for end in ends], new)

    def _end(self) -> End:
        if not self._failed:
            return self._values[self._graph.result]
        waiting = [
            step.step
            for step, missing in zip(self._graph.steps, self._missing, strict=True)
            if missing
        ]
        failed = [end for _, end in sorted(self._failed.items())]
        errors = tuple(error for end in failed for error in end.errors)
        skipped = tuple(path for end in failed for path in end.skipped)
        new = any(end.new for end in failed)
        return Failed(errors, skipped + self.stage.leave(waiting), new)
