"""What may be asked of a call, or of members side by side, beyond Celery's own options."""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Retry", "Tolerance", "built_in_exception", "built_in_exceptions"]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is made again when it fails, and after how many seconds.

    The first of ``maximum`` further attempts comes after ``delay`` seconds, each later one after
    ``backoff`` times as many, but never more than ``cap``. ``jitter`` of ``full`` takes a random
    part of that. ``only`` and ``never`` are names of exception types, of which the last part
    counts; a built-in one stands for the built-in ones derived from it as well, and ``Exception``
    for all. Of others a result backend tells no more than their names. ``never`` wins.
    """

    maximum: int
    delay: float = 0
    backoff: float = 1
    cap: float | None = None
    jitter: Literal["none", "full"] = "none"
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def applies(self, error: str, attempt: int) -> bool:
        """Tell whether a failure of this type is tried again after ``attempt`` attempts."""
        if attempt > self.maximum or _is_one_of(error, self.never):
            return False
        return not self.only or _is_one_of(error, self.only)

    def seconds(self, attempt: int) -> float:
        """Return the longest pause after ``attempt`` attempts; jitter makes it shorter."""
        try:
            seconds = self.delay * self.backoff ** (attempt - 1)
        except OverflowError:
            seconds = math.inf
        return min(seconds, math.inf if self.cap is None else self.cap)


def _is_one_of(error: str, names: tuple[str, ...]) -> bool:
    kind = built_in_exception(error)
    own = {error, "Exception", "BaseException"}
    if kind is not None:
        own |= {each.__name__ for each in kind.__mro__}
    return any(_own_name(name.rpartition(".")[2]) in own for name in names)


def _own_name(name: str) -> str:
    """Return what an exception calls itself: ``IOError`` is another name of ``OSError``."""
    kind = built_in_exception(name)
    return name if kind is None else kind.__name__


def built_in_exceptions() -> list[str]:
    """Return the names of Python's own exceptions."""
    return [name for name in dir(builtins) if built_in_exception(name) is not None]


def built_in_exception(name: str) -> type[BaseException] | None:
    """Return Python's own exception of that name, which may be an alias (``IOError``)."""
    kind = getattr(builtins, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, BaseException) else None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many members may fail: that many, or that many per cent of them."""

    amount: float
    percent: bool = False

    def most(self, members: int) -> int:
        """Return how many of so many members may fail."""
        return int(members * self.amount // 100) if self.percent else int(self.amount)
