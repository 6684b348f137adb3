"""How far the calls of a line are, in words."""

from __future__ import annotations

from msgspec import Struct

from flowrunner.render.label import counted

__all__ = ["Tally"]


class Tally(Struct, frozen=True):
    """How many calls of a line are in which state, and how often they were made again.

    Of those that failed, the ``caught`` ones are none of the run's: they were tolerated, or
    an ``on_error`` has stood in for them. ``abandoned`` ones had begun when the process that ran
    them went. Without a ``total`` there are none yet.
    """

    total: int
    succeeded: int = 0
    failed: int = 0
    caught: int = 0
    skipped: int = 0
    revoked: int = 0
    running: int = 0
    retrying: int = 0
    unneeded: int = 0
    retries: int = 0
    abandoned: int = 0

    @property
    def needed(self) -> int:
        """How many of them are to run, as far as is known."""
        return self.total - self.unneeded

    @property
    def word(self) -> str:
        """The state of the line as a whole."""
        if self.failed:
            return "failed"
        if self.unneeded and not self.needed:
            return "not needed"
        if not self.total:
            return "waiting"
        if self.succeeded + self.caught == self.needed:
            return "caught" if self.caught else "done"
        if self.abandoned:
            return "abandoned"
        if self.retrying:
            return "retrying"
        if self.running:
            return "running"
        if self.revoked:
            return "cancelled"
        if self.skipped:
            return "skipped"
        return "running" if self.succeeded or self.caught else "waiting"

    def __str__(self) -> str:
        if self.needed <= 1:
            said = ["failed, caught" if self.word == "caught" else self.word]
        else:
            others = (
                (self.failed, "failed"),
                (self.caught, "caught"),
                (self.abandoned, "abandoned"),
                (self.running, "running"),
                (self.retrying, "retrying"),
                (self.skipped, "skipped"),
                (self.revoked, "cancelled"),
            )
            said = [f"{self.succeeded:,}/{self.needed:,} done"]
            said += [f"{number:,} {word}" for number, word in others if number]
        before = self.retries - self.retrying
        if before > 0:
            said.append(counted(before, "retry"))
        return ", ".join(said)

    def bar(self, width: int, *, full: str = "━", empty: str = "╌") -> str:
        """Return a bar of how many calls have ended, or nothing for a single call."""
        if self.needed <= 1:
            return ""
        ended = self.succeeded + self.failed + self.caught + self.skipped + self.revoked
        filled = width * ended // self.needed
        return full * filled + empty * (width - filled)
