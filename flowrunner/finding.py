"""What a check of everything that a run needs has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Finding", "Severity"]

Severity: TypeAlias = Literal["error", "warning", "ok"]


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and how it is.

    ``what`` says that; of an error or a warning ``why`` says why it matters and ``cure`` what to
    do. The lines of a cure after its first one are commands, to be typed as they are.
    """

    severity: Severity
    check: str
    what: str
    why: str = ""
    cure: str = ""

    @property
    def cure_with_commands(self) -> str:
        """The cure, each command on a line of its own that begins with two blanks."""
        return self.cure.replace("\n", "\n  ")
