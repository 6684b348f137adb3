"""A record as the stores keep it: fields of numbers, ASCII texts and packed data."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flowrunner.plan import Plan
from flowrunner.process import Process
from flowrunner.runs.packing import packed, unpacked
from flowrunner.runs.plan_data import plan_from_data, plan_to_data
from flowrunner.runs.record import Attempt, RunRecord, RunSummary
from flowrunner.runs.store import RunStoreError

__all__ = [
    "moment",
    "pack_attempt",
    "pack_outcome",
    "pack_plan",
    "record_fields",
    "record_of",
    "summary_of",
    "timestamp",
]


def pack_plan(plan: Plan) -> bytes:
    """Return a plan as a store keeps it."""
    return packed(plan_to_data(plan))


def timestamp(moment: datetime | None) -> float | None:
    """Return a moment in seconds since the epoch."""
    return None if moment is None else moment.timestamp()


def moment(timestamp: float | None) -> datetime | None:
    """Return the moment of a :func:`timestamp`, in UTC."""
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)


def pack_attempt(attempt: Attempt) -> bytes:
    """Return an attempt as it is kept."""
    data: list[Any] = [str(attempt.id), attempt.started.timestamp(), sorted(attempt.reused)]
    if attempt.process is not None or attempt.seconds_before:  # as older versions read it
        process = attempt.process
        data += [attempt.seconds_before, None if process is None else asdict(process)]
    return packed(data)


def _attempt_of(stored: bytes) -> Attempt:
    identifier, started, reused, *more = unpacked(stored)
    seconds_before, process = more[:2] if more else (0.0, None)
    return Attempt(
        UUID(identifier),
        datetime.fromtimestamp(started, UTC),
        frozenset(reused),
        None if process is None else Process(**process),
        seconds_before,
    )


def pack_outcome(outcome: Mapping[str, Any]) -> bytes:
    """Return an outcome as it is kept: its result is kept with the step that gave it."""
    return packed({name: value for name, value in outcome.items() if name != "result"})


def record_fields(record: RunRecord) -> dict[str, Any]:
    """Return a record's fields but its attempts and what its handlers were given."""
    return {
        "run": str(record.run),
        "workflow": packed(record.workflow),
        "file": packed(record.file),
        "state": record.state,
        "created": record.created.timestamp(),
        "ended": timestamp(record.ended),
        "engine": record.engine,
        "plan": pack_plan(record.plan),
        "timeout": record.timeout,
        "queued": int(record.queued),
        "cancelled": int(record.cancelled),
        "outcome": None if record.outcome is None else pack_outcome(record.outcome),
    }


def record_of(
    fields: Mapping[str, Any], attempts: Iterable[bytes], handler_inputs: Mapping[Any, bytes]
) -> RunRecord:
    """Return the record of these fields.

    Raises :class:`~flowrunner.runs.store.RunStoreError` for what makes no record, and
    :class:`~flowrunner.runs.plan_data.PlanFormatError` for that of another version.
    """
    with _readable(fields):
        created = moment(fields["created"])
        assert created is not None  # noqa: S101
        return RunRecord(
            UUID(fields["run"]),
            unpacked(fields["workflow"]),
            unpacked(fields["file"]),
            fields["state"],
            created,
            fields["engine"],
            plan_from_data(unpacked(fields["plan"])),
            tuple(map(_attempt_of, attempts)),
            ended=moment(fields["ended"]),
            timeout=fields["timeout"],
            queued=bool(fields["queued"]),
            handler_inputs={name: unpacked(value) for name, value in handler_inputs.items()},
            cancelled=bool(fields["cancelled"]),
            outcome=None if fields["outcome"] is None else unpacked(fields["outcome"]),
            claimed_until=moment(fields.get("driver_until")),
            last_step=moment(fields.get("last_step")),
        )


def summary_of(fields: Mapping[str, Any]) -> RunSummary:
    """Return the summary of these fields: ``attempts`` counts them, ``attempt`` is the current."""
    attempt = fields.get("attempt")
    with _readable(fields):
        return RunSummary(
            UUID(fields["run"]),
            unpacked(fields["workflow"]),
            unpacked(fields["file"]),
            fields["state"],
            datetime.fromtimestamp(fields["created"], UTC),
            moment(fields["ended"]),
            fields["attempts"],
            fields["engine"],
            None if attempt is None else _attempt_of(attempt),
            moment(fields.get("driver_until")),
            moment(fields.get("last_step")),
        )


@contextmanager
def _readable(fields: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except (zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise RunStoreError(
            f"the record of run {fields.get('run')} cannot be read, as if something else had "
            f"written to it ({type(error).__name__}: {error}): start the workflow anew"
        ) from error
