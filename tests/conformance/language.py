"""Random shapes of the whole language, each of which has to be taken: what it says is known.

A maker knows at each place which names an expression may use there: what is certain to have ended
before, and whether there is an input.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any, Final, Literal, TypeAlias

from tests.conformance.expression import Name
from tests.conformance.meaning import AmbiguousError, meaning
from tests.conformance.scope import members_of
from tests.conformance.shape import (
    Behaviour,
    Chain,
    Chord,
    Document,
    Each,
    Graph,
    Group,
    Items,
    Keyed,
    Limits,
    Node,
    Repeat,
    Retry,
    Shape,
    Switch,
    Task,
    Use,
)
from tests.conformance.sight import Kind, Seen, Sight, condition, items, some_value
from tests.conformance.walk import labelled

#: A random shape is drawn again when it does more, or when its values are longer.
MOST_EXECUTIONS: Final = 60
LONGEST_VALUE: Final = 10_000

Construct: TypeAlias = Literal["chain", "group", "chord", "each", "switch", "use", "graph"]
CONSTRUCTS: Final[tuple[Construct, ...]] = (
    *("chain", "chain", "group", "chord", "each", "each"),
    *("switch", "use", "graph"),
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A shape; the ids that may be used after it; what kind of value it gives, if it surely does.

    ``gives`` is ``None`` where nothing may come of it when it is given nothing.
    """

    shape: Shape
    seen: tuple[Seen, ...] = ()
    gives: Kind | None = "many"


def random_document(random: Random, *, depth: int = 3) -> Shape:
    """Return a random shape of every construct, with labels; at least one task runs."""
    while True:
        shape = labelled(Maker(random).document(depth, Sight(), root=True))
        if is_handy(shape):
            return shape


def is_handy(shape: Shape) -> bool:
    """Tell whether a shape is small enough to run, and says which call fails at first."""
    try:
        means = meaning(shape)
    except AmbiguousError:
        return False
    executions = sum(means.executions.values())
    return 1 <= executions <= MOST_EXECUTIONS and len(json.dumps(means.value)) <= LONGEST_VALUE


class Maker:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._numbers = count()

    def _name(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers)}"

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def document(self, depth: int, sight: Sight, *, root: bool = False) -> Document:
        """Return a file; ``sight`` knows the inputs that it is given."""
        inputs = tuple(
            (self._name("p"), self._random.choice((0, 2, [1, 2, 3], [], ["a", "b"], [[4], [5]])))
            for _ in range(self._random.choice((0, 1, 2)) if root else 0)
        )
        known = tuple(
            Seen(Name(f"inputs.{name}"), "list" if isinstance(value, list) else "int", known=True)
            for name, value in inputs
        )
        sight = sight.with_names(known)
        made = self._begun(depth, sight) if root else self.step(depth, sight)
        outputs: tuple[tuple[str, Any], ...] = ()
        if self._chance(0.3):
            after = sight.with_names(made.seen).after(made.gives)
            outputs = tuple(
                (self._name("o"), some_value(self._random, after))
                for _ in range(self._random.choice((1, 2)))
            )
        return Document(made.shape, inputs, outputs)

    def _begun(self, depth: int, sight: Sight) -> Made:
        """Return a step, mostly after one that gives what only run time knows."""
        if self._chance(0.25):
            return self.step(depth, sight)
        first = self._random.choice((Task(), Task(literals=(1, 2)), Group((Task(), Task()))))
        seen = Seen(Name(self._name("n")), "list" if isinstance(first, Task) else "many")
        then = self.step(depth, sight.with_names((seen,)).after(seen.kind))
        shape = Chain((Keyed(seen.name.name, first), then.shape))
        return Made(shape, (seen, *then.seen), then.gives)

    def step(self, depth: int, sight: Sight, *, member: bool = False) -> Made:
        """Return a step; a ``member`` stands in the list of a group."""
        if depth == 0 or self._chance(0.2):
            call = self._call(sight, own=not member)
            made = Made(call, gives="list" if isinstance(call, Task) else "many")
            kept = not (member and _multiplies(made.shape))
            return self._keyed(made, depth, sight) if kept and self._chance(0.4) else made
        construct = self._random.choice(CONSTRUCTS)
        made = getattr(self, f"_{construct}")(depth - 1, sight)
        named = construct in ("each", "switch", "use")
        return self._keyed(made, depth, sight) if named or self._chance(0.4) else made

    def _keyed(self, made: Made, depth: int, sight: Sight) -> Made:
        label = self._name("n")
        when = condition(self._random, sight) if self._chance(0.25) else None
        handler = None
        seen, gives = made.seen, made.gives
        if self._chance(0.25):
            handler = self.step(max(depth - 2, 0), sight.after("failure"))
            seen, gives = (), "any" if gives and handler.gives else None
        if when is not None:
            seen, gives = (), "any" if sight.prev and gives else sight.prev
        if gives is not None:
            seen = (*seen, Seen(Name(label), gives))
        shape = Keyed(label, made.shape, when, handler.shape if handler else None)
        return Made(shape, seen, gives)

    def _chain(self, depth: int, sight: Sight) -> Made:
        steps, seen = [], ()
        for _ in range(self._random.choice((0, 1, 2, 2, 3))):
            made = self.step(depth, sight)
            steps.append(made.shape)
            seen += made.seen
            known = sight.prev_known and made.gives == sight.prev
            sight = sight.with_names(made.seen).after(made.gives, known=known)
        return Made(Chain(tuple(steps)), seen, sight.prev)

    def _members(self, depth: int, sight: Sight, limits: Limits) -> tuple[Any, tuple[Seen, ...]]:
        every = [
            self.step(depth, sight, member=True)
            for _ in range(self._random.choice((0, 1, 2, 2, 3)))
        ]
        seen = tuple(each for made in every for each in made.seen)
        return tuple(made.shape for made in every), () if limits.tolerate else seen

    def _group(self, depth: int, sight: Sight) -> Made:
        limits = self._limits()
        members, seen = self._members(depth, sight, limits)
        return Made(Group(members, limits), seen)

    def _chord(self, depth: int, sight: Sight) -> Made:
        limits = self._limits()
        header, seen = self._members(depth, sight, limits)
        inner = sight.with_names(seen).after("many")
        if limits.tolerate is not None:
            none = not limits.tolerated(members_of(header))
            inner = inner.with_names((Seen(Name("errors"), "many", known=none),))
        body = self.step(depth, inner)
        return Made(Chord(header, body.shape, limits), (*seen, *body.seen), body.gives or "many")

    def _each(self, depth: int, sight: Sight) -> Made:
        value, kind, known = items(self._random, sight)
        variable = "item" if sight.is_free("item") else self._name("v")
        inner = sight.with_names((Seen(Name(variable), kind, known=known),)).after(
            kind, known=known
        )
        do = self.step(depth, inner)
        return Made(Each(value, do.shape, variable, self._limits()))

    def _switch(self, depth: int, sight: Sight) -> Made:
        branches = tuple(
            (condition(self._random, sight), self.step(depth, sight))
            for _ in range(self._random.choice((1, 2, 2, 3)))
        )
        otherwise = self.step(depth, sight) if self._chance(0.5) else None
        every = [made for _, made in branches] + ([otherwise] if otherwise else [])
        gives: Kind | None = "any" if all(made.gives for made in every) else None
        if otherwise is None:
            gives = "any" if sight.prev and gives else sight.prev
        written = tuple((when, made.shape) for when, made in branches)
        return Made(Switch(written, otherwise.shape if otherwise else None), (), gives)

    def _use(self, depth: int, sight: Sight) -> Made:
        inputs, given, seen = [], [], []
        for _ in range(self._random.choice((0, 1, 1, 2))):
            name = self._name("p")
            inputs.append((name, self._random.choice((0, 1, [], [1, 2]))))
            kind: Kind = "list" if isinstance(inputs[-1][1], list) else "int"
            known = True
            if self._chance(0.7):
                value = some_value(self._random, sight)
                given.append((name, value))
                known = sight.knows(value)
                kind = "any"
            seen.append(Seen(Name(f"inputs.{name}"), kind, known=known))
        inside = self.document(depth, Sight(tuple(seen), sight.prev, sight.prev_known))
        document = replace(inside, inputs=tuple(inputs))
        step = Use(document, tuple(given))
        return Made(step, (), "any" if document.outputs or sight.prev else None)

    def _graph(self, depth: int, sight: Sight) -> Made:
        nodes: list[Node] = []
        made: dict[str, Made] = {}
        behind: dict[str, set[str]] = {}
        total = self._random.choice((1, 2, 3, 4, 5))
        for number in range(total):
            names = [node.name for node in nodes]
            needs = [name for name in names if self._chance(0.5)]
            if number == total - 1:
                loose = set(names) - {need for node in nodes for need in node.needs}
                needs = [name for name in names if name in loose or name in needs]
            self._random.shuffle(needs)
            name = self._name("g")
            behind[name] = {*needs, *(each for need in needs for each in behind[need])}
            before = tuple(each for need in sorted(behind[name]) for each in made[need].seen)
            gives = made[needs[0]].gives if len(needs) == 1 else "many" if needs else sight.prev
            known = sight.prev_known and not needs
            step = self.step(depth, sight.with_names(before).after(gives, known=known))
            if isinstance(step.shape, Keyed):  # its name is its id
                step = replace(step, shape=Chain((step.shape,)))
            own = (Seen(Name(name), step.gives),) if step.gives else ()
            made[name] = replace(step, seen=(*step.seen, *own))
            nodes.append(Node(name, tuple(needs), step.shape))
        last = nodes[-1].name
        self._random.shuffle(nodes)
        seen = tuple(each for step in made.values() for each in step.seen)
        return Made(Graph(tuple(nodes)), seen, made[last].gives)

    def _limits(self) -> Limits:
        if self._chance(0.6):
            return Limits()
        return Limits(
            self._random.choice((None, 1, 2, 3)),
            self._random.choice((None, None, 1, 2, "50%", "34%")),
        )

    def _call(self, sight: Sight, *, own: bool) -> Shape:
        kind = self._random.choice(("task",) * 6 + ("repeat", "map", "starmap", "chunks"))
        immutable = self._chance(0.15)
        behaviour, retry = self._attempts()
        limits = self._limits() if own else Limits()
        match kind:
            case "task":
                literals: tuple[Any, ...] = ()
                if self._chance(0.5):
                    literals = (some_value(self._random, sight),)
                return Task("", behaviour, immutable, literals, retry)
            case "repeat":
                return Repeat(self._random.randint(0, 3), "", behaviour, immutable, retry, limits)
            case "chunks":
                size = self._random.randint(1, 3)
                number = self._random.randint(0, 4)
                return Items("chunks", number, size, retry=retry, limits=limits)
            case _:
                return Items(kind, self._random.randint(0, 3), retry=retry)  # type: ignore[arg-type]

    def _attempts(self) -> tuple[Behaviour, Retry | None]:
        if self._chance(0.85):
            return "tag", None
        errors = (), ("PassingFailureError",), ("PlannedFailureError",), ("Exception2", "KeyError")
        chosen = self._random.choice(errors)
        only, never = (chosen, ()) if self._chance(0.5) else ((), chosen)
        behaviour: Behaviour = self._random.choice(("tag", "fail_once", "fail_twice", "sometimes"))
        return behaviour, Retry(self._random.choice((1, 2, 3)), only, never)


def _multiplies(shape: Shape) -> bool:
    """Tell whether a call becomes several members of the group that it stands in."""
    return isinstance(shape, Repeat) or (isinstance(shape, Items) and shape.kind == "chunks")
