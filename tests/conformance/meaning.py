"""What a shape means, said a second time: independent of :mod:`flowrunner.semantics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance.shape import Chain, Chord, Group, Items, Repeat, Shape, Task, children

NOTHING: Final = object()  # what the first step is given
FAILED: Final = object()


@dataclass(frozen=True)
class Meaning:
    """What has to come of a run.

    ``value`` is ``None`` for a run that fails. A step is the label of a task, the label and the
    index of a repeated one, the label of a map, the label and number of a batch.
    ``executions`` says how often the task of each label runs.
    """

    value: Any
    failed: frozenset[str]
    skipped: frozenset[str]
    executions: dict[str, int]


def meaning(shape: Shape) -> Meaning:
    """Return what a shape means."""
    reading = _Reading()
    value = reading.value(shape, NOTHING)
    skipped = frozenset(steps(shape)) - reading.reached
    return Meaning(
        None if value is FAILED or value is NOTHING else value,
        frozenset(reading.failed),
        skipped,
        dict(reading.executions),
    )


def batch_step(items: Items, number: int) -> str:
    return f"{items.label}#{number}"


def steps(shape: Shape) -> Iterator[str]:
    """Yield every step of a shape: whatever becomes one message of the author's."""
    match shape:
        case Task():
            yield shape.label
        case Repeat():
            yield from shape.labels()
        case Items(kind="chunks"):
            yield from (batch_step(shape, number) for number in range(len(shape.batches())))
        case Items():
            yield shape.label
        case _:
            for inside in children(shape):
                yield from steps(inside)


class _Reading:
    def __init__(self) -> None:
        self.reached: set[str] = set()
        self.failed: set[str] = set()
        self.executions: Counter[str] = Counter()

    def value(self, shape: Shape, given: Any) -> Any:
        match shape:
            case Task():
                return self._task(shape, given)
            case Items(kind="map" | "starmap"):
                return self._items(shape, shape.label, shape.items())
            case Repeat() | Items():
                return self._together(self._parallel(shape, given))
            case Chain(steps):
                for step in steps:
                    given = self.value(step, given)
                    if given is FAILED:
                        break
                return given
            case Group(members):
                return self._members(members, given)
            case Chord(header, body):
                results = self._members(header, given)
                return FAILED if results is FAILED else self.value(body, results)

    def _members(self, members: tuple[Shape, ...], given: Any) -> Any:
        return self._together([v for member in members for v in self._parallel(member, given)])

    def _together(self, values: list[Any]) -> Any:
        if any(value is FAILED for value in values):
            return FAILED
        return [None if value is NOTHING else value for value in values]

    def _parallel(self, member: Shape, given: Any) -> list[Any]:
        """Return the values that a member puts into its group's list."""
        match member:
            case Repeat():
                return [
                    self._call(f"{member.label}.{index}", member, given, (index,), (member.label,))
                    for index in range(member.times)
                ]
            case Items(kind="chunks"):
                return [
                    self._items(member, batch_step(member, number), batch)
                    for number, batch in enumerate(member.batches())
                ]
            case _:
                return [self.value(member, given)]

    def _task(self, task: Task, given: Any) -> Any:
        return self._call(task.label, task, given, task.literals, (task.label,))

    def _call(
        self, step: str, call: Task | Repeat, given: Any, first: tuple[Any, ...], last: tuple[str]
    ) -> Any:
        self.reached.add(step)
        self.executions[step] += 2 if call.behaviour == "retry_once" else 1
        if call.behaviour == "fail":
            self.failed.add(step)
            return FAILED
        takes = not call.immutable and given is not NOTHING
        return [*([given] if takes else []), *first, *last]

    def _items(self, call: Items, step: str, items: list[Any]) -> Any:
        self.reached.add(step)
        values = []
        for item in items:
            arguments = item if isinstance(item, list) else [item]
            self.executions[arguments[-1]] += 1
            if call.behaviour == "fail":
                self.failed.add(step)
                return FAILED  # the items behind the first are never come to
            values.append(list(arguments))
        return values
