"""What is wrong with a workflow, collected while it is planned."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from flowrunner.errors import Diagnostic
from flowrunner.source import Location, Source

__all__ = ["Problems"]


class Problems:
    """Every problem once, however often it is met."""

    def __init__(self, known: Iterable[Diagnostic] = ()) -> None:
        self._found: dict[Diagnostic, None] = dict.fromkeys(known)

    def report(
        self,
        message: str,
        location: Location | None,
        label: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        """Note a problem."""
        self._found[Diagnostic(message, location, label, notes)] = None

    def __len__(self) -> int:
        return len(self._found)

    def in_order(self, source: Source) -> list[Diagnostic]:
        """Return what is outside a file first, then the file's problems from top to bottom."""
        inside: list[Diagnostic] = []
        outside: list[Diagnostic] = []
        for each in self._found:
            place = each.location
            (inside if place and place.source is source else outside).append(each)
        return [*outside, *sorted(inside, key=attrgetter("location.start"))]
