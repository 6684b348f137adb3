"""The table of runs fits the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from flowrunner.duration import shown_duration
from flowrunner.render.run_list import run_table
from flowrunner.render.tree import display_width
from flowrunner.runs.record import RunSummary

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def summary(workflow: str = "w", file: str = "w.yaml", *, seconds: float | None = 1) -> RunSummary:
    ended = None if seconds is None else NOON + timedelta(seconds=seconds)
    state = "STARTED" if seconds is None else "SUCCESS"
    return RunSummary(UUID(int=1), workflow, file, state, NOON, ended, 1, "embedded")


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("workflow", ["w", "w" * 60, "größer-" * 9, "漢字" * 20, "a\nb\x1b[31m"])
@pytest.mark.parametrize("file", ["w.yaml", "some/where/" * 5])
def test_no_line_is_wider_than_the_terminal(width: int, workflow: str, file: str) -> None:
    lines = list(run_table([summary(workflow, file), summary()], width=width))
    assert all(display_width(line) <= width for line in lines)
    assert all(line.isprintable() for line in lines)
    assert lines[0].split()[:6] == ["run", "workflow", "state", "created", "took", "attempts"]


def test_files_are_shown_where_there_is_room() -> None:
    run = summary(file="some/where/workflow.yaml")
    assert list(run_table([run], width=200))[1].endswith("some/where/workflow.yaml")
    assert list(run_table([run], width=80))[1].endswith("some/where/…")
    assert "…" not in list(run_table([summary("w" * 50)]))[1]
    assert "file" not in next(run_table([summary("w" * 50)], width=80))


def test_what_goes_on_has_taken_a_while_so_far() -> None:
    (_, line) = run_table([summary(seconds=None)], now=NOON + timedelta(minutes=61))
    assert "  1 h 1 min …  " in line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.00 s"),
        (0.123, "0.12 s"),
        (9.999, "10.00 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (3599.6, "1 h 0 min"),
        (7384, "2 h 3 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_a_duration_has_two_units(seconds: float, text: str) -> None:
    assert shown_duration(seconds) == text
