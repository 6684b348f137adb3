"""A run as a tree of text: the plan's lines, each with how far its calls are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from flowrunner.plan import Plan, Skipped
from flowrunner.render.line_index import LineIndex
from flowrunner.render.outcome import part_of
from flowrunner.render.tally import Tally
from flowrunner.render.tree import TreeLine, tree_lines
from flowrunner.render.value import shown_name
from flowrunner.runs.ledger import StepState
from flowrunner.runs.run_ledger import RunProgress

__all__ = ["ProgressLine", "RunTree", "text_of_line"]


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """A line of the tree; ``tally`` is ``None`` where the line stands for what is beneath it."""

    text: str
    tally: Tally | None


class RunTree:
    """The tree of a plan, to be read again and again while a run goes on.

    A line of a template counts the calls that have come into being so far.
    """

    def __init__(self, plan: Plan) -> None:
        self.title = shown_name(plan.name)
        self._lines = list(tree_lines(plan))
        self._texts = list(map(text_of_line, self._lines))
        self._index = LineIndex(self._lines)
        self._planned = {path for paths in self._index.planned for path in paths}

    def lines(self, ledger: RunProgress) -> Iterator[ProgressLine]:
        """Yield the lines with what the ledger says at this moment."""
        counts: list[Counter[str]] = [Counter() for _ in self._lines]
        caught = {error.call.path for error in ledger.caught}
        steps = ledger.steps
        for path in list(steps):  # at once: others may come in the meantime
            line = self._index.line_of(path)
            if line is not None:
                self._note(steps[path], counts[line], is_caught=path in caught)
        for number, count in enumerate(counts):
            yield ProgressLine(self._texts[number], self._tally(number, count, ledger))

    def _note(self, step: StepState, count: Counter[str], *, is_caught: bool) -> None:
        count["CAUGHT" if is_caught and step.state == "FAILURE" else step.state] += 1
        count["retries"] += step.retries
        count["planned" if step.call.path in self._planned else "unplanned"] += 1

    def _tally(self, number: int, count: Counter[str], ledger: RunProgress) -> Tally | None:
        line = self._lines[number]
        if line.nodes and isinstance(line.nodes[0], Skipped):
            return Tally(1, unneeded=1)
        if not count and not self._index.is_counted[number]:
            return None
        planned = self._index.planned[number]
        total = len(planned) + count["unplanned"]
        missing = len(planned) - count["planned"]
        if not total:  # a template that nothing was made of
            total = missing = 1 if self._has_ended(line, ledger) else 0
        elif missing and not self._has_ended(line, ledger):
            missing = 0
        left = "skipped" if ledger.failed else "unneeded"
        return Tally(
            total,
            succeeded=count["SUCCESS"],
            failed=count["FAILURE"],
            caught=count["CAUGHT"],
            skipped=count["SKIPPED"] + (missing if left == "skipped" else 0),
            revoked=count["REVOKED"],
            running=count["STARTED"],
            retrying=count["RETRY"],
            unneeded=count["UNNEEDED"] + (missing if left == "unneeded" else 0),
            retries=count["retries"],
        )

    @staticmethod
    def _has_ended(line: TreeLine, ledger: RunProgress) -> bool:
        """Tell whether nothing more comes of the part of the run that a line belongs to."""
        return ledger.has_ended(part_of(line.nodes[0].path) if line.nodes else None)


def text_of_line(line: TreeLine) -> str:
    """Return a line of the tree without what comes behind it."""
    return f"{line.guides}{line.role}{line.text}".rstrip()
