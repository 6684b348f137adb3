"""How long a run was driven, and whether the process that drove it is gone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from flowrunner.runs.record import RunRecord, RunSummary

if TYPE_CHECKING:
    from flowrunner.process import Fate

__all__ = ["CLAIM_FOR", "driven_until", "has_lost_its_process", "process_fate", "seconds_driven"]

#: Seconds for which a claim on a run holds.
CLAIM_FOR: Final = 15.0


def process_fate(run: RunRecord | RunSummary) -> Fate:
    """Tell whether the process that an embedded run was started in still runs."""
    process = None if run.attempt is None else run.attempt.process
    return "unknown" if process is None else process.fate()


def has_lost_its_process(run: RunRecord | RunSummary, *, now: datetime) -> bool:
    """Tell whether a run cannot end by itself: the process of this host that ran it is gone.

    Whoever asks reads the record again before that is told: the process may just have ended it.
    """
    if run.ended is not None or run.engine != "embedded":
        return False
    match process_fate(run):
        case "gone":
            return True
        case "rebooted":  # unless another machine, with the same name and id, drives it
            return run.claimed_until is None or run.claimed_until <= now
    return False


def driven_until(run: RunRecord | RunSummary) -> datetime | None:
    """Return when the current attempt of a run was last heard of; ``None`` where nothing tells.

    That is its end, a claim of its driver, or what one of its steps did.
    """
    if run.ended is not None or run.attempt is None:
        return run.ended
    moments = [run.attempt.started]
    if run.claimed_until is not None:
        moments.append(run.claimed_until - timedelta(seconds=CLAIM_FOR))
    if run.last_step is not None:
        moments.append(run.last_step)
    return max(moments)


def seconds_driven(run: RunRecord | RunSummary, until: datetime) -> float:
    """Return how long a process has driven a run up to a moment, over all of its attempts."""
    if run.attempt is None:
        return (until - run.created).total_seconds()
    return run.attempt.seconds_before + (until - run.attempt.started).total_seconds()
