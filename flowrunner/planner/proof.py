"""Ids: which a file has, and why one of them cannot be used in a step.

That a step has certainly ended is proved while the tree is built, by what each step hands on to
those after it. What is here says, of an id that was not handed on, what stands in the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from flowrunner import model
from flowrunner.node import Scalar
from flowrunner.planner.problems import Problems
from flowrunner.planner.resolver import Explanation
from flowrunner.source import Location

__all__ = ["Ids", "inner_steps", "parallel_of"]


class Ids:
    """The ids of a file's steps; that two steps have one is reported."""

    def __init__(self, workflow: model.Workflow, problems: Problems) -> None:
        self._workflow = workflow
        self._places: dict[str, Location] = {}
        for step in (workflow.step, *workflow.handlers.values()):
            for identifier in _ids(step):
                self._add(identifier, problems)

    def _add(self, identifier: Scalar, problems: Problems) -> None:
        name = str(identifier.value)
        if name in self._places:
            problems.report(
                f"duplicate id '{name}'",
                identifier.location,
                f"rename one: the first is in line {self._places[name].line}",
            )
        self._places.setdefault(name, identifier.location)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def place(self, name: str) -> Location:
        """Return where an id is written."""
        return self._places[name]

    def explain(self, name: str, trail: Sequence[model.Step]) -> Explanation | None:
        """Return why a step cannot use an id; ``None`` where nothing has it.

        ``trail`` leads from the outermost step to the one that cannot, which may be a handler's.
        """
        if name not in self._places:
            return None
        place = self._places[name]
        named = self._trail_to(name)
        line = f"line {place.line}"
        message = f"'{name}' may not have ended when this step starts"
        if not trail:  # the outputs, after all of the main part
            if named and named[0] is not self._workflow.step:
                return message, f"step '{name}' ({line}) belongs to a handler", ()
            return message, *_on_the_way(name, named, line)
        if not named or named[0] is not trail[0]:
            return f"'{name}' cannot be used in this step", *self._apart(name, named, trail, line)
        common = 0
        while common < min(len(trail), len(named)) and trail[common] is named[common]:
            common += 1
        meeting = trail[common - 1]
        after = trail[common] if common < len(trail) else None
        before = named[common] if common < len(named) else None
        if before is None or (isinstance(meeting, model.Named) and _has(meeting, name)):
            return message, f"this step is '{name}' ({line}) or is inside it", ()
        return message, *_between(name, meeting, before, after, named[common:], line)

    def _apart(
        self, name: str, named: Sequence[model.Step], trail: Sequence[model.Step], line: str
    ) -> tuple[str, tuple[str, ...]]:
        """Say why a step of one part of the file cannot use an id of another part."""
        main = self._workflow.step
        if trail[0] is main:
            return (
                f"step '{name}' ({line}) belongs to a handler, which runs after the main part",
                (),
            )
        if not named or named[0] is not main:
            return f"step '{name}' ({line}) belongs to another handler", ()
        return (
            f"step '{name}' ({line}) is in the main part, which may have failed before this step",
            ("to use the run's outcome, write ${prev}",),
        )

    def _trail_to(self, name: str) -> list[model.Step]:
        for step in (self._workflow.step, *self._workflow.handlers.values()):
            trail = _trail(step, name)
            if trail:
                return trail
        return []


def _between(
    name: str,
    meeting: model.Step,
    before: model.Step,
    after: model.Step | None,
    rest: Sequence[model.Step],
    line: str,
) -> tuple[str, tuple[str, ...]]:
    """Say what stands between two steps that are apart from where ``meeting`` divides."""
    where = f"step '{name}' ({line})"
    match meeting:
        case model.Chain():
            if _position(meeting.steps, before) > _position(meeting.steps, after):
                return f"{where} runs after this step", ()
        case model.Group():
            branch, own = (_position(meeting.members, each) for each in (before, after))
            return (
                f"{where} is in member {branch} of a group, in parallel with this step in "
                f"member {own}",
                ("use it in a step after the group",),
            )
        case model.Chord():
            if after is meeting.header:
                return f"{where} is in the body, which runs after this step", ()
        case model.Switch():
            return f"{where} is in another branch: only one branch runs", ()
        case model.Rescue():
            return f"{where} has failed or did not run if this step runs", ()
        case model.Graph():
            return (
                f"this step does not need {where}",
                (f"let this step need it, or a step that needs it: needs: [{name}]",),
            )
        case _:
            pass
    return _on_the_way(name, rest, line)


def _on_the_way(name: str, trail: Sequence[model.Step], line: str) -> tuple[str, tuple[str, ...]]:
    """Say which of the steps around an id may leave it out."""
    where = f"step '{name}' ({line})"
    for outer, inner in pairwise(trail):
        match outer:
            case model.Each():
                return (
                    f"{where} is in 'do' of 'each': it has one result per item",
                    ("give the step with 'each' an id: its result is the list",),
                )
            case model.Switch():
                return (
                    f"{where} is in a step that may not run: it depends on a condition in line "
                    f"{_condition(outer, inner)}",
                    ("give an id to the step with the condition: it always has a result",),
                )
            case model.Rescue():
                return (
                    f"{where} is in a step with 'on_error': it may fail or not run",
                    ("give an id to the step with 'on_error'",),
                )
            case model.Group() | model.TaskCall() | model.Chunks():
                parallel = parallel_of(outer)
                if parallel.tolerate is not None:
                    return (
                        f"{where} is in a group whose members may fail: 'tolerate' in line "
                        f"{parallel.tolerate.location.line}",
                        ("give an id to the step with 'tolerate'",),
                    )
    return (
        f"{where} adds members to the group around it: it has no result of its own",
        ("make it a 'group' of its own in the list, and give that group the id",),
    )


def _condition(switch: model.Switch, inner: model.Step) -> int:
    for branch in switch.branches:
        if branch.step is inner:
            return branch.when.location.line
    return switch.location.line


def parallel_of(step: model.Step) -> model.Parallel:
    """Return what a step asks of its members."""
    match step:
        case model.Group() | model.Each() | model.TaskCall() | model.Chunks():
            return step.parallel
        case _:
            return model.Parallel()


def inner_steps(step: model.Step) -> tuple[model.Step, ...]:
    """Return the steps that stand in a step."""
    match step:
        case model.Chain():
            return step.steps
        case model.Group():
            return step.members
        case model.Chord():
            return step.header, step.body
        case model.Each():
            return (step.do,)
        case model.Switch():
            branches = tuple(branch.step for branch in step.branches)
            return branches if step.otherwise is None else (*branches, step.otherwise)
        case model.Rescue():
            return step.step, step.handler
        case model.Named():
            return (step.step,)
        case model.Graph():
            return tuple(each.step for each in step.steps)
        case model.TaskCall() | model.ItemCalls() | model.Chunks() | model.Use() | model.Broken():
            return ()


def _ids(step: model.Step) -> Iterator[Scalar]:
    waiting = [step]
    while waiting:
        step = waiting.pop()
        if isinstance(step, model.Named):
            yield step.id
        elif isinstance(step, model.Graph):
            yield from (each.name for each in step.steps)
        waiting += reversed(inner_steps(step))


def _has(step: model.Step, name: str) -> bool:
    """Tell whether an id is that of a step itself, or one of a graph's names."""
    if isinstance(step, model.Named):
        return str(step.id.value) == name
    if isinstance(step, model.Graph):
        return any(str(each.name.value) == name for each in step.steps)
    return False


def _trail(step: model.Step, name: str) -> list[model.Step]:
    """Return the steps from one to that which has an id, without its insides."""
    if isinstance(step, model.Graph):
        for each in step.steps:
            if str(each.name.value) == name:
                return [step, each.step]
    if _has(step, name) and isinstance(step, model.Named):
        return [step, step.step]
    for inner in inner_steps(step):
        found = _trail(inner, name)
        if found:
            return [step, *found]
    return []


def _position(steps: Sequence[model.Step], step: model.Step | None) -> int:
    return next((number for number, each in enumerate(steps) if each is step), -1)
