"""The work that may be done for one file before its run: one budget, charged before the work.

The budget counts steps, not time, so that a file which is accepted here is accepted everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flowrunner.source import Location

__all__ = ["FREE_CHARACTERS", "MOST_WORK", "UNTRUSTED", "Budget", "BudgetUsedUpError"]

#: Steps of a file. A step takes 0.1 to 1.4 µs: members of a wide `each` are the dearest.
MOST_WORK: Final = 8_000_000
#: How much dearer a step, a call or an evaluation is for a file that is not trusted: one that
#: is checked without plugins. ``graph`` takes up to 0.1 ms for each of them, and no more than
#: 3 s for a whole file.
UNTRUSTED: Final = 20
#: Files up to this length have the same budget; longer ones have more in proportion.
FREE_CHARACTERS: Final = 256 * 1024
_STEPS_PER_CHARACTER: Final = 40
_CHARACTERS_PER_STEP: Final = 16
_STEPS_PER_ITEM: Final = 3
#: The sizes of smaller values are counted anew: keeping them takes longer.
_SMALL: Final = 16


class BudgetUsedUpError(Exception):
    """The budget of a file is used up; ``location`` is where, as soon as that is known."""

    def __init__(self) -> None:
        super().__init__("the budget of the file is used up")
        self.location: Location | None = None

    def at(self, location: Location) -> BudgetUsedUpError:
        """Note the location, unless an inner one is known."""
        if self.location is None:
            self.location = location
        return self


class Budget:
    """What is left of the work of one file. Sizes that were counted once are remembered.

    ``weight`` multiplies the charge for each part of a plan.
    """

    __slots__ = ("_made", "_sizes", "left", "weight")

    def __init__(self, steps: int = MOST_WORK, *, weight: int = 1) -> None:
        self.left = steps
        self.weight = weight
        # With the values: as long as they are kept, no other ones have their ids.
        self._sizes: dict[int, tuple[Any, int]] = {}
        self._made: dict[int, tuple[Any, Any]] = {}

    def extend(self, characters: int) -> None:
        """Add the steps that a text of this length is allowed."""
        self.left += max(0, characters - FREE_CHARACTERS) * _STEPS_PER_CHARACTER

    def spend(self, steps: int) -> None:
        """Charge steps before the work. Raises :class:`BudgetUsedUpError` if too few are left."""
        self.left -= steps
        if self.left < 0:
            raise BudgetUsedUpError

    def spend_on_part(self, steps: int) -> None:
        """Charge for a part of the plan: a step, a call, an evaluation.

        Raises :class:`BudgetUsedUpError`.
        """
        self.spend(steps * self.weight)

    def spend_on_value(self, value: Any, times: int = 1) -> None:
        """Charge for walking through a JSON value and writing it, ``times`` times.

        Raises :class:`BudgetUsedUpError`.
        """
        if type(value) is str:
            self.spend(len(value) // _CHARACTERS_PER_STEP * times)
        elif isinstance(value, (list, tuple, Mapping)):
            self.spend(self._size(value) * times)

    def remembered(self, value: Any, make: Callable[[], Any]) -> Any:
        """Return what is made of a value, once for the same object."""
        key = id(value)
        if key not in self._made:
            self._made[key] = (value, make())
        return self._made[key][1]

    def _size(self, value: Any) -> int:
        """Return the steps of a list or mapping; inner ones that stand in it twice count twice."""
        if len(value) > _SMALL:
            known = self._sizes.get(id(value))
            if known is not None:
                return known[1]
        self.spend(len(value))
        size, characters = len(value) * _STEPS_PER_ITEM, 0
        if isinstance(value, Mapping):
            characters += sum(len(key) for key in value if type(key) is str)
            inner: Any = value.values()
        else:
            inner = value
        for each in inner:
            kind = type(each)
            if kind is str:
                characters += len(each)
            elif kind is list or kind is dict or kind is tuple:
                size += self._size(each)
        size += characters // _CHARACTERS_PER_STEP
        if len(value) > _SMALL:
            self._sizes[id(value)] = (value, size)
        return size
