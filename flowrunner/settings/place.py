"""Where a setting is said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """A file, a variable of the environment or an option that says a setting.

    ``origin`` names it in short and ``shown`` in full; ``subject`` begins what is said against
    the value. ``folder`` is what paths in the value are relative to.
    """

    origin: str
    shown: str
    subject: str
    folder: Path = Path()

    @classmethod
    def of_file(cls, file: Path, key: str) -> Place:
        """Return the place of a key in a configuration file."""
        return cls(file.name, str(file), f"{file}: '{key}'", file.parent)
