"""Whether a step gives what it is given, so that nothing has come before what follows it."""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from flowrunner import plan

__all__ = ["Passing", "passing"]


class Passing(Enum):
    """Whether a step gives what it is given."""

    NEVER = "never"
    PERHAPS = "perhaps"
    ALWAYS = "always"


def passing(step: plan.Node) -> Passing:
    """Tell whether a step gives what it is given: one that is skipped, an empty chain."""
    match step:
        case plan.Skipped():
            return Passing.ALWAYS
        case plan.Chain():
            return _first_that_gives(step)
        case plan.Named() | plan.Used() | plan.Rescue():
            return passing(step.step)
        case plan.Switch():
            return _of_branches(step)
        case (
            plan.Call()
            | plan.Group()
            | plan.Chord()
            | plan.Each()
            | plan.Given()
            | plan.Constant()
            | plan.Graph()
            | plan.Failing()
        ):
            return Passing.NEVER
        case _:
            assert_never(step)


def _first_that_gives(chain: plan.Chain) -> Passing:
    found = [passing(step) for step in chain.steps]
    if Passing.NEVER in found:
        return Passing.NEVER
    return Passing.PERHAPS if Passing.PERHAPS in found else Passing.ALWAYS


def _of_branches(switch: plan.Switch) -> Passing:
    found = {passing(branch.step) for branch in switch.branches}
    found.add(Passing.ALWAYS if switch.otherwise is None else passing(switch.otherwise))
    return found.pop() if len(found) == 1 else Passing.PERHAPS
