"""What a result backend keeps of the calls of a run: read, and never written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from celery import states

from flowrunner.engines.messages import message_of
from flowrunner.engines.protocol import task_id
from flowrunner.engines.step_errors import stored_error
from flowrunner.engines.stored_results import read_meta, retries_of, stored_values
from flowrunner.plan import Call
from flowrunner.runs.recorded import StepReader
from flowrunner.runs.store import RunStoreUnreachableError, StepRow

__all__ = ["stored_steps"]


def stored_steps(backend: Any, *, masked: Callable[[str], str] = str) -> StepReader:
    """Return what reads the calls of an attempt, all of them in one question.

    ``masked`` takes passwords out of what an error says.
    """

    def read(attempt: UUID, calls: Sequence[Call]) -> Mapping[str, StepRow]:
        if not calls:
            return {}
        keys = [backend.get_key_for_task(task_id(call, attempt)) for call in calls]
        try:
            values = stored_values(backend, keys)
        except Exception as error:  # each backend fails in words of its own
            raise RunStoreUnreachableError(
                f"the result backend cannot be read: {masked(message_of(error))}; see that it "
                f"runs and can be reached"
            ) from error
        return {
            call.path: _row(call, read_meta(backend, value))
            for call, value in zip(calls, values, strict=True)
            if value is not None
        }

    return read


def _row(call: Call, meta: Mapping[str, Any]) -> StepRow:
    state, result = meta["status"], meta.get("result")
    worker = meta.get("worker")
    if state == states.STARTED and isinstance(result, dict):
        worker = result.get("hostname", worker)
    error = None
    if state in (states.FAILURE, states.REVOKED):
        error = stored_error(call, meta, worker)
    return StepRow(
        call.path,
        state,
        ended=_moment(meta.get("date_done")) if state in states.READY_STATES else None,
        retries=retries_of(meta) or 0,
        result=result if state == states.SUCCESS else None,
        has_result=state == states.SUCCESS,
        error_type=None if error is None else error.type,
        error_message="" if error is None else error.message,
        error_traceback="" if error is None else error.traceback,
        worker=worker,
        error_notes=() if error is None else error.notes,
        of_one_task=True,
    )


def _moment(text: Any) -> datetime | None:
    """Return Celery's ``date_done``, which is in UTC and need not say so."""
    try:
        found = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
