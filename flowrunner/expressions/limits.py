"""How large an expression, its values and its work may become.

The caps are ones that a mistake meets and a workflow does not; together they bound what the
evaluation of one scalar costs: some tens of milliseconds and some tens of megabytes.
"""

from __future__ import annotations

from typing import Final

from flowrunner.budget import Budget, BudgetUsedUpError
from flowrunner.expressions.errors import OperandError

__all__ = [
    "DEEPEST_NESTING",
    "LARGEST_INTEGER",
    "LONGEST_EXPRESSION",
    "LONGEST_LIST",
    "LONGEST_TEXT",
    "MOST_EXPRESSION_TEXT",
    "SMALLEST_INTEGER",
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


class Work:
    """What is left of the work that one evaluation may do.

    An evaluation ends where its own work, or the ``budget`` of its file, is used up.
    """

    __slots__ = ("_left", "_most")

    def __init__(self, budget: Budget | None = None) -> None:
        self._most = self._left = (
            _MOST_WORK if budget is None or budget.left > _MOST_WORK else budget.left
        )

    @property
    def done(self) -> int:
        """The steps that have been done, or were refused."""
        return self._most - self._left

    def spend(self, steps: int) -> None:
        """Take that many steps from the rest, before they are done."""
        self._left -= steps
        if self._left < 0:
            if self._most < _MOST_WORK:
                raise BudgetUsedUpError
            raise OperandError("this is too much work for an expression: do it in a task")

    def spend_on_characters(self, characters: int) -> None:
        """Take the steps that copying or comparing so many characters costs."""
        self.spend(characters // _CHARACTERS_PER_STEP)
