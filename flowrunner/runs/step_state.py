"""The state of one call of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from flowrunner import plan

__all__ = ["StepError", "StepListener", "StepState"]

PENDING, STARTED, RETRY = "PENDING", "STARTED", "RETRY"
SUCCESS, FAILURE, REVOKED, SKIPPED = "SUCCESS", "FAILURE", "REVOKED", "SKIPPED"
UNNEEDED = "UNNEEDED"
FINAL = frozenset({SUCCESS, FAILURE, REVOKED, SKIPPED, UNNEEDED})
KNOWN = FINAL | {PENDING, STARTED, RETRY}


@dataclass(frozen=True)
class StepError:
    """Why a call failed: the exception's type, message and notes, and the traceback as text.

    ``worker`` is the name of the worker that it failed on, where that is known; ``retries``
    counts how often the call was retried before it failed for good.
    """

    call: plan.Call
    type: str
    message: str
    traceback: str = ""
    worker: str | None = None
    retries: int = 0
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class StepState:
    """What is known of one call; times are seconds since the epoch.

    ``retries`` counts the retries of the call, with the one that is due in the state ``RETRY``;
    ``task_retries`` are those that Celery made of the present task, which ``retries`` includes.
    ``error`` says why it failed, where somebody does.
    """

    call: plan.Call
    sequence: plan.Sequence = field(repr=False)
    position: int
    outer: StepState | None = field(repr=False)
    state: str = PENDING
    started: float | None = None
    ended: float | None = None
    retries: int = 0
    error: StepError | None = None
    task_retries: int = 0

    def copy(self) -> StepState:
        """Return what is known at this moment."""
        return StepState(
            self.call,
            self.sequence,
            self.position,
            self.outer,
            self.state,
            self.started,
            self.ended,
            self.retries,
            self.error,
            self.task_retries,
        )

    def count_task_retries(self, number: int) -> None:
        """Note how often Celery has retried the present task; the number never falls."""
        if number > self.task_retries:
            self.retries += number - self.task_retries
            self.task_retries = number

    def queue_again(self) -> None:
        """Note that flowrunner retries the call: as a new task, which Celery has not retried."""
        self.retries += 1
        self.task_retries = 0


#: Told of a call that has entered a state: a copy of what is known of it then, and what gives
#: its value once it has succeeded.
StepListener: TypeAlias = Callable[[StepState, Callable[[], Any] | None], None]
