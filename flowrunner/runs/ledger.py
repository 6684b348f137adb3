"""What is known of a run: the state of every call, told by the engine as it happens.

The ledger decides when a run has ended. It follows the plan's normal form and not Celery's
own propagation of failures: when a call fails, everything that would have come after it is
*skipped*, and the run has ended when every call has succeeded, failed, was revoked or skipped.
So a failing member fails the run once every sibling has ended, and a run cannot be waited for
that nothing can end any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from queue import SimpleQueue
from random import random
from threading import Lock
from time import monotonic, time
from typing import Any

from flowrunner import plan
from flowrunner.planner.given import given
from flowrunner.runs.activity import Activity
from flowrunner.runs.section import Section
from flowrunner.runs.step_state import (
    FAILURE,
    FINAL,
    KNOWN,
    RETRY,
    REVOKED,
    SKIPPED,
    STARTED,
    SUCCESS,
    StepError,
    StepListener,
    StepState,
)

__all__ = ["Ledger"]


class Ledger:
    """The states of a run's calls, by path, and its sections. Safe to use from several threads.

    A run that is one canvas has a root section: all of its ``sequence``. ``on_step`` is told of
    every change but of calls that are skipped, in the thread that notes it.
    """

    def __init__(
        self,
        *,
        failures: Mapping[str, StepError] | None = None,
        on_step: StepListener | None = None,
    ) -> None:
        self.steps: dict[str, StepState] = {}
        self.errors: list[StepError] = []
        #: Why calls failed whose failure was tolerated, or handled by a step's ``on_error``.
        self.caught: list[StepError] = []
        self._on_step = on_step
        self._lock = Lock()
        self._end: SimpleQueue[None] = SimpleQueue()
        self._is_whole = False
        self._sections: dict[int, Section] = {}  # those that have not ended, by their sequences
        self._over: deque[Section] = deque()
        self._paused: dict[str, tuple[StepState, float]] = {}  # until when, by path
        self._failures = failures or {}
        self._root_section: Section | None = None
        self.changes = 0
        #: Tells of a call that is to be retried whether that has been queued already.
        self.is_queued: Callable[[plan.Call], bool] = lambda call: False
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

    def _entered(
        self, sequence: plan.Sequence, parent: Activity | None, slot: int, *, new: bool
    ) -> Section:
        section = Section(sequence, parent, slot, new=new)
        with self._lock:
            self._enter(sequence, None)
            self._sections[id(sequence)] = section
        return section

    @property
    def sequence(self) -> plan.Sequence:
        """The normal form of a run that is one canvas, and nothing of another."""
        return () if self._root_section is None else self._root_section.sequence

    def give(self, value: Any) -> None:
        """Note what its first calls are given."""
        if self._root_section is not None:
            self._root_section.published = given(self._root_section.published, value)

    def leave_out_continuations(self) -> None:
        """Note that what is queued has no continuations."""
        self._is_whole = True
        section = self._root_section
        calls = [call for call in plan.calls_of(self.sequence) if call.kind == "continuation"]
        if section is not None and calls:
            section.published = plan.without_continuations(section.published)
        for call in calls:
            self.record(call.path, SUCCESS)

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
        return [step for step in list(self.steps.values()) if step.state not in FINAL]

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
        if state not in KNOWN:
            state = STARTED
        with self._lock:
            step = self.steps[path]
            if step.state in FINAL:
                return
            if error is None and state == FAILURE:
                error = StepError(step.call, "Failure", "the task says no more than that")
            if retries is not None:
                step.count_task_retries(retries)
            elif state == RETRY:
                step.count_task_retries(step.task_retries + 1)
            if error is not None and step.retries:
                error = replace(error, retries=step.retries)
            if (
                error is not None
                and state == FAILURE
                and not for_good
                and self._comes_again(step, error)
            ):
                self._enter_retry(step, error)
            else:
                self._enter_state(step, state, error, result)
            told = None if self._on_step is None else step.copy()
        if told is not None and self._on_step is not None:
            self._on_step(told, result)

    def _enter_retry(self, step: StepState, error: StepError) -> None:
        """Note that a call has failed and that flowrunner retries it."""
        self.changes += 1
        step.queue_again()
        step.state, step.error = RETRY, error
        self._end.put(None)

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
        if state not in FINAL:
            return
        step.ended = time()
        if state in (FAILURE, REVOKED):
            section = self._section_of(step)
            section.failed = True
            if error is not None:
                section.errors.append(error)
                step.error = error
                self.errors.append(error)
            self._skip_after(step)
        self._close(step, result)

    def _close(self, step: StepState, result: Callable[[], Any] | None = None) -> None:
        """Note that a call is over, and what gives its value, if it has one."""
        section = self._section_of(step)
        if step.outer is None and step.position == len(step.sequence) - 1:
            section.value = result
        section.open -= 1
        if not section.open:
            del self._sections[id(section.sequence)]
            self._over.append(section)
            self._end.put(None)

    def _section_of(self, step: StepState) -> Section:
        while step.outer is not None:
            step = step.outer
        return self._sections[id(step.sequence)]

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
        if step.state in FINAL:
            return False
        step.state = SKIPPED
        self._close(step)
        return True

    @property
    def pause(self) -> float | None:
        """Seconds until a call is due to be made again; ``None`` when none waits for that."""
        with self._lock:
            first = min((at for _, at in self._paused.values()), default=None)
        return None if first is None else max(first - monotonic(), 0.0)

    def give_up(self) -> None:
        """Note that no call is made again."""
        with self._lock:
            paused = [step.call.path for step, _ in self._paused.values()]
        for path in paused:
            self.record(path, REVOKED)

    def expected(self) -> Iterator[StepState]:
        """Yield the calls that may end next: not ended, and nothing before them is open."""
        with self._lock:
            sections = list(self._sections.values())
            paused = set() if self.cancelled else {id(step) for step, _ in self._paused.values()}
        for section in sections:
            yield from (step for step in self._expected(section.sequence) if id(step) not in paused)

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
            if step.state not in FINAL:
                yield step
            return

    def _due(self) -> Iterator[plan.Sequence]:
        """Yield the calls whose pause is over; they are made again."""
        with self._lock:
            now = monotonic()
            due = [step for step, at in self._paused.values() if at <= now]
            for step in due:
                del self._paused[step.call.path]
        yield from (step.sequence for step in due if step.state == RETRY)

    def _comes_again(self, step: StepState, error: StepError) -> bool:
        """Let a call be made again if it is to be."""
        call = step.call
        attempt = call.tries + 1
        if self.cancelled or call.path in self._failures or call.retry is None:
            return False
        if not call.retry.applies(error.type, attempt):
            return False
        again = replace(call, tries=attempt)
        pause = 0.0 if self.is_queued(again) else call.retry.seconds(attempt)
        if call.retry.jitter == "full":
            pause *= random()  # noqa: S311  # to spread calls, not to hide them  # to spread calls, not to hide them
        self._paused[call.path] = (step, monotonic() + pause)
        section = self._sections.pop(id(step.sequence))
        step.call, step.sequence = again, (again,)
        section.sequence = step.sequence
        self._sections[id(step.sequence)] = section
        return True
