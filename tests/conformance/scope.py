"""What is known where a step of a shape stands, and the steps that would certainly run there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.expression import evaluated, names_in
from tests.conformance.shape import (
    Document,
    Each,
    Items,
    Keyed,
    Repeat,
    Shape,
    Switch,
    Task,
    Use,
)
from tests.conformance.walk import children


@dataclass(frozen=True)
class Scope:
    """What names stand for, which of them are known before the run, and in which members."""

    names: dict[str, Any] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    place: tuple[int, ...] = ()

    def knows(self, value: Any) -> bool:
        return self.known.issuperset(names_in(value))

    def at(self, step: str) -> str:
        return f"{step}@{'.'.join(map(str, self.place))}" if self.place else step

    def member(self, variable: str, number: int, item: Any, *, known: bool) -> Scope:
        names = {**self.names, variable: item}
        return Scope(names, self.known | {variable} if known else self.known, (*self.place, number))


def batch_step(items: Items, number: int) -> str:
    return f"{items.label}#{number}"


def steps(shape: Shape) -> Iterator[str]:
    """Yield every step of a shape, once: whatever becomes one message of the author's."""
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


def mapping_name(keyed: Keyed) -> str:
    """Return the step that a mapping is called by: its call, or its own label."""
    step = keyed.step
    return step.label if isinstance(step, Task | Repeat | Items) else keyed.label


def certain(shape: Shape, scope: Scope) -> Iterator[str]:
    """Yield the steps of a shape that would run, as far as that is known before the run."""
    match shape:
        case Task() | Repeat() | Items():
            yield from map(scope.at, steps(shape))
        case Keyed(step=step, when=when):
            if when is None or (scope.knows(when) and evaluated(when, scope.names) is True):
                yield from certain(step, scope)
        case Each() if scope.knows(shape.items):
            for number, item in enumerate(evaluated(shape.items, scope.names)):
                member = scope.member(shape.variable, number, item, known=True)
                yield from certain(shape.do, member)
        case Each():
            return
        case Switch(branches, otherwise):
            for condition, step in branches:
                if not scope.knows(condition):
                    return
                if evaluated(condition, scope.names) is True:
                    yield from certain(step, scope)
                    return
            if otherwise is not None:
                yield from certain(otherwise, scope)
        case Use(Document(step, defaults), inputs):
            given = {**dict(defaults), **dict(inputs)}
            known = {f"inputs.{key}": value for key, value in given.items() if scope.knows(value)}
            names = evaluated(known, scope.names)
            yield from certain(step, Scope(names, frozenset(known), scope.place))
        case _:
            for inside in children(shape):
                yield from certain(inside, scope)
