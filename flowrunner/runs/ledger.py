"""What is known of a run: the state of every call, told by the engine as it happens.

The ledger decides when a run has ended. It follows the plan's normal form and not Celery's
own propagation of failures: when a call fails, everything that would have come after it is
*skipped*, and the run has ended when every call has succeeded, failed, was revoked or skipped.
So a failing member fails the run once every sibling has ended, and a run cannot be waited for
that nothing can end any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from threading import Lock
from time import time
from typing import Any, TypeAlias

from flowrunner import plan
from flowrunner.planner.given import given

__all__ = ["Ledger", "StepError", "StepListener", "StepState"]

PENDING, STARTED, RETRY = "PENDING", "STARTED", "RETRY"
SUCCESS, FAILURE, REVOKED, SKIPPED = "SUCCESS", "FAILURE", "REVOKED", "SKIPPED"
UNNEEDED = "UNNEEDED"
_FINAL = frozenset({SUCCESS, FAILURE, REVOKED, SKIPPED, UNNEEDED})
_KNOWN = _FINAL | {PENDING, STARTED, RETRY}


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


class Ledger:
    """The states of a run's calls, by path. Safe to use from several threads.

    ``on_step`` is told of every change but of calls that are skipped, in the thread that notes it.
    """

    def __init__(self, sequence: plan.Sequence, *, on_step: StepListener | None = None) -> None:
        self.steps: dict[str, StepState] = {}
        self.errors: list[StepError] = []
        #: Why calls failed whose failure was tolerated, or handled by a step's ``on_error``.
        self.caught: list[StepError] = []
        self.sequence = sequence
        self._queued = sequence
        self._on_step = on_step
        self._lock = Lock()
        self._end: SimpleQueue[None] = SimpleQueue()
        self._failed = False
        self._is_whole = False
        self._value: Callable[[], Any] | None = None
        self._open = 0
        self._enter(sequence, None)
        self.changes = 0
        #: Whether nothing may start any more: set by the engine, when it hears of it.
        self.cancelled = False

    def _enter(self, sequence: plan.Sequence, outer: StepState | None) -> None:
        for position, item in enumerate(sequence):
            call = item.join if isinstance(item, plan.Fork) else item
            step = StepState(call, sequence, position, outer)
            if isinstance(item, plan.Fork):
                for member in item.members:
                    self._enter(member, step)
            self.steps[call.path] = step
            self._open += 1

    def give(self, value: Any) -> None:
        """Note what its first calls are given."""
        self._queued = given(self._queued, value)

    def leave_out_continuations(self) -> None:
        """Note that what is queued has no continuations."""
        self._is_whole = True
        for call in plan.calls_of(self.sequence):
            if call.kind == "continuation":
                self.record(call.path, SUCCESS)

    def begin(self) -> Iterable[plan.Sequence]:
        """Return what an engine is to queue first."""
        return (plan.without_continuations(self._queued) if self._is_whole else self._queued,)

    def advance(self) -> Iterable[plan.Sequence]:
        """Return what an engine is to queue now, because of what has ended since."""
        return ()

    @property
    def pause(self) -> float | None:
        """Seconds until there is something to queue all the same; ``None`` when there is not."""
        return None

    @property
    def value(self) -> Any:
        """The run's value, once every call has succeeded."""
        assert self._value is not None, "BUG: a run without a value"  # noqa: S101
        return self._value()

    @property
    def ended(self) -> bool:
        """Whether every call has come to its end."""
        return self._open == 0

    @property
    def failed(self) -> bool:
        """Whether a call has failed or was revoked, so that the run has no value."""
        return self._failed

    @property
    def running(self) -> bool:
        """Whether a call runs at this moment."""
        return any(step.state == STARTED for step in list(self.steps.values()))

    def skipped(self) -> list[plan.Call]:
        """Return the calls of the author's that will not run because of a failure."""
        return [
            step.call
            for step in list(self.steps.values())
            if step.state == SKIPPED and step.call.is_written
        ]

    def open_steps(self) -> list[StepState]:
        """Return the calls that have not come to their end."""
        return [step for step in list(self.steps.values()) if step.state not in _FINAL]

    def record(
        self,
        path: str,
        state: str,
        error: StepError | None = None,
        *,
        result: Callable[[], Any] | None = None,
        retries: int | None = None,
        for_good: bool = False,
    ) -> None:
        """Note that a call has entered a state; ``error`` comes with ``FAILURE``.

        ``result`` gives the value of a call that has succeeded, for whoever listens. ``retries``
        counts Celery's retries of the task where that is known; without it each ``RETRY`` counts as
        one. A call that has failed ``for_good`` is not retried. What arrives
        late is ignored: a state after the last one, or Celery's own marking of the calls behind a
        failed one. A state of the task's own (``PROGRESS``) means that it runs.
        """
        if state not in _KNOWN:
            state = STARTED
        with self._lock:
            step = self.steps[path]
            if step.state in _FINAL:
                return
            if error is None and state == FAILURE:
                error = StepError(step.call, "Failure", "the task says no more than that")
            if retries is not None:
                step.count_task_retries(retries)
            elif state == RETRY:
                step.count_task_retries(step.task_retries + 1)
            if error is not None and step.retries:
                error = replace(error, retries=step.retries)
            if error is not None and self._retries(step, state, error, for_good=for_good):
                self._enter_retry(step, error)
            else:
                self._enter_state(step, state, error, result)
            told = None if self._on_step is None else step.copy()
        if told is not None and self._on_step is not None:
            self._on_step(told, result)

    def _retries(self, step: StepState, state: str, error: StepError, *, for_good: bool) -> bool:
        """Tell whether flowrunner retries a call that has failed: only a dynamic run does."""
        return False

    def _enter_retry(self, step: StepState, error: StepError) -> None:
        """Note that a call has failed and that flowrunner retries it."""
        self.changes += 1
        step.queue_again()
        step.state, step.error = RETRY, error

    def _enter_state(
        self,
        step: StepState,
        state: str,
        error: StepError | None,
        result: Callable[[], Any] | None,
    ) -> None:
        self.changes += 1
        if state == STARTED:
            step.started = step.started or time()
        elif state == REVOKED and step.state == RETRY:
            step.retries -= 1  # the retry that was due is not made
        step.state = state
        if state not in _FINAL:
            return
        step.ended = time()
        if state in (FAILURE, REVOKED):
            self._failed = True
            if error is not None:
                step.error = error
                self.errors.append(error)
            self._skip_after(step)
        self._close(step, result)

    def _close(self, step: StepState, result: Callable[[], Any] | None = None) -> None:
        """Note that a call is over, and what gives its value, if it has one."""
        self._open -= 1
        if step.outer is None and step.position == len(step.sequence) - 1:
            self._value = result
        if not self._open:
            self._end.put(None)

    def _skip_after(self, step: StepState) -> None:
        """Mark whatever comes after a call as skipped, out to the end of the run."""
        place: StepState | None = step
        while place is not None:
            for call in plan.calls_of(place.sequence[place.position + 1 :]):
                self._skip(call)
            place = place.outer
            if place is not None and not self._skip(place.call):
                return  # an earlier failure has come this way

    def _skip(self, call: plan.Call) -> bool:
        step = self.steps[call.path]
        if step.state in _FINAL:
            return False
        step.state = SKIPPED
        self._close(step)
        return True

    def cancel(self) -> None:
        """End what is open: what would start next as revoked, what comes after it as skipped."""
        while steps := list(self.expected()):
            for step in steps:
                self.record(step.call.path, REVOKED)

    def give_up(self) -> None:
        """Note that nobody will queue anything more: the run was interrupted, or took too long."""

    def settle(self) -> None:
        """Note that all has ended well, nobody knows when."""
        for step in self.open_steps():
            self.record(step.call.path, SUCCESS)
            step.ended = None

    def leave_out(self) -> None:
        """Note that none of the calls is to run: this is ``on_error``, and there was no error."""
        with self._lock:
            for step in self.steps.values():
                step.state = UNNEEDED
            self._open = 0
            self._end.put(None)

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for the end of the run; tell whether it has come."""
        if not self.ended:
            # In C, so that Ctrl-C cannot leave a lock half released, as in a Condition.
            with suppress(Empty):
                self._end.get(timeout=timeout)
                self._end.put(None)  # for whoever else waits
        return self.ended

    def expected(self) -> Iterator[StepState]:
        """Yield the calls that may end next: not ended, and nothing before them is open."""
        yield from self._expected(self.sequence)

    def needing(self, step: StepState) -> Iterator[plan.Call]:
        """Yield the calls of a canvas that need a call's result, directly or not."""
        place: StepState | None = step
        while place is not None:
            yield from plan.calls_of(place.sequence[place.position + 1 :])
            place = place.outer
            if place is not None:
                yield place.call

    def _expected(self, sequence: plan.Sequence) -> Iterator[StepState]:
        for item in sequence:
            call = item.join if isinstance(item, plan.Fork) else item
            step = self.steps[call.path]
            if step.state == SUCCESS:
                continue
            if isinstance(item, plan.Fork):
                inner = [step for member in item.members for step in self._expected(member)]
                if inner:
                    yield from inner
                    return
            if step.state not in _FINAL:
                yield step
            return
