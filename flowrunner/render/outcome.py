"""How a run has ended, for people and for programs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from flowrunner.errors import Diagnostic
from flowrunner.model import HANDLER_NAMES, HandlerName
from flowrunner.plan import Call
from flowrunner.printable import json_text, without_controls
from flowrunner.render.label import counted
from flowrunner.render.value import shown_name
from flowrunner.runs.outcome import Outcome, is_loss
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.step_state import StepError

__all__ = ["failures", "headline", "own_frames", "part_of", "result_text", "task_counts"]

#: Failures and skipped steps beyond these are counted, not shown.
MOST_FAILURES: Final = 10
MOST_PATHS: Final = 5
MOST_WORKERS: Final = 3
#: A result that is longer, in characters, is printed over several lines.
LONGEST_LINE: Final = 100
#: The type of the error of a step whose expression fails at run time.
EXPRESSION_ERROR: Final = "ExpressionError"
_CAUGHT: Final = "CAUGHT"

_PART: Final = re.compile(rf"(?:{'|'.join(HANDLER_NAMES)})(?![^.\[:])")


def result_text(result: Any, *, terminal: bool = False) -> str:
    """Return a result as ``apply`` prints it: a string as it is, anything else as JSON.

    On a ``terminal`` control characters of the string are escaped. JSON that does not fit on a
    line is spread over several.
    """
    if isinstance(result, str):
        return without_controls(result) if terminal else result
    line = json_text(result)
    return line if len(line) <= LONGEST_LINE else json_text(result, indent=2)


def headline(outcome: Outcome, ledger: RunLedger, *, abandoned: bool = False) -> str:
    """Return in one line how the run ended, with how many of its tasks did what.

    ``abandoned`` says that the process is gone that its tasks ran in.
    """
    tasks = task_counts(ledger, all_succeeded=outcome.state == "SUCCESS", abandoned=abandoned)
    verb = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "was cancelled"}[outcome.state]
    is_told = not outcome.reason or (outcome.state, outcome.reason) == ("REVOKED", "cancelled")
    reason = "" if is_told else f": {outcome.reason}"
    name = shown_name(outcome.workflow)
    return f"{name} {verb} after {outcome.seconds:.2f} s{reason} · {tasks}"


def task_counts(
    ledger: RunLedger,
    *,
    all_succeeded: bool = False,
    has_ended: bool = True,
    abandoned: bool = False,
) -> str:
    """Return how many tasks a run has, and how many of them did what."""
    running = "still running" if has_ended else "running"
    own = [
        step for step in ledger.steps.values() if step.call.is_written and step.state != "UNNEEDED"
    ]
    caught = {error.call.path for error in ledger.caught}
    states = (
        ("SUCCESS", "succeeded"),
        ("FAILURE", "failed"),
        (_CAUGHT, "failed and caught"),
        ("SKIPPED", "skipped"),
        ("REVOKED", "cancelled"),
        ("STARTED", "abandoned" if abandoned else running),
        ("RETRY", "not retried" if abandoned else "waiting to be retried"),
        ("PENDING", "not started"),
    )
    found = Counter(
        _CAUGHT if step.state == "FAILURE" and step.call.path in caught else step.state
        for step in own
    )
    shown = [f"{found[state]:,} {word}" for state, word in states if found[state]]
    total = counted(len(own), "task")
    return total if all_succeeded and not found[_CAUGHT] else f"{total}: {', '.join(shown)}"


def failures(outcome: Outcome) -> list[Diagnostic]:
    """Return a diagnostic for each failure: where in the file, what was raised, and the frames.

    Calls of one step that failed alike are told together; those of the handlers come last.
    """
    found: list[Diagnostic] = []
    for part in (None, *HANDLER_NAMES):
        errors = [
            error
            for error in outcome.errors
            if part_of(error.call.path) == part and not is_loss(error)  # the headline tells that
        ]
        skipped = [call for call in outcome.skipped if part_of(call.path) == part]
        found += _failures_of_part(errors, skipped)
    return found


def part_of(path: str) -> HandlerName | None:
    """Return the handler that a call's path belongs to, ``None`` for the main part."""
    start = _PART.match(path)
    return next((name for name in HANDLER_NAMES if start and start[0] == name), None)


def _failures_of_part(errors: list[StepError], skipped: list[Call]) -> list[Diagnostic]:
    groups = [list(group) for _, group in groupby(sorted(errors, key=_alike), key=_alike)]
    found = [_failure(group) for group in groups[:MOST_FAILURES]]
    if len(groups) > MOST_FAILURES:
        found.append(Diagnostic(f"… and {len(groups) - MOST_FAILURES:,} more failures"))
    if found and skipped:
        found[-1] = _with_note(found[-1], f"skipped because of it: {_paths(skipped)}")
    return found


def _alike(error: StepError) -> tuple[str, int, str, str]:
    place = error.call.location
    return place.source.name, place.start, error.type, error.message


def _failure(errors: list[StepError]) -> Diagnostic:
    from flowrunner.render.outcome import own_frames

    first = errors[0]
    workers = sorted({error.worker for error in errors if error.worker})
    on = f"on {', '.join(workers[:MOST_WORKERS])}" if workers else ""
    if len(workers) > MOST_WORKERS:
        on += f" and {len(workers) - MOST_WORKERS:,} more"
    return Diagnostic(
        _message(errors),
        first.call.location,
        _paths([error.call for error in errors]),
        tuple(filter(None, [on, own_frames(first.traceback)])),
    )


def _message(errors: list[StepError]) -> str:
    first = errors[0]
    calls = "" if len(errors) == 1 else f" ({len(errors):,} calls)"
    if first.type == EXPRESSION_ERROR and not first.traceback:  # no task has begun
        return f"'{first.call.task}' failed{calls}: {first.message}"
    retries = min(error.retries for error in errors)
    often = f" after {counted(retries, 'retry')}" if retries else ""
    return f"task '{first.call.task}' failed{often}{calls}: {first.type}: {first.message}".rstrip(
        ": "
    )


def _with_note(diagnostic: Diagnostic, note: str) -> Diagnostic:
    return Diagnostic(
        diagnostic.message, diagnostic.location, diagnostic.label, (*diagnostic.notes, note)
    )


def _paths(calls: Sequence[Call]) -> str:
    shown = ", ".join(call.path for call in calls[:MOST_PATHS])
    more = len(calls) - MOST_PATHS
    return shown if more <= 0 else f"{shown} and {more:,} more"


#: Frames of the machinery that called the task.
_MACHINERY: Final = re.compile(
    r'^File "[^"]*[/\\](?:celery|billiard|kombu)[/\\](?:app|concurrency|worker|canvas)'
    r'|^File "[^"]*[/\\]flowrunner[/\\](?:engines|hints)[/\\]'
)
#: A line of a traceback: the margin of a group of exceptions, and what is indented from there.
_LINE: Final = re.compile(r"^(?P<margin>(?: +\| ?)?)(?P<indent> *)(?P<text>.*)", re.DOTALL)


def own_frames(text: str) -> str:
    """Return a traceback without the frames of Celery and of flowrunner's engines.

    A text that is no traceback, or has no other frames, is returned as it is.
    """
    kept: list[str] = []
    own = 0
    dropping = False
    for line in text.rstrip().splitlines():
        match = _LINE.match(line)
        assert match is not None, "BUG: any text is a line"  # noqa: S101
        if match["indent"] == "  " and match["text"].startswith('File "'):
            dropping = _MACHINERY.match(match["text"]) is not None
            own += not dropping
        elif len(match["indent"]) < 4:
            dropping = False
        if not dropping:
            kept.append(line)
    return "\n".join(kept) if own else text.rstrip()
