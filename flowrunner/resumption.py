"""Resuming a run: which results are used again, which calls run, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flowrunner.plan import Call, Plan, calls_of, without_continuations
from flowrunner.planner.remaining import Remainder, remaining_plan, unchanged_calls
from flowrunner.runs.record import Attempt, attempt_id
from flowrunner.runs.recorded import recorded_ledger

if TYPE_CHECKING:
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import StepRow

__all__ = ["Resumption", "differences", "resumption"]


@dataclass(frozen=True)
class Resumption:
    """The next attempt of a run: ``plan`` is the workflow, ``rest`` what of it is to run.

    ``why`` says for every call that the author wrote and that runs again why it does, by path.
    """

    plan: Plan
    attempt: Attempt
    rest: Remainder
    why: Mapping[str, str]


def resumption(record: RunRecord, steps: Mapping[str, StepRow], plan: Plan) -> Resumption:
    """Return how a run goes on, as the plan is now, with what its calls have given so far."""
    states = {path: step.state for path, step in recorded_ledger(record, steps).steps.items()}
    same = unchanged_calls(record.plan, plan)
    results = {
        path: row.result
        for path, row in steps.items()
        if path in same and row.state == "SUCCESS" and row.has_result
    }
    rest = remaining_plan(plan, results)
    attempt = Attempt(
        attempt_id(record.run, len(record.attempts) + 1), datetime.now(UTC), rest.reused
    )
    left = () if rest.plan is None else rest.plan.calls()
    why = {call.path: _why(call.path, states, steps, same) for call in left if call.is_written}
    return Resumption(plan, attempt, rest, why)


def _why(
    path: str, states: Mapping[str, str], steps: Mapping[str, StepRow], same: frozenset[str]
) -> str:
    row = steps.get(path)
    if path not in same:
        return "it has changed, or what comes before it" if path in states else "it is new"
    match states[path]:
        case "FAILURE":
            kind = row.error_type if row is not None else None
            return f"failed: {kind}" if kind else "failed"
        case "REVOKED":
            return "was cancelled"
        case "STARTED" | "RETRY":
            return "had not ended"
        case "SUCCESS" if row is not None and not row.has_result:
            return "its result is no longer kept"
        case "SUCCESS":
            return "comes after one that runs again"
    return "did not run"


def differences(before: Plan, after: Plan) -> list[str]:
    """Return what has changed between two plans of one workflow, in words; the calls by path."""
    old, new = _calls(before), _calls(after)
    found = [f"{path}: task '{old[path].task}' is gone" for path in old.keys() - new.keys()]
    found += [f"{path}: task '{new[path].task}' is new" for path in new.keys() - old.keys()]
    for path in old.keys() & new.keys():
        if old[path] != new[path]:
            found.append(f"{path}: {_difference(old[path], new[path])}")
    return sorted(found)


def _calls(plan: Plan) -> dict[str, Call]:
    sequences = [plan.sequence, *(handler.sequence for handler in plan.handlers)]
    return {
        call.path: call
        for sequence in sequences
        for call in calls_of(without_continuations(sequence))
        if call.is_written
    }


def _difference(old: Call, new: Call) -> str:
    if old.task != new.task:
        return f"task '{old.task}' is now '{new.task}'"
    for name in ("args", "kwargs", "options", "immutable"):
        if getattr(old, name) != getattr(new, name):
            return f"other {name} for task '{new.task}'"
    return f"task '{new.task}' is called otherwise"
