"""Records, in few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flowrunner.runs.record import RunRecord
from tests.planner.planning import planned

NOON = datetime.now(UTC).replace(microsecond=250_000)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def record(
    text: str = "{on_error: call, group: [call x2]}",
    *,
    run: UUID | None = None,
    minutes: float = 0,
    **known: Any,
) -> RunRecord:
    """Return the record of a new run of a workflow's text."""
    plan = planned(text)
    return RunRecord.of(
        plan, run=run or uuid4(), created=at(minutes), engine=known.pop("engine", "celery"), **known
    )
