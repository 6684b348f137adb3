"""The figures of all trials, engine by engine, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.trial import Trial

COLUMNS = {
    "shapes": "shapes",
    "right": "right",
    "failed": "failed as they should",
    "refused": "refused",
    "wrong": "wrong",
    "hung": "hung",
    "twice": "executed twice",
}


class Scoreboard:
    """Counts verdicts by engine."""

    def __init__(self, scores: dict[str, Counter[str]]) -> None:
        self._scores = scores

    def note(self, engine: str, trials: Iterable[Trial]) -> None:
        score = self._scores.setdefault(engine, Counter())
        for trial in trials:
            score["shapes"] += 1
            # The right value with a task executed once too often is not right.
            score[
                "wrong"
                if trial.complaints and trial.verdict in ("right", "failed")
                else trial.verdict
            ] += 1
            score["twice"] += trial.executed_twice

    def lines(self) -> list[str]:
        """Return the table's lines; none when nothing was tried."""
        if not self._scores:
            return []
        width = max(map(len, self._scores))
        head = "  ".join([" " * width, *COLUMNS.values()])
        rows = [
            "  ".join(
                [
                    f"{engine:{width}}",
                    *(f"{score[key]:{len(title)},}" for key, title in COLUMNS.items()),
                ]
            )
            for engine, score in self._scores.items()
        ]
        return [head, *rows]
