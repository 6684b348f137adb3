"""The runs that are recorded: a table for people, objects for programs."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flowrunner.duration import shown_duration, shown_moment
from flowrunner.render.tree import display_width
from flowrunner.render.value import shown_name
from flowrunner.runs.driven import driven_until, seconds_driven
from flowrunner.runs.outcome import json_text
from flowrunner.runs.record import RunSummary

__all__ = ["abandoned_lines", "run_table", "short_id", "summary_to_json"]

HEADINGS: Final = ("run", "workflow", "state", "created", "took", "attempts", "file")
#: What the names of workflows and of files are not cut below, in columns.
NARROWEST: Final = 12


def short_id(run: UUID) -> str:
    """Return the start of a run's id, which names it where no other begins like it."""
    return str(run)[:8]


def run_table(
    runs: Sequence[RunSummary],
    *,
    width: int | None = None,
    abandoned: Container[UUID] = (),
    now: datetime | None = None,
    styled: Callable[[str, str], str] = lambda text, state: text,
) -> Iterator[str]:
    """Yield the lines of a table, ``width`` columns wide at most.

    ``styled`` gives the text of a state its colour. What a run that goes on has taken ends in
    an ellipsis; the processes of ``abandoned`` runs are gone.
    """
    now = now or datetime.now(UTC)
    rows = [HEADINGS, *(_cells(run, now, abandoned=run.run in abandoned) for run in runs)]
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        widths = _fitting(widths, width)
    for position, row in enumerate(rows):
        cells = [_cell(text, size) for text, size in zip(row, widths, strict=False)]
        if position:
            state = row[2]
            cells[2] = cells[2].replace(state, styled(state, state))
        yield "  ".join(cells).rstrip()


def _cells(run: RunSummary, now: datetime, *, abandoned: bool) -> tuple[str, ...]:
    took = shown_duration(_seconds(run, now, abandoned=abandoned))
    return (
        short_id(run.run),
        shown_name(run.workflow),
        "abandoned" if abandoned else run.state,
        shown_moment(run.created),
        took if run.ended or abandoned else f"{took} …",
        str(run.attempts),
        shown_name(run.file),
    )


def _seconds(run: RunSummary, now: datetime, *, abandoned: bool) -> float:
    """Return how long a run was driven; the time in which no process drove it does not count."""
    known = driven_until(run) if abandoned else run.ended
    return seconds_driven(run, known or now)


def abandoned_lines(runs: Sequence[RunSummary]) -> Iterator[str]:
    """Yield, below the table, what continues the runs whose processes are gone."""
    if not runs:
        return
    one = len(runs) == 1
    which = (
        "1 run was abandoned: its process is gone"
        if one
        else (f"{len(runs):,} runs were abandoned: their processes are gone")
    )
    yield ""
    yield f"{which}; continue {'it' if one else 'them'} with:"
    yield from (f"  flowrunner resume {short_id(run.run)}" for run in runs)


def _fitting(widths: list[int], width: int) -> list[int]:
    """Return the widths of columns that fit: the file's is cut or left out, then the workflow's."""
    *rest, file = widths
    room = width - sum(rest) - 2 * len(rest)
    if room >= min(file, NARROWEST):
        return [*rest, min(file, room)]
    workflow = rest[1]
    rest[1] = min(workflow, max(NARROWEST, room + 2 + workflow))
    return rest


def _cell(text: str, size: int) -> str:
    while display_width(text) > size:
        text = f"{text.rstrip('…')[:-1]}…"
    return text + " " * (size - display_width(text))


def summary_to_json(run: RunSummary, *, abandoned: bool = False) -> dict[str, Any]:
    """Return a run as ``runs --output json`` prints it; times are ISO 8601 in UTC."""
    return {
        "run": str(run.run),
        "workflow": json_text(run.workflow),
        "file": json_text(run.file),
        "state": run.state,
        "created": run.created.isoformat(),
        "ended": None if run.ended is None else run.ended.isoformat(),
        "attempts": run.attempts,
        "engine": run.engine,
        "seconds": round(_seconds(run, datetime.now(UTC), abandoned=abandoned), 6),
        "abandoned": abandoned,
    }
