"""Resuming a run: which results are used again, which calls run, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flowrunner.plan import Call, Cost, Plan, calls_in
from flowrunner.planner.cost import Costing, cost_of_calls
from flowrunner.planner.remaining import Remainder
from flowrunner.planner.unchanged import unchanged_paths
from flowrunner.process import this_process
from flowrunner.runs.driven import driven_until, seconds_driven
from flowrunner.runs.record import Attempt, attempt_id
from flowrunner.runs.recorded import recorded_ledger
from flowrunner.runs.replay import kept_of, remainder_of
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.runs.step_state import SUCCESS, UNNEEDED

if TYPE_CHECKING:
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import StepRow
    from flowrunner.runs.unfolding import Unfolding

__all__ = ["Resumption", "cost_ahead", "differences", "resumption"]


@dataclass(frozen=True)
class Resumption:
    """The next attempt of a run: ``plan`` is the workflow, ``rest`` what of it is to run.

    ``why`` says for every call that the author wrote and that runs again why it does, by path.
    """

    plan: Plan
    attempt: Attempt
    rest: Remainder
    why: Mapping[str, str]
    calls: tuple[Call, ...]


def resumption(record: RunRecord, steps: Mapping[str, StepRow], plan: Plan) -> Resumption:
    """Return how a run goes on, as the plan is now, with what its calls have given so far."""
    recorded = recorded_ledger(record, steps)
    states = {path: step.state for path, step in recorded.steps.items()}
    is_same = unchanged_paths(record.plan, plan)
    kept = kept_of(recorded.main, steps)
    rest = remainder_of(plan, kept.only(frozenset(path for path in steps if is_same(path))))
    ledger = ledger_of(plan, known=rest.known, failures=rest.failures)
    ledger.begin()
    calls = _calls_ahead(plan, ledger)
    attempt = Attempt(
        attempt_id(record.run, len(record.attempts) + 1),
        datetime.now(UTC),
        rest.reused,
        this_process() if record.engine == "embedded" else None,
        seconds_driven(record, driven_until(record) or record.attempt.started),
    )
    why = {
        call.path: _why(call.path, states, steps, is_same)
        for call in calls
        if rest.plan is not None and call.path not in rest.reused and not _is_settled(call, ledger)
    }
    return Resumption(plan, attempt, rest, why, calls)


def cost_ahead(ahead: Resumption) -> Cost:
    """Return what the next attempt puts on a broker.

    Of a dynamic plan, that is the least: the sections that need no further result, and the calls
    that certainly follow, each alone.
    """
    plan, rest = ahead.plan, ahead.rest
    if rest.plan is None:
        return Cost(0, 0, 0)
    ledger = ledger_of(plan, known=rest.known, failures=rest.failures)
    costs = [Costing().cost(section) for section in ledger.begin()]
    later = [call for call in ahead.calls if call.path in ahead.why]
    costs.append(cost_of_calls(call for call in later if call.path not in ledger.steps))
    return Cost(
        sum(cost.messages for cost in costs),
        sum(cost.bytes for cost in costs),
        max(cost.largest for cost in costs),
    )


def _is_settled(call: Call, ledger: Unfolding) -> bool:
    """Tell whether a call has no result, and what comes after it has one that is reused."""
    step = ledger.steps.get(call.path)
    return step is not None and step.state == SUCCESS


def _calls_ahead(plan: Plan, ledger: Unfolding) -> tuple[Call, ...]:
    """Return the calls that are used again or will run, as far as that can be told."""
    known = {path: step.call for path, step in ledger.steps.items() if step.call.is_written}
    for call in calls_in(plan.root, certain=True):
        known.setdefault(call.path, call)
    # What comes behind a failure that was taken care of runs in no attempt.
    unneeded = {path for path, step in ledger.steps.items() if step.state == UNNEEDED}
    return tuple(call for path, call in known.items() if "[*]" not in path and path not in unneeded)


def _why(
    path: str,
    states: Mapping[str, str],
    steps: Mapping[str, StepRow],
    is_same: Callable[[str], bool],
) -> str:
    row = steps.get(path)
    if not is_same(path):
        return "it has changed, or what comes before it" if path in states else "it is new"
    match states.get(path):
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
    if not found and before.root != after.root:
        found = ["what is decided while it runs is decided otherwise"]
    return sorted(found)


def _calls(plan: Plan) -> dict[str, Call]:
    roots = [plan.root, *(handler.root for handler in plan.handlers)]
    return {call.path: call for root in roots for call in calls_in(root)}


def _difference(old: Call, new: Call) -> str:
    if old.task != new.task:
        return f"task '{old.task}' is now '{new.task}'"
    for name in ("args", "kwargs", "options", "immutable"):
        if getattr(old, name) != getattr(new, name):
            return f"other {name} for task '{new.task}'"
    return f"task '{new.task}' is called otherwise"
