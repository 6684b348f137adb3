"""A run as a tree of text: the plan's lines, each with how far its calls are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from flowrunner.plan import Plan, Skipped
from flowrunner.render.line_index import LineIndex
from flowrunner.render.outcome import part_of
from flowrunner.render.tally import Tally
from flowrunner.render.tree import TreeLine, tree_lines
from flowrunner.render.value import shown_name
from flowrunner.runs.run_ledger import RunProgress

__all__ = ["ProgressLine", "RunTree", "text_of_line"]


#: Celery's words for the states of calls, and those of its ledger.
_STATES = (
    "PENDING",
    "STARTED",
    "RETRY",
    "SUCCESS",
    "FAILURE",
    "CAUGHT",
    "ABANDONED",
    "REVOKED",
    "SKIPPED",
    "UNNEEDED",
)


class ProgressLine(Struct, frozen=True):
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

    def lines(self, ledger: RunProgress, *, abandoned: bool = False) -> Iterator[ProgressLine]:
        """Yield the lines with what the ledger says at this moment.

        Of an ``abandoned`` run nothing runs, and nothing is retried.
        """
        counts: list[dict[str, int]] = [{} for _ in self._lines]
        caught = {error.call.path for error in ledger.caught}
        line_of, planned = self._index.line_of, self._planned
        for path, step in ledger.snapshot().items():
            line = line_of(path)
            if line is None:
                continue
            count, state = counts[line], step.state
            if state == "FAILURE" and path in caught:
                state = "CAUGHT"
            elif abandoned and state in ("STARTED", "RETRY"):
                state = "ABANDONED"
            count[state] = count.get(state, 0) + 1
            if step.retries:
                count["retries"] = count.get("retries", 0) + step.retries
            if path not in planned:
                count["unplanned"] = count.get("unplanned", 0) + 1
        for number, count in enumerate(counts):
            yield ProgressLine(self._texts[number], self._tally(number, Counter(count), ledger))

    def _tally(self, number: int, count: Counter[str], ledger: RunProgress) -> Tally | None:
        line = self._lines[number]
        if line.nodes and isinstance(line.nodes[0], Skipped):
            return Tally(1, unneeded=1)
        if not count and not self._index.is_counted[number]:
            return None
        planned = self._index.planned[number]
        total = len(planned) + count["unplanned"]
        missing = total - sum(count[state] for state in _STATES)
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
            abandoned=count["ABANDONED"],
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
