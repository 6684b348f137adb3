"""The name of a call before each line that it prints: ``charge[3]``."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from flowrunner.plan import Call, Plan, calls_in
from flowrunner.render.value import shown_name

__all__ = ["CallLabels"]

_NUMBER: Final = re.compile(r"\[(\d+|\*)\]")
_ANY: Final = "[*]"


class CallLabels:
    """Names the calls of a plan by their tasks, with the numbers that tell them apart.

    A task that stands in several places of a plan is named by the call's path.
    """

    def __init__(self, plan: Plan, *, bar: str) -> None:
        self._plan = plan
        self._bar = bar
        self._labels: dict[str, str] = {}

    def __call__(self, call: Call) -> str:
        """Return what stands before a line of a call."""
        try:
            return self._labels[call.path]
        except KeyError:
            label = self._labels[call.path] = f"{self._name(call)} {self._bar} "
            return label

    def _name(self, call: Call) -> str:
        place = self._places.get(call.task)
        if place is None or place[0] != _NUMBER.sub(_ANY, call.path):
            return call.path
        numbers = _NUMBER.findall(call.path)
        return shown_name(call.task) + "".join(f"[{numbers[each]}]" for each in place[1])

    @cached_property
    def _places(self) -> dict[str, tuple[str, tuple[int, ...]] | None]:
        """Return for a task its one place, a path without numbers, and which numbers vary."""
        found: dict[str, tuple[str, list[set[str]]] | None] = {}
        for root in (self._plan.root, *(handler.root for handler in self._plan.handlers)):
            for call in calls_in(root):
                place, numbers = _NUMBER.sub(_ANY, call.path), _NUMBER.findall(call.path)
                known = found.setdefault(call.task, (place, [set() for _ in numbers]))
                if known is None or known[0] != place:
                    found[call.task] = None
                    continue
                for values, number in zip(known[1], numbers, strict=True):
                    values.add(number)
        return {
            task: None if known is None else (known[0], tuple(_varying(known[1])))
            for task, known in found.items()
        }


def _varying(numbers: list[set[str]]) -> list[int]:
    return [place for place, each in enumerate(numbers) if len(each) > 1 or "*" in each]
