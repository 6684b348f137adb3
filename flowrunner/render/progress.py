"""A run as a tree of text: the plan's lines, each with how far its calls are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from flowrunner.plan import Call, Group, Node, Plan
from flowrunner.render.tree import TreeLine, tree_lines
from flowrunner.render.value import shown_name
from flowrunner.runs.run_ledger import RunProgress

__all__ = ["ProgressLine", "RunTree", "Tally", "paths_of_line", "text_of_line"]

BAR_WIDTH = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """How many calls of a line are in which state, and how often they were retried."""

    total: int
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    revoked: int = 0
    running: int = 0
    retrying: int = 0
    unneeded: int = 0

    @property
    def word(self) -> str:
        """The state of the line as a whole."""
        if self.failed:
            return "failed"
        if self.unneeded:
            return "not needed"
        if self.succeeded == self.total:
            return "done"
        if self.retrying:
            return "retrying"
        if self.running:
            return "running"
        if self.revoked:
            return "cancelled"
        if self.skipped:
            return "skipped"
        return "waiting" if not self.succeeded else "running"

    def __str__(self) -> str:
        if self.total == 1 or self.unneeded:
            return self.word
        others = (
            (self.failed, "failed"),
            (self.running, "running"),
            (self.retrying, "retrying"),
            (self.skipped, "skipped"),
            (self.revoked, "cancelled"),
        )
        parts = [f"{self.succeeded:,}/{self.total:,} done"]
        parts += [f"{number:,} {word}" for number, word in others if number]
        return ", ".join(parts)

    def bar(self, width: int = BAR_WIDTH, *, full: str = "━", empty: str = "╌") -> str:
        """Return a bar of how many calls have ended, or nothing for a single call."""
        if self.total == 1 or self.unneeded:
            return ""
        ended = self.succeeded + self.failed + self.skipped + self.revoked
        filled = width * ended // self.total
        return full * filled + empty * (width - filled)


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """A line of the tree; ``tally`` is ``None`` where the line stands for what is beneath it."""

    text: str
    tally: Tally | None


class RunTree:
    """The tree of a plan, to be read again and again while a run goes on."""

    def __init__(self, plan: Plan) -> None:
        self.title = shown_name(plan.name)
        self._lines = [(text_of_line(line), paths_of_line(line)) for line in tree_lines(plan)]

    def lines(self, ledger: RunProgress) -> Iterator[ProgressLine]:
        """Yield the lines with what the ledger says at this moment."""
        for text, paths in self._lines:
            yield ProgressLine(text, _tally(paths, ledger) if paths else None)


def text_of_line(line: TreeLine) -> str:
    """Return a line of the tree without what comes behind it."""
    return f"{line.guides}{line.role}{line.text}".rstrip()


def paths_of_line(line: TreeLine) -> tuple[str, ...]:
    """Return the paths of the calls that a line stands for."""
    return tuple(call.path for node in line.nodes for call in _calls(node))


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
    elif isinstance(node, Group) and node.batched:
        yield from (call for call in node.flat() if isinstance(call, Call))


def _tally(paths: tuple[str, ...], ledger: RunProgress) -> Tally:
    count = Counter(ledger.steps[path].state for path in paths)
    return Tally(
        len(paths),
        succeeded=count["SUCCESS"],
        failed=count["FAILURE"],
        skipped=count["SKIPPED"],
        revoked=count["REVOKED"],
        running=count["STARTED"],
        retrying=count["RETRY"],
        unneeded=count["UNNEEDED"],
    )
