"""The live tree of a run on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from flowrunner.plan import Plan
from flowrunner.render.layout import NARROWEST_LABEL, cut, display_width
from flowrunner.render.progress import ProgressLine, RunTree
from flowrunner.runs.run_ledger import RunProgress
from flowrunner.task_output import TaskOutput

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["LiveTree"]

#: A run that has ended by then is not worth a display, nor the time that rich takes to import.
PATIENCE: Final = 0.25
REFRESH: Final = 0.1
#: A terminal of so many columns has room for whole bars.
WIDE: Final = 100
BAR_WIDTH: Final = 20
#: Blanks between columns.
GAP: Final = 2

STYLES: Final = {
    "abandoned": "yellow",
    "failed": "bold red",
    "done": "green",
    "caught": "yellow",
    "running": "cyan",
    "retrying": "yellow",
    "skipped": "dim",
    "cancelled": "yellow",
    "waiting": "dim",
    "not needed": "dim",
}


class LiveTree:
    """Redraws the tree of a run until the ``with`` block ends; its last state stays."""

    def __init__(self, plan: Plan, ledger: RunProgress, output: TaskOutput) -> None:
        self._tree = RunTree(plan)
        self._ledger = ledger
        self._output = output
        self._started = monotonic()
        self._stopped = Event()
        self._thread = Thread(target=self._show, name="flowrunner-live", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        if self._ledger.failed and monotonic() - self._started < PATIENCE:
            self._show_once()

    def _show(self) -> None:
        if self._stopped.wait(PATIENCE):
            return
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        console = Console(file=self._output.target)

        def show(lines: str) -> None:
            console.print(Text.from_ansi(lines.removesuffix("\n")), soft_wrap=True)

        with (
            Live(
                self._table(console),
                console=console,
                auto_refresh=False,
                redirect_stdout=False,  # the output does that: by the line, and by the call
                redirect_stderr=False,
            ) as live,
            self._output.shown_by(show),
        ):
            pause = REFRESH
            while not self._stopped.wait(pause):
                began = monotonic()
                live.update(self._table(console), refresh=True)
                pause = max(REFRESH, 3 * (monotonic() - began))  # a wide run has better to do
            live.update(self._table(console), refresh=True)

    def _show_once(self) -> None:
        from rich.console import Console

        console = Console(file=self._output.target)
        console.print(self._table(console))

    def _table(self, console: Console) -> Table:
        from rich.table import Table
        from rich.text import Text

        seconds = f"{monotonic() - self._started:.1f} s"
        lines = list(self._tree.lines(self._ledger))
        bar_width, label_width = _widths(lines, console.width, len(seconds))
        table = Table.grid(padding=(0, GAP))
        for _ in range(3):
            table.add_column(no_wrap=True, overflow="ellipsis")
        title = Text(cut(self._tree.title, label_width), style="bold")
        table.add_row(title, "", Text(seconds, "dim"))
        for line in lines:
            table.add_row(Text(cut(line.text, label_width)), *_status(line, bar_width))
        return table


def _widths(lines: Sequence[ProgressLine], width: int, widest_state: int) -> tuple[int, int]:
    """Return the columns of bars and of labels: first bars are left out, then labels are cut."""
    tallies = [line.tally for line in lines if line.tally is not None]
    states = max([widest_state, *(len(str(tally)) for tally in tallies)])
    bars = BAR_WIDTH if width >= WIDE else BAR_WIDTH // 2
    room = width - states - 2 * GAP
    if max(display_width(line.text) for line in lines) > room - bars:
        bars = 0
    return bars, max(room - bars, NARROWEST_LABEL)


def _status(line: ProgressLine, bar_width: int) -> tuple[Text, Text]:
    from rich.text import Text

    if line.tally is None:
        return Text(), Text()
    style = STYLES[line.tally.word]
    return Text(line.tally.bar(bar_width), style), Text(str(line.tally), style)
