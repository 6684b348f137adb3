"""What a step is given, as far as its line in a graph tells it."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from flowrunner.plan import (
    Call,
    Chain,
    Chord,
    Constant,
    Each,
    Failing,
    Given,
    Graph,
    Group,
    Named,
    Node,
    Rescue,
    Skipped,
    Switch,
    Used,
)

__all__ = ["Input", "value_of"]


class Input(Struct, frozen=True):
    """What a step is given: nothing at all, a value, or a list whose ``length`` may be known."""

    exists: bool = False
    length: int | None = None
    is_list: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of it beside the step."""
        if self.length is not None:
            return (f"← list of {self.length:,}",)
        return ("← list",) if self.is_list else ()

    def within(self) -> Input:
        """Return the same input for the steps inside: their parent's line told its length."""
        return Input(self.exists)


def value_of(node: Node, given: Input) -> Input:
    """Return what a node gives to the step after it."""
    match node:
        case Call():
            return Input(True, len(node.args) if node.kind in ("map", "starmap") else None)
        case Chain():
            for step in node.steps:
                given = value_of(step, given)
            return given
        case Group():
            return Input(True, node.count)
        case Each():
            return Input(True, is_list=True)
        case Chord():
            return value_of(node.body, value_of(node.header, given))
        case Skipped():
            return given
        case Named() | Used():
            return value_of(node.step, given)
        case Given():
            return value_of(node.step, Input(True))
        case Switch() | Rescue() | Constant() | Graph() | Failing():
            return Input(True)
        case _:
            assert_never(node)
