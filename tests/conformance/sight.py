"""What expressions may use at a place of a random shape, and random expressions of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal, TypeAlias

from tests.conformance.expression import (
    Compared,
    Expression,
    Joined,
    Length,
    Listed,
    Name,
    Not,
    Part,
    Range,
    Text,
    names_in,
)
from tests.conformance.expression import Literal as Value

#: ``list`` is what a task gives, of which no type is known; ``many`` what members give together;
#: ``item`` one of a list that only run time knows; ``any`` one of several.
Kind: TypeAlias = Literal["list", "many", "int", "text", "item", "any", "failure"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A name, what kind of value it stands for, and whether that is known before the run."""

    name: Name
    kind: Kind
    known: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """The names that may be used; ``prev`` is the kind of the input, if there certainly is one.

    ``prev_known`` says that it may be known before the run: that it is an item which is.
    """

    names: tuple[Seen, ...] = ()
    prev: Kind | None = None
    prev_known: bool = False

    def with_names(self, names: Iterable[Seen]) -> Sight:
        return replace(self, names=(*self.names, *names))

    def after(self, gives: Kind | None, *, known: bool = False) -> Sight:
        return replace(self, prev=gives, prev_known=known)

    def is_free(self, name: str) -> bool:
        return all(seen.name.name != name for seen in self.names)

    def every(self) -> tuple[Seen, ...]:
        if self.prev is None:
            return self.names
        return (*self.names, Seen(Name("prev"), self.prev, known=self.prev_known))

    def knows(self, value: Any) -> bool:
        known = {seen.name.name for seen in self.every() if seen.known}
        return known.issuperset(names_in(value))


def condition(random: Random, sight: Sight, *, depth: int = 1) -> Expression:
    """Return a condition; a few that run time decides turn out to be none, or fail."""
    seen = sight.every()
    if depth and random.random() < 0.2:
        inner = condition(random, sight, depth=0)
        if random.random() < 0.4:
            return Not(inner)
        other = condition(random, sight, depth=0)
        return Joined(random.choice(("and", "or")), inner, other)
    if not seen or random.random() < 0.05:
        return Value(random.random() < 0.6)
    chosen = random.choice(seen)
    risky = not chosen.known and chosen.kind in ("list", "item") and random.random() < 0.1
    return _test_of(random, chosen, risky=risky)


def _test_of(random: Random, seen: Seen, *, risky: bool) -> Expression:
    name = seen.name
    if risky:
        return random.choice((Compared(">", Length(name), Value(1)), name, Part(name, 0)))
    match seen.kind:
        case "list" | "many":
            return random.choice(
                (
                    Compared(random.choice("<>"), Length(name), Value(random.choice((1, 2)))),
                    Compared(random.choice(("==", "!=")), name, Value([])),
                )
            )
        case "int":
            operator = random.choice(("==", "<", ">"))
            return Compared(operator, name, Value(random.choice((0, 1, 2))))
        case "text":
            return Compared("==", name, Value("a"))
        case "failure":
            kind = Part(Part(Part(name, "errors"), 0), "type")
            return random.choice(
                (
                    Compared(">", Length(Part(name, "errors")), Value(1)),
                    Compared("==", kind, Value("PlannedFailureError")),
                )
            )
        case _:
            return Compared(random.choice(("==", "!=")), name, Value(random.choice((None, []))))


def some_value(random: Random, sight: Sight) -> Any:
    """Return a value of an argument, an input or an output: data, or expressions in it."""
    seen = sight.every()
    if not seen or random.random() < 0.3:
        return random.choice((1, None, "x", [1, {"a": [2]}], True))
    chosen = random.choice(seen)
    name = chosen.name
    values: list[Any] = [name, name, [name, 1], {"k": name}, Listed((name, Value(2)))]
    if chosen.kind in ("list", "many"):
        values += [Length(name), Text("a", Length(name), "b")]
    if chosen.kind == "int":
        values += [Text("n", name)]
    if chosen.kind == "failure":
        values = [Length(Part(name, "errors")), Part(Part(Part(name, "errors"), 0), "type"), name]
    if chosen.kind == "list" and not chosen.known:
        values += [Part(name, 0)]
    return random.choice(values)


def items(random: Random, sight: Sight) -> tuple[Any, Kind, bool]:
    """Return items of an ``each``, of which kind they are, and whether they are known."""
    lists = [seen for seen in sight.every() if seen.kind in ("list", "many")]
    if lists and random.random() < 0.6:
        chosen = random.choice(lists)
        return chosen.name, "any" if chosen.known else "item", chosen.known
    others = [seen for seen in sight.every() if not seen.known]
    if others and random.random() < 0.5:
        chosen = random.choice(others)
        if chosen.kind == "item" and random.random() < 0.3:
            return chosen.name, "item", False  # perhaps it is a list
        return Listed((chosen.name, Value(3))), "any", False
    match random.choice(("ints", "texts", "lists", "range", "none")):
        case "ints":
            return [1, 3], "int", True
        case "texts":
            return ["a", "b", "c"], "text", True
        case "lists":
            return [[1], [2, 3]], "list", True
        case "range":
            return Range(0, random.randint(0, 3)), "int", True
        case _:
            return [], "any", True
