"""What is wrong with a workflow, collected while it is planned."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from flowrunner.budget import Budget
from flowrunner.errors import Diagnostic
from flowrunner.source import Location, Source

__all__ = ["Problems"]

#: Steps of the budget for a problem.
_STEPS_PER_PROBLEM: Final = 200
_CHARACTERS_PER_STEP: Final = 8


class Problems:
    """Every problem once, however often it is met. Those that are added take from a budget."""

    def __init__(self, known: Iterable[Diagnostic] = (), budget: Budget | None = None) -> None:
        self._found: dict[Diagnostic, None] = dict.fromkeys(known)
        self._budget = budget

    def report(
        self,
        message: str,
        location: Location | None,
        label: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        """Note a problem."""
        self.add(Diagnostic(message, location, label, notes))

    def add(self, problem: Diagnostic) -> None:
        """Note a problem that was found elsewhere.

        Raises :class:`~flowrunner.budget.BudgetUsedUpError`.
        """
        if problem in self._found:
            return
        if self._budget is not None:
            said = (problem.message, problem.label, *problem.notes)
            self._budget.spend(_STEPS_PER_PROBLEM + sum(map(len, said)) // _CHARACTERS_PER_STEP)
        self._found[problem] = None

    def places(self) -> set[tuple[int, int]]:
        """Return where problems begin: sources by their identity, and offsets in them."""
        found = (each.location for each in self._found if each.location is not None)
        return {(id(place.source), place.start) for place in found}

    def __len__(self) -> int:
        return len(self._found)

    def in_order(self, *files: Source) -> list[Diagnostic]:
        """Return what is outside these files first, then each file's problems, top to bottom."""
        outside: list[Diagnostic] = []
        inside: dict[Source, list[Diagnostic]] = {file: [] for file in files}
        for each in self._found:
            place = each.location
            (outside if place is None else inside.get(place.source, outside)).append(each)
        return [
            *outside,
            *(each for found in inside.values() for each in sorted(found, key=_offset)),
        ]


_offset = attrgetter("location.start")
