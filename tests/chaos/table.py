"""The table of trials: what became of the runs that a fault was tried on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

COLUMNS = ("ended right", "resumed right", "wrong", "hung")


def table(endings: Mapping[str, Counter[str]]) -> list[str]:
    """Return the table's lines; none when nothing was tried."""
    if not endings:
        return []
    width = max(map(len, endings))
    lines = ["  ".join([" " * width, "trials", *COLUMNS])]
    for name, count in endings.items():
        cells = [f"{count[column]:>{len(column)}}" for column in COLUMNS]
        lines.append("  ".join([f"{name:<{width}}", f"{count.total():>6}", *cells]))
    return lines
