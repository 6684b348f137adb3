"""How large an expression, its values and its work may become.

The caps are ones that a mistake meets and a workflow does not; together they bound what the
evaluation of one scalar costs: some tens of milliseconds and some tens of megabytes.
"""

from __future__ import annotations

from typing import Final

from flowrunner.expressions.errors import OperandError

__all__ = [
    "DEEPEST_NESTING",
    "LARGEST_INTEGER",
    "LONGEST_EXPRESSION",
    "LONGEST_LIST",
    "LONGEST_TEXT",
    "MOST_EXPRESSION_TEXT",
    "SMALLEST_INTEGER",
    "Budget",
    "Work",
]

#: Characters between the braces of one expression.
LONGEST_EXPRESSION: Final = 4_096
#: Characters of all expressions of one text together.
MOST_EXPRESSION_TEXT: Final = 32_768
#: Brackets inside brackets.
DEEPEST_NESTING: Final = 32
#: Characters of a text that an expression makes.
LONGEST_TEXT: Final = 1_000_000
#: Items of a list that an expression makes, those of inner lists and dicts included.
LONGEST_LIST: Final = 100_000
#: What a 64-bit integer holds: JSON readers in other languages take no more.
SMALLEST_INTEGER: Final = -(2**63)
LARGEST_INTEGER: Final = 2**63 - 1
#: Steps of work, about 0.1 µs each.
_MOST_WORK: Final = 600_000
_CHARACTERS_PER_STEP: Final = 64
#: Steps of all expressions of a workflow together, however often each is evaluated.
_MOST_WORK_TOGETHER: Final = 20_000_000


class Budget:
    """What is left of the work that all expressions of a workflow may do together."""

    __slots__ = ("_left",)

    def __init__(self, steps: int = _MOST_WORK_TOGETHER) -> None:
        self._left = steps

    def take(self, steps: int) -> bool:
        """Take that many steps; tell whether they were still there."""
        self._left -= steps
        return self._left >= 0


class Work:
    """What is left of the work that one evaluation may do.

    It counts items, not time, so that a workflow that runs here runs everywhere.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _MOST_WORK

    @property
    def done(self) -> int:
        """The steps that have been done."""
        return _MOST_WORK - self._left

    def spend(self, steps: int) -> None:
        """Take that many steps from the rest, before they are done."""
        self._left -= steps
        if self._left < 0:
            raise OperandError("this is too much work for an expression: do it in a task")

    def spend_on_characters(self, characters: int) -> None:
        """Take the steps that copying or comparing so many characters costs."""
        self.spend(characters // _CHARACTERS_PER_STEP)
