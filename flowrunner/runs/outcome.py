"""How a run has ended, and the data that say it to programs and to handlers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from flowrunner.plan import Call
from flowrunner.runs.step_state import StepError

__all__ = [
    "RUN_LOST",
    "Outcome",
    "RunState",
    "errors_to_json",
    "failure_data",
    "handler_input",
    "is_loss",
    "json_text",
    "outcome_to_json",
]

#: Celery's words for the states that a run can end in.
RunState: TypeAlias = Literal["SUCCESS", "FAILURE", "REVOKED"]

#: The type of the first error of a run that its result backend has lost.
RUN_LOST: Final = "RunLostError"
#: What a handler is told at most, as every one of its first calls has it in its message.
MOST_ERRORS: Final = 100
MOST_SKIPPED: Final = 1_000
#: In characters: all texts of the errors together, and one text of the first error.
MOST_TEXT: Final = 250_000
LONGEST_TEXT: Final = 100_000


@dataclass(frozen=True)
class Outcome:
    """A run that has ended.

    ``result`` is JSON data, the value of the main part where ``has_result``: a run that failed
    in ``finally`` alone has one. ``errors`` has every call that failed, those of the handlers
    last, and ``skipped`` every call that did not run because of one. ``reason`` says why the
    run as a whole did not succeed where no single call is to blame (a timeout, an interrupt).
    ``caught`` has every failure that was tolerated, or handled by a step's ``on_error``.
    ``ran`` are the paths of the calls that had run when the result backend lost the run, which is
    its first error then. ``started`` is the current attempt's; ``seconds_before`` is how long
    earlier ones were driven.
    """

    run: UUID
    workflow: str
    state: RunState
    started: datetime
    ended: datetime
    result: Any = None
    errors: tuple[StepError, ...] = ()
    skipped: tuple[Call, ...] = ()
    reason: str = ""
    has_result: bool = False
    caught: tuple[StepError, ...] = ()
    seconds_before: float = 0.0
    ran: tuple[str, ...] | None = None

    @property
    def seconds(self) -> float:
        """How long the run was driven, over all of its attempts."""
        return self.seconds_before + (self.ended - self.started).total_seconds()


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return what ``apply --output json`` prints; times are ISO 8601 in UTC."""
    return {
        "run": str(outcome.run),
        "workflow": json_text(outcome.workflow),
        "state": outcome.state,
        "result": outcome.result,
        "reason": json_text(outcome.reason) or None,
        "errors": [_error_to_json(error) for error in outcome.errors],
        "caught": [_error_to_json(error) for error in outcome.caught],
        "skipped": [call.path for call in outcome.skipped],
        "started": outcome.started.isoformat(),
        "ended": outcome.ended.isoformat(),
        "seconds": round(outcome.seconds, 6),
        **({} if outcome.ran is None else {"ran": list(outcome.ran)}),
    }


def is_loss(error: StepError) -> bool:
    """Tell whether an error is that the result backend has lost the run, and no task's."""
    return error.type == RUN_LOST and not error.traceback


def handler_input(outcome: Outcome) -> dict[str, Any]:
    """Return what ``on_error`` and ``finally`` are given: the same data, in bounds.

    ``left_out`` counts the errors and the skipped steps that there is no room for. The result
    is always whole.
    """
    errors = list(errors_to_json(outcome.errors))
    skipped = outcome.skipped[:MOST_SKIPPED]
    caught = list(errors_to_json(outcome.caught))
    data = outcome_to_json(replace(outcome, errors=(), caught=(), skipped=skipped, ran=None))
    left_out = {
        "errors": len(outcome.errors) - len(errors),
        "caught": len(outcome.caught) - len(caught),
        "skipped": len(outcome.skipped) - len(skipped),
    }
    return {**data, "errors": errors, "caught": caught, "left_out": left_out}


def failure_data(path: str, errors: Iterable[StepError]) -> dict[str, Any]:
    """Return what ``on_error`` of the step at ``path`` is given."""
    every = tuple(errors)
    told = list(errors_to_json(every))
    return {"path": path, "errors": told, "left_out": len(every) - len(told)}


def errors_to_json(errors: Iterable[StepError]) -> Iterator[dict[str, Any]]:
    """Yield the first errors as data, whole while there is room for what handlers are told."""
    room = MOST_TEXT
    for number, error in enumerate(errors):
        room -= len(error.message) + len(error.traceback) + sum(map(len, error.notes))
        if number == MOST_ERRORS or (number and room < 0):
            return
        if room < 0:  # the first error is told, however long it is
            error = _shortened(error)
        yield _error_to_json(error)


def _shortened(error: StepError) -> StepError:
    texts = (error.message, error.traceback)
    message, trace, *notes = map(_cut, (*texts, *error.notes))
    while len(notes) > 1 and sum(map(len, notes)) > LONGEST_TEXT:
        notes.pop()
    return replace(error, message=message, traceback=trace, notes=tuple(notes))


def _cut(text: str) -> str:
    half = LONGEST_TEXT // 2
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def _error_to_json(error: StepError) -> dict[str, Any]:
    return {
        "step": error.call.task,
        "path": error.call.path,
        "file": json_text(error.call.location.source.name),
        "line": error.call.location.line,
        "type": error.type,
        "message": json_text(error.message),
        "traceback": json_text(error.traceback),
        "worker": error.worker,
        "retries": error.retries,
        "notes": [json_text(note) for note in error.notes],
    }


def json_text(text: str) -> str:
    """Return a text as JSON can carry it: half of a surrogate pair is written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
