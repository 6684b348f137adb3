"""One run of a plan: its main part, then ``on_error`` and ``finally``, each exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from flowrunner.errors import BrokerError, FlowrunnerError, count_interrupts
from flowrunner.plan import Call, Handler, Plan
from flowrunner.planner.handlers import handler_plan

if TYPE_CHECKING:
    from flowrunner.engines.protocol import Engine
    from flowrunner.planner.remaining import Remainder
    from flowrunner.runs.journal import Journal
    from flowrunner.runs.outcome import Outcome, RunState
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.run_ledger import RunLedger
    from flowrunner.runs.step_state import StepError

__all__ = ["Course", "InterruptedRunError", "lost_run", "run_plan"]

#: Why a run that was cancelled did not succeed.
CANCELLED: Final = "cancelled"


class InterruptedRunError(KeyboardInterrupt):
    """Ctrl-C, after what was queued was cancelled and what ran has ended."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("interrupted")
        self.outcome = outcome


@dataclass(frozen=True)
class Course:
    """Which attempt of a run it is, and what is known of it already.

    ``rest`` is what is left of the plan, where earlier attempts have results. ``queued`` says
    that the main part has been published whole, and ``cancelled`` that nothing more of it is to
    start. ``journal`` keeps what whoever comes after has to know. ``seconds_before`` is how long
    earlier attempts were driven.
    """

    run: UUID
    attempt: UUID
    started: datetime
    rest: Remainder | None = None
    queued: bool = False
    cancelled: bool = False
    journal: Journal | None = None
    seconds_before: float = 0.0


def run_plan(
    plan: Plan,
    engine: Engine,
    *,
    ledger: RunLedger | None = None,
    run: UUID | None = None,
    timeout: float | None = None,
    course: Course | None = None,
) -> Outcome:
    """Run a plan on an engine that has been started, and return how it ended.

    ``ledger`` follows the run while it goes on. ``timeout`` is in seconds and wins over the
    plan's own; each handler is given as much again. ``course`` is that of a recorded run, in
    place of ``run``. Raises :class:`InterruptedRunError` for Ctrl-C and
    :class:`~flowrunner.errors.EngineError` when the engine cannot run it.
    """
    from flowrunner.runs.run_ledger import RunLedger

    limit = timeout if timeout is not None else plan.timeout
    if course is None:
        run = run or uuid4()
        course = Course(run, run, datetime.now(UTC))
    return _Run(plan, engine, ledger or RunLedger(plan), course, limit).to_its_end()


class _Run:
    """What has become of a run so far."""

    def __init__(
        self, plan: Plan, engine: Engine, ledger: RunLedger, course: Course, timeout: float | None
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._ledger = ledger
        self._course = course
        self._timeout = timeout
        self._state: RunState = "SUCCESS"
        self._result: Any = None
        self._has_result = False
        self._reasons: list[str] = []
        self._interrupts = 0
        self._loss: _Loss | None = None

    def to_its_end(self) -> Outcome:
        """Run every part that is due and return how it all ended."""
        self._run_main()
        for handler in self._plan.handlers:
            if handler.name == "on_error" and self._state != "FAILURE":
                self._ledger.handlers["on_error"].leave_out()
            elif self._interrupts > 1:
                self._reasons.append(f"'{handler.name}' did not run")
            else:
                self._run_handler(handler)
        outcome = self._outcome()
        if self._interrupts:
            raise InterruptedRunError(outcome)
        return outcome

    def _run_main(self) -> None:
        from flowrunner.engines.protocol import RunLostError, RunStalledError, RunTimeoutError

        course, ledger = self._course, self._ledger.main
        main = self._plan if course.rest is None else course.rest.plan
        if main is None and course.rest is not None:
            self._result, self._has_result = course.rest.result, True
            return
        if course.cancelled and not course.queued:
            ledger.cancel()
            self._end("REVOKED", CANCELLED)
            return
        try:
            result = self._engine.run(
                main or self._plan,
                run=course.attempt,
                ledger=ledger,
                timeout=self._time_left(),
                patient=True if self._plan.handlers else None,
                queued=course.queued,
                on_queued=course.journal.note_queued if course.journal else None,
            )
        except RunTimeoutError as error:
            ledger.give_up()
            whole = f"the run took longer than {self._timeout:g} s"
            self._end("FAILURE", whole if course.queued else str(error))
        except RunStalledError as error:
            self._end("FAILURE", str(error))
        except RunLostError as error:
            self._lost(str(error))
        except BrokerError as error:
            if not self._plan.handlers:
                raise
            names = " and ".join(f"'{handler.name}'" for handler in self._plan.handlers)
            raise BrokerError(f"{error}; so {names} did not run") from error
        except KeyboardInterrupt as error:
            ledger.give_up()
            self._interrupted(error, "interrupted")
        else:
            if ledger.failed and ledger.cancelled:
                self._end("REVOKED", CANCELLED)
            elif ledger.failed:
                self._end("FAILURE")
            else:
                self._result, self._has_result = result, True

    def _lost(self, why: str) -> None:
        self._loss = _loss(self._plan, self._course.run, self._ledger, why)
        self._end("FAILURE", self._loss.error.message)

    def _time_left(self) -> float | None:
        if self._timeout is None or not self._course.queued:
            return self._timeout
        passed = (datetime.now(UTC) - self._course.started).total_seconds()
        return max(self._timeout - passed, 0.0)

    def _run_handler(self, handler: Handler) -> None:
        from flowrunner.engines.protocol import RunTimeoutError
        from flowrunner.raised import message_of
        from flowrunner.runs.outcome import handler_input

        ledger = self._ledger.handlers[handler.name]
        last = handler is self._plan.handlers[-1]
        try:
            given = handler_input(self._outcome())
            if self._course.journal is not None:
                given = self._course.journal.given(handler.name, given)
            ledger.give(given)
            self._engine.run(
                handler_plan(self._plan, handler, given),
                run=self._course.attempt,
                ledger=ledger,
                timeout=self._timeout,
                patient=False if self._interrupts else None if last else True,
            )
        except RunTimeoutError:
            self._end("FAILURE", f"'{handler.name}' took longer than {self._timeout:g} s")
        except FlowrunnerError as error:
            self._end("FAILURE", f"'{handler.name}': {error}")
        except KeyboardInterrupt as error:
            self._interrupted(error, f"'{handler.name}' was interrupted")
        except Exception as error:  # whatever it is, how the main part ended is told
            said = f"{type(error).__name__}: {message_of(error)}"
            self._end("FAILURE", f"BUG: '{handler.name}' did not run: {said}")
        else:
            if ledger.failed:
                self._end("FAILURE")

    def _interrupted(self, error: KeyboardInterrupt, reason: str) -> None:
        self._end("REVOKED", reason)
        self._interrupts += count_interrupts(error)

    def _end(self, state: RunState, reason: str = "") -> None:
        """Note that a part did not succeed: the first that did not decides the run's state."""
        if self._state == "SUCCESS":
            self._state = state
        if reason:
            self._reasons.append(reason)

    def _outcome(self) -> Outcome:
        from flowrunner.runs.outcome import Outcome

        return Outcome(
            self._course.run,
            self._plan.name,
            self._state,
            self._course.started,
            datetime.now(UTC),
            self._result,
            (*([] if self._loss is None else [self._loss.error]), *self._ledger.errors),
            tuple(self._ledger.skipped()),
            "; ".join(self._reasons),
            self._has_result,
            tuple(self._ledger.caught),
            self._course.seconds_before,
            None if self._loss is None else self._loss.ran,
        )


@dataclass(frozen=True)
class _Loss:
    """That a result backend has lost a run: the error, and the paths of the calls that had run."""

    error: StepError
    ran: tuple[str, ...]


def _loss(plan: Plan, run: UUID, ledger: RunLedger, why: str) -> _Loss:
    from flowrunner.runs.outcome import RUN_LOST
    from flowrunner.runs.step_state import StepError

    steps = [step for step in list(ledger.steps.values()) if step.call.is_written]
    ran = tuple(step.call.path for step in steps if step.state == "SUCCESS")
    whole = Call(plan.root.path, plan.name, plan.root.location)
    told = f"{why}; {len(ran):,} of {len(steps):,} calls of run {run} had run"
    return _Loss(StepError(whole, RUN_LOST, told), ran)


def lost_run(record: RunRecord, ledger: RunLedger, why: str) -> Outcome:
    """Return how a recorded run has ended that its result backend has lost."""
    from flowrunner.runs.outcome import Outcome

    loss = _loss(record.plan, record.run, ledger, why)
    return Outcome(
        record.run,
        record.workflow,
        "FAILURE",
        record.attempt.started,
        datetime.now(UTC),
        errors=(loss.error, *ledger.errors),
        reason=loss.error.message,
        caught=tuple(ledger.caught),
        seconds_before=record.attempt.seconds_before,
        ran=loss.ran,
    )
