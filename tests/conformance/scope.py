"""What is known where a step of a shape stands, and the steps that would certainly run there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.conformance.expression import evaluated, names_in
from tests.conformance.shape import (
    Chain,
    Chord,
    Document,
    Each,
    Graph,
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
    """What names stand for, which of them are known before the run, and in which members.

    ``prev`` is known for the first steps of a member whose item is.
    """

    names: dict[str, Any] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    place: tuple[int, ...] = ()

    def knows(self, value: Any) -> bool:
        return self.known.issuperset(names_in(value))

    def at(self, step: str) -> str:
        return f"{step}@{'.'.join(map(str, self.place))}" if self.place else step

    def member(self, variable: str, number: int, item: Any, *, known: bool) -> Scope:
        names = {**self.names, variable: item, "prev": item}
        both = {variable, "prev"}
        return Scope(
            names, self.known | both if known else self.known - both, (*self.place, number)
        )

    def later(self) -> Scope:
        """Return the scope of steps that are given what only run time knows."""
        return replace(self, known=self.known - {"prev"})

    def of_file(self, names: dict[str, Any], known: Iterable[str]) -> Scope:
        """Return the scope of another file, whose first steps are given the same."""
        if "prev" in self.known:
            return Scope(
                {**names, "prev": self.names["prev"]}, frozenset({*known, "prev"}), self.place
            )
        return Scope(names, frozenset(known), self.place)


def scope_of_body(chord: Chord, scope: Scope) -> Scope:
    """Return the scope of a chord's body: that there are no errors may be known."""
    scope = scope.later()
    if chord.limits.tolerate is None or chord.limits.tolerated(members_of(chord.header)):
        return replace(scope, known=scope.known - {"errors"})
    return replace(scope, known=scope.known | {"errors"})


def certain_in_body(chord: Chord, scope: Scope) -> Iterator[str]:
    """Yield the steps of a chord's body that would run."""
    inner = scope_of_body(chord, scope)
    yield from certain(chord.body, replace(inner, names={**inner.names, "errors": []}))


def passes_on(shape: Shape, scope: Scope) -> bool:
    """Tell whether it is known before the run that a step gives what it is given."""
    match shape:
        case Chain(steps):
            return all(passes_on(step, scope) for step in steps)
        case Keyed(step=step, when=when):
            if when is not None and scope.knows(when) and evaluated(when, scope.names) is False:
                return True
            return passes_on(step, scope)
        case Switch(branches, otherwise):
            left = [otherwise] if otherwise is not None else []
            for condition, step in reversed(branches):
                if not scope.knows(condition):
                    left.append(step)
                elif evaluated(condition, scope.names) is True:
                    left = [step]
            return all(passes_on(step, scope) for step in left)
        case Use(Document(step, outputs=outputs)):
            return not outputs and passes_on(step, scope)
        case Graph(nodes):
            # In a line; side by side they give a list.
            line = sum(not node.needs for node in nodes) == 1
            return line and all(
                len(node.needs) < 2 and passes_on(node.step, scope) for node in nodes
            )
        case _:
            return False


def batch_step(items: Items, number: int) -> str:
    return f"{items.label}#{number}"


def members_of(shapes: Iterable[Shape]) -> int:
    """Return how many members a list of steps makes: some multiply in place."""
    return sum(
        shape.times
        if isinstance(shape, Repeat)
        else len(shape.batches())
        if isinstance(shape, Items) and shape.kind == "chunks"
        else 1
        for shape in shapes
    )


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
        case Chain(inside):
            for step in inside:
                yield from certain(step, scope)
                if not passes_on(step, scope):
                    scope = scope.later()
        case Chord(header):
            for step in header:
                yield from certain(step, scope)
            yield from certain_in_body(shape, scope)
        case Graph(nodes):
            for node in nodes:
                yield from certain(node.step, scope.later() if node.needs else scope)
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
            yield from certain(step, scope.of_file(names, known))
        case _:
            for inside in children(shape):
                yield from certain(inside, scope)
