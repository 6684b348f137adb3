"""How a run has ended, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from flowrunner.errors import Diagnostic
from flowrunner.plan import Call, Plan
from flowrunner.render.label import counted, shown_name
from flowrunner.runs.ledger import Ledger, StepError
from flowrunner.runs.outcome import Outcome

__all__ = ["failures", "headline", "outcome_to_json", "result_text"]

#: Failures and skipped steps beyond these are counted, not shown.
MOST_FAILURES: Final = 10
MOST_PATHS: Final = 5
#: A result that is longer, in characters, is printed over several lines.
LONGEST_LINE: Final = 100


def result_text(result: Any) -> str:
    """Return a result as ``apply`` prints it: a text as it is, anything else as JSON.

    What does not fit on a line is spread over several.
    """
    if isinstance(result, str):
        return result
    line = json.dumps(result, ensure_ascii=False)
    return line if len(line) <= LONGEST_LINE else json.dumps(result, indent=2, ensure_ascii=False)


def headline(outcome: Outcome, ledger: Ledger) -> str:
    """Return in one line how the run ended, with how many of its tasks did what."""
    own = [step for step in ledger.steps.values() if step.call.is_written]
    states = (
        ("SUCCESS", "succeeded"),
        ("FAILURE", "failed"),
        ("SKIPPED", "skipped"),
        ("REVOKED", "cancelled"),
        ("STARTED", "still running"),
        ("RETRY", "waiting to be retried"),
        ("PENDING", "not started"),
    )
    counts = [(sum(step.state == state for step in own), word) for state, word in states]
    shown = [f"{count:,} {word}" for count, word in counts if count]
    total = counted(len(own), "task")
    tasks = total if outcome.state == "SUCCESS" else f"{total}: {', '.join(shown)}"
    verb = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "was cancelled"}[outcome.state]
    reason = f": {outcome.reason}" if outcome.reason else ""
    name = shown_name(outcome.workflow)
    return f"{name} {verb} after {outcome.seconds:.2f} s{reason} · {tasks}"


def failures(outcome: Outcome) -> list[Diagnostic]:
    """Return a diagnostic for each failure: where in the file, what was raised, and the frames.

    Calls of one step that failed alike are told together.
    """
    groups = [list(group) for _, group in groupby(sorted(outcome.errors, key=_alike), key=_alike)]
    found = [_failure(group) for group in groups[:MOST_FAILURES]]
    if len(groups) > MOST_FAILURES:
        found.append(Diagnostic(f"… and {len(groups) - MOST_FAILURES:,} more failures"))
    if found and outcome.skipped:
        found[-1:] = [_with_note(found[-1], f"skipped because of it: {_paths(outcome.skipped)}")]
    return found


def _alike(error: StepError) -> tuple[int, str, str]:
    return error.call.location.start, error.type, error.message


def _failure(errors: list[StepError]) -> Diagnostic:
    from flowrunner.render.traceback import own_frames

    first = errors[0]
    calls = "" if len(errors) == 1 else f" ({len(errors):,} calls)"
    return Diagnostic(
        f"task '{first.call.task}' failed{calls}: {first.type}: {first.message}".rstrip(": "),
        first.call.location,
        _paths([error.call for error in errors]),
        tuple(filter(None, [own_frames(first.traceback)])),
    )


def _with_note(diagnostic: Diagnostic, note: str) -> Diagnostic:
    return Diagnostic(
        diagnostic.message, diagnostic.location, diagnostic.label, (*diagnostic.notes, note)
    )


def _paths(calls: tuple[Call, ...] | list[Call]) -> str:
    shown = ", ".join(call.path for call in calls[:MOST_PATHS])
    more = len(calls) - MOST_PATHS
    return shown if more <= 0 else f"{shown} and {more:,} more"


def outcome_to_json(outcome: Outcome, plan: Plan) -> dict[str, Any]:
    """Return what ``apply --output json`` prints; times are ISO 8601 in UTC."""
    return {
        "run": str(outcome.run),
        "workflow": outcome.workflow,
        "state": outcome.state,
        "result": outcome.result,
        "reason": outcome.reason or None,
        "errors": list(_errors_to_json(outcome, plan)),
        "skipped": [call.path for call in outcome.skipped],
        "started": outcome.started.isoformat(),
        "ended": outcome.ended.isoformat(),
    }


def _errors_to_json(outcome: Outcome, plan: Plan) -> Iterator[dict[str, Any]]:
    for error in outcome.errors:
        yield {
            "step": error.call.task,
            "path": error.call.path,
            "file": plan.source.name,
            "line": error.call.location.line,
            "type": error.type,
            "message": error.message,
            "traceback": error.traceback,
        }
