"""Driving a recorded run: following it to its end, running its handlers, noting how it ended.

At any time one process drives a run: the ``apply`` that started it, a ``watch``, or a worker's
supervisor. It holds a claim that lapses when the process dies, so that another one goes on.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID, uuid4

from flowrunner.environment import hide
from flowrunner.errors import (
    EngineError,
    FlowrunnerError,
    PublishingError,
    UnfinishedRunError,
)
from flowrunner.plan import Plan
from flowrunner.planner.remaining import Remainder
from flowrunner.process import this_process
from flowrunner.run import Course, InterruptedRunError, run_plan
from flowrunner.runs.driven import CLAIM_FOR, has_lost_its_process, process_fate
from flowrunner.runs.journal import Journal, note_end
from flowrunner.runs.outcome import Outcome
from flowrunner.runs.run_ledger import RunLedger, ledger_of
from flowrunner.runs.step_recorder import StepRecorder
from flowrunner.runs.store import RunNotFoundError, RunStoreError, StepStore

if TYPE_CHECKING:
    from flowrunner.engines.protocol import Engine
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import RunStore

__all__ = [
    "Drive",
    "DrivenElsewhereError",
    "detach",
    "driver_name",
    "is_abandoned",
    "new_record",
]

#: Seconds between renewals of a claim.
CLAIM_EVERY: Final = 3.0
#: Seconds between looks at whether somebody wants an embedded run to be cancelled.
LOOK_EVERY: Final = 0.5
#: Who records a run claims it at once: one that nobody has claimed is left alone for so long.
GRACE: Final = timedelta(seconds=30)


class DrivenElsewhereError(FlowrunnerError):
    """Another process drives the run."""


def driver_name(what: str) -> str:
    """Return the name of a driver in this process, which no other one has."""
    return f"{what} on {socket.gethostname()}, process {os.getpid()} ({uuid4().hex[:8]})"


def is_abandoned(record: RunRecord, driver: str | None) -> bool:
    """Tell whether a run has not ended and has no driver that will end it.

    Of an embedded run, on the host that ran it, the process says so.
    """
    if record.has_ended:
        return False
    if has_lost_its_process(record, now=datetime.now(UTC)):
        return True
    if driver is not None or _is_suspended(record):
        return False
    return record.queued or datetime.now(UTC) - record.attempt.started > GRACE


def _is_suspended(record: RunRecord) -> bool:
    """Tell whether the process of an embedded run is there, and does not say so."""
    process = record.attempt.process
    if record.engine != "embedded" or process is None or process.is_this_one:
        return False
    return process_fate(record) == "runs"


class _Claim:
    """Keeps the claim of ``driver`` on a run for as long as a ``with`` block lasts.

    ``on_cancel`` is called, again and again, while somebody wants the run to be cancelled.
    Entering raises :class:`DrivenElsewhereError`.
    """

    def __init__(
        self, store: RunStore, run: UUID, driver: str, *, on_cancel: Callable[[], None]
    ) -> None:
        self._store = store
        self._run = run
        self._driver = driver
        self._on_cancel = on_cancel
        self._ended = Event()
        self._thread = Thread(target=self._keep, name="flowrunner-claim", daemon=True)

    def __enter__(self) -> Self:
        if not self._made():
            driver = self._store.driver(self._run)
            raise DrivenElsewhereError(f"run {self._run} is driven by {driver}")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        with suppress(RunStoreError):  # it lapses by itself
            self._store.release(self._run, self._driver)

    def _made(self) -> bool:
        return self._store.claim(self._run, self._driver, seconds=CLAIM_FOR)

    def _keep(self) -> None:
        looks = 0
        while not self._ended.wait(LOOK_EVERY):
            looks += 1
            # Whatever it is, the next look tries again: what matters is told when the run has
            # ended. A run that is recorded no more is one that its result backend has lost.
            with suppress(Exception):
                if looks % round(CLAIM_EVERY / LOOK_EVERY) == 0:
                    self._made()
                if self._store.is_cancelled(self._run):
                    self._on_cancel()


class Drive:
    """One attempt of a run, driven from here to its end; a context manager.

    Without a ``store`` the run is not recorded. ``warn`` is told, in a sentence, what goes wrong
    beside the run. Entering raises :class:`DrivenElsewhereError`.
    """

    def __init__(
        self,
        record: RunRecord,
        engine: Engine,
        store: RunStore | None,
        *,
        rest: Remainder | None = None,
        name: str,
        warn: Callable[[str], None],
    ) -> None:
        if record.plan.env:
            hide(record.plan.env)
        self.record = record
        self._engine = engine
        self._store = store
        self._rest = rest
        self._name = name
        self._warn = warn
        self._stack = ExitStack()
        self._recorder = (
            StepRecorder(store, record.attempt.id, warn=warn)
            if isinstance(store, StepStore)
            else None
        )
        self.ledger = _ledger(
            record.plan, rest, None if self._recorder is None else self._recorder.note
        )

    def __enter__(self) -> Self:
        if self._store is not None:
            run, name = self.record.run, self._name
            self._stack.enter_context(_Claim(self._store, run, name, on_cancel=self._cancel))
        if self._recorder is not None:
            self._stack.enter_context(self._recorder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def to_the_end(self) -> Outcome:
        """Run what is left, note how it all ended and return that.

        Raises what :func:`~flowrunner.run.run_plan` raises. A run whose broker or result backend
        has gone stays open, for the next one who drives it.
        """
        record = self.record
        journal = None if self._store is None else Journal(self._store, record)
        course = Course(
            record.run,
            record.attempt.id,
            record.attempt.started,
            rest=self._rest,
            queued=record.queued,
            cancelled=record.cancelled,
            journal=journal,
            seconds_before=record.attempt.seconds_before,
        )
        try:
            outcome = run_plan(
                record.plan,
                self._engine,
                ledger=self.ledger,
                timeout=record.timeout,
                course=course,
            )
        except InterruptedRunError as error:
            self._finish(error.outcome)
            raise
        except EngineError as error:
            is_queued = record.queued if journal is None else journal.queued
            if self._store is not None and not is_queued:
                _note_unqueued(self._store, record, str(error))
            if not isinstance(error, PublishingError) and not is_queued:
                raise
            raise self._unfinished(error, "STARTED" if is_queued else "FAILURE") from error
        self._finish(outcome)
        return outcome

    def _unfinished(self, error: EngineError, state: str) -> UnfinishedRunError:
        run = str(self.record.run)
        then = f"flowrunner watch {run}" if state == "STARTED" else f"flowrunner resume {run}"
        message = str(error) if self._store is None else f"{error}; to continue the run: {then}"
        return UnfinishedRunError(message, run=run, workflow=self.record.workflow, state=state)

    def _finish(self, outcome: Outcome) -> None:
        if self._store is None:
            return
        try:
            note_end(self._store, outcome, self.record)
        except (RunStoreError, RunNotFoundError) as error:
            self._warn(f"how this run ended is not recorded: {error}")

    def _cancel(self) -> None:
        if not self.ledger.main.cancelled:
            self._engine.cancel(self._main, run=self.record.attempt.id)

    @property
    def _main(self) -> Plan:
        """What of the plan this attempt runs."""
        rest = None if self._rest is None else self._rest.plan
        return self.record.plan if rest is None else rest


def _ledger(plan: Plan, rest: Remainder | None, on_step: Callable[..., None] | None) -> RunLedger:
    if rest is None:
        return RunLedger(plan, on_step=on_step)
    main = ledger_of(plan, known=rest.known, failures=rest.failures, on_step=on_step)
    return RunLedger(plan, main=main, on_step=on_step)


def new_record(plan: Plan, *, cluster: bool, timeout: float | None) -> RunRecord:
    """Return the record of a new run, which no store has yet."""
    from flowrunner.runs.record import RunRecord

    return RunRecord.of(
        plan,
        run=uuid4(),
        created=datetime.now(UTC),
        engine="celery" if cluster else "embedded",
        timeout=timeout if timeout is not None else plan.timeout,
        process=None if cluster else this_process(),
    )


def detach(record: RunRecord, engine: Engine, store: RunStore | None) -> None:
    """Record a run and queue it, for others to follow.

    Raises :class:`~flowrunner.errors.EngineError` for a run that nobody would follow to its end,
    and when it cannot be queued.
    """
    from flowrunner.engines.celery import CeleryEngine

    if store is None or not isinstance(engine, CeleryEngine):
        raise EngineError(
            "--detach needs a cluster and recorded runs: this run would end with this process; "
            "configure --broker and --backend"
        )
    plan = record.plan
    if plan.env and (plan.unfolds or plan.handlers):
        raise EngineError(
            f"--detach leaves the next sections to workers, and they may need "
            f"{', '.join(plan.env)} from the environment: omit --detach"
        )
    what = [f"'{handler.name}'" for handler in plan.handlers]
    what += ["the timeout"] if record.timeout is not None else []
    what += ["the next sections"] if plan.unfolds else []
    if what and not engine.has_supervisors():
        raise EngineError(
            f"no worker would handle {' and '.join(what)} of a detached run: "
            f"start a flowrunner worker\n  flowrunner worker"
        )
    store.create(record)
    name = driver_name("apply --detach")
    store.claim(record.run, name, seconds=CLAIM_FOR)
    try:
        engine.start(plan, run=record.attempt.id)
    except BaseException as error:
        _note_unqueued(store, record, str(error) or type(error).__name__)
        raise
    store.set_queued(record.run)
    store.release(record.run, name)


def _note_unqueued(store: RunStore, record: RunRecord, why: str) -> None:
    ended = datetime.now(UTC)
    outcome = Outcome(
        record.run,
        record.workflow,
        "FAILURE",
        record.attempt.started,
        ended,
        reason=why,
        seconds_before=record.attempt.seconds_before,
    )
    with suppress(RunStoreError):
        note_end(store, outcome)
