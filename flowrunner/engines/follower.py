"""Following one run on a cluster: by the states of its own tasks in the result backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic, sleep
from typing import Any, Final

from celery import Celery, states

from flowrunner.engines import loop, lost_calls
from flowrunner.engines.cluster import Cluster
from flowrunner.engines.continuation import forget_parts, store_parts
from flowrunner.engines.implied_ends import ImpliedEnds
from flowrunner.engines.lost_calls import LostCalls, Question
from flowrunner.engines.protocol import RunLostError
from flowrunner.engines.publication import Publication
from flowrunner.engines.run_flags import cancelled_key, known_key
from flowrunner.engines.step_errors import stored_error
from flowrunner.engines.stored_results import read_meta, retries_of, stored_values
from flowrunner.environment import EnvironmentValueError
from flowrunner.errors import BrokerError, PublishingError, is_first_interrupt
from flowrunner.plan import Call, Sequence
from flowrunner.runs.step_state import SKIPPED, StepState
from flowrunner.runs.unfolding import Unfolding

__all__ = ["Follower"]

#: Seconds between tries of a connection that has dropped.
RECONNECT_EVERY: Final = 0.5
#: Seconds for which a connection that has dropped is tried again.
RECONNECT_FOR: Final = 60.0
#: Seconds after which what a run needs is stored again, unless results expire sooner.
RENEW_AFTER: Final = 3600.0

#: What the result backend has of a known run: with continuations, without, or not decided yet.
PARTS, WHOLE, UNDECIDED = b"parts", b"whole", b"undecided"


class Follower:
    """Follows one run in the result backend until it has ended, and queues what comes next.

    ``again`` says that another driver has queued some of it already.
    """

    shortest_pause, longest_pause = 0.01, 0.5

    def __init__(
        self,
        app: Celery,
        cluster: Cluster,
        publication: Publication,
        ledger: Unfolding,
        *,
        again: bool = False,
    ) -> None:
        self.publication = publication
        self._backend = app.backend
        self._cluster = cluster
        self._ledger = ledger
        self._again = again
        self._mark = UNDECIDED
        ledger.can_continue = self._can_continue
        if again:
            ledger.is_queued = publication.is_queued
        self._known = known_key(self._backend, publication.root)
        self._cancelled_key = cancelled_key(self._backend, publication.root)
        self._renew_every = min(RENEW_AFTER, (self._backend.expires or RENEW_AFTER) / 2)
        self._renew_at: float | None = None
        self._question: Question | None = None
        self._patience = lost_calls.LOST_AFTER
        acks_late = {name for name, task in app.tasks.items() if task.acks_late}
        self._implied = ImpliedEnds(app, ledger, publication.task_id)
        self._lost = LostCalls(cluster, ledger, publication.task_id, acks_late, self._implied)

    def keep(self) -> None:
        """Store what the run still needs: that it is known, and its parts."""
        self._keep_mark()
        waiting = {self._id(step) for step in self._ledger.open_steps()}
        parts = self.publication.parts
        still = {task_id: part for task_id, part in parts.items() if task_id in waiting}
        self._retrying(lambda: store_parts(self._backend, still))
        self._renew_at = monotonic() + self._renew_every

    def _keep_mark(self) -> None:
        self._retrying(lambda: self._backend.set(self._known, self._mark))

    def publish_whole(self) -> None:
        """Leave continuations out, of what is queued from now on and of what is followed."""
        self._mark = WHOLE
        self._ledger.leave_out_continuations()

    def _can_continue(self, calls: list[Call]) -> bool:
        """Tell whether a run has continuations: its first section with some decides.

        The decision is stored before the section is queued, so that every driver makes the same
        sections.
        """
        if self._mark == UNDECIDED:
            self._mark = PARTS if self._cluster.can_run(calls) else WHOLE
            self._keep_mark()
        return self._mark == PARTS

    def begin(self) -> None:
        """Queue what comes first, unless somebody has."""
        sections = self._unpublished(self._ledger.begin())
        try:
            self.publication.publish(sections)
        except self._cluster.connection_errors as error:
            raise PublishingError(
                f"the broker {self._cluster.broker} cannot be reached any more: {error}"
            ) from error

    def catch_up(self) -> None:
        """Note what has happened so far, and queue nothing."""
        self._ledger.is_queued = lambda call: True
        self.publication.prepared(self._ledger.begin())
        before = -1
        while self._ledger.changes != before:
            before = self._ledger.changes
            self.look()
            self._retrying(lambda: self._implied.note(self._ledger.expected()))
            self.publication.prepared(self._ledger.advance())

    def _unpublished(self, sections: Iterable[Sequence]) -> Iterable[Sequence]:
        if not self._again:
            return sections
        return list(self._retrying(lambda: self.publication.unpublished(sections)))

    def do_as_before(self) -> None:
        """Leave continuations out, or not, as the driver did that queued the run."""
        mark = self._retrying(lambda: self._backend.get(self._known))
        if mark is None:
            raise self._lost_data()
        self._mark = mark.encode() if isinstance(mark, str) else mark
        if self._mark == WHOLE:
            self.publish_whole()

    @contextmanager
    def cancelling(self, *, patient: bool | None) -> Iterator[None]:
        """Cancel the run when the block raises; on Ctrl-C, wait for what runs if ``patient``.

        What whoever goes on with a run lacks is left to others, who may go on with it as well.
        """
        try:
            yield
        except BaseException as error:
            if self._again and isinstance(error, EnvironmentValueError):
                self.publication.parts.clear()  # others still need them
                raise
            with suppress(*self._cluster.connection_errors, BrokerError):
                if isinstance(error, RunLostError):
                    self._keep_mark()  # or workers would not look at the flag of a run
                self.cancel()
            if is_first_interrupt(error) and patient:
                self._follow(until=lambda: not self._ledger.running)
            raise
        finally:
            with suppress(*self._cluster.connection_errors):  # they expire by themselves
                forget_parts(self._backend, self.publication.parts)

    def cancel(self, *, terminate: bool = False) -> None:
        """Let no task of the run start any more: by its flag, and on plain workers by revoking."""
        self._backend.set(self._cancelled_key, b"1")
        steps = self._ledger.open_steps()
        self._cluster.revoke([self._id(step) for step in steps], terminate=terminate)

    def to_the_end(self, timeout: float | None) -> Any:
        """Wait for the end of the run and return its value; ``None`` when a call has failed.

        Raises :class:`~flowrunner.engines.protocol.RunTimeoutError`.
        """
        return self._follow(timeout=timeout)

    def _follow(
        self, *, timeout: float | None = None, until: Callable[[], bool] | None = None
    ) -> Any:
        if self._renew_at is None:
            self.keep()
        self._question, self._patience = None, lost_calls.LOST_AFTER
        return loop.follow(self._ledger, self, timeout=timeout, until=until)

    # What the loop asks: see engines.loop.EnginePort.

    def poll(self) -> None:
        """Note in the ledger what has happened."""
        self.look()
        self._retrying(self._implied.look)

    def publish(self, sections: Iterable[Sequence]) -> None:
        """Queue what comes next, however long a broker that has gone takes to come back."""
        left = list(self._unpublished(sections))
        if left:
            self._retrying(lambda: self.publication.publish(left), "broker or result backend")

    def check_stall(self, unchanged: float) -> None:
        """Ask the workers where the next calls are; twice in a row they have to be nowhere."""
        if not unchanged:
            self._patience = lost_calls.LOST_AFTER
        if self._question is None and unchanged >= self._patience:
            self._question = self._lost.ask()
        elif self._question is not None and self._question.answered:
            self._retrying(partial(self._lost.judge, self._question, unchanged))
            self._question, self._patience = None, unchanged + lost_calls.LOST_AFTER

    def wait(self, seconds: float) -> None:
        """Wait until the next look."""
        sleep(seconds)

    def look(self) -> None:
        """Note what the backend knows of the calls that may have moved on."""
        steps = list(self._ledger.expected())
        metas = self._metas(steps)
        passed_on = False
        for step, meta in zip(steps, metas, strict=True):
            if meta is None:
                continue
            state, path, error = meta["status"], step.call.path, None
            self._lost.note(path, meta)
            retries = retries_of(meta)
            if state == step.state and (retries or 0) <= step.task_retries:
                continue
            if state in states.EXCEPTION_STATES:
                worker = meta.get("worker") or self._lost.worker_of(path)
                error = stored_error(step.call, meta, worker)
            if state == states.REVOKED and self._ledger.cancelled:
                error = None  # that is what was asked for
            value = partial(meta.get, "result")
            self._ledger.record(path, state, error, result=value, retries=retries)
            passed_on = passed_on or "passed_on" in meta
        if passed_on:
            skipped = (step for step in self._ledger.steps.values() if step.state == SKIPPED)
            self._cluster.revoke([self._id(step) for step in skipped])
        if self._renew_at is not None and monotonic() >= self._renew_at:
            self.keep()

    def _id(self, step: StepState) -> str:
        return self.publication.task_id(step.call)

    def _metas(self, steps: Iterable[StepState]) -> list[dict[str, Any] | None]:
        backend = self._backend
        keys = [backend.get_key_for_task(self._id(step)) for step in steps]
        known, cancelled, *values = self._retrying(
            lambda: stored_values(backend, [self._known, self._cancelled_key, *keys])
        )
        if known is None:
            raise self._lost_data()
        if cancelled is not None and not self._ledger.cancelled:
            self._ledger.cancelled = True
            # Whoever wants it cancelled need not know what has come into being.
            self._cluster.revoke([self._id(step) for step in self._ledger.open_steps()])
        return [None if value is None else read_meta(backend, value) for value in values]

    def _lost_data(self) -> RunLostError:
        return RunLostError(
            f"the result backend {self._cluster.backend} has lost what it stored of this run: it "
            f"was emptied, or restarted without persistence"
        )

    def _retrying(self, ask: Callable[[], Any], what: str = "result backend") -> Any:
        give_up = monotonic() + RECONNECT_FOR
        while True:
            try:
                return ask()
            except self._cluster.connection_errors as error:
                if monotonic() >= give_up:
                    raise BrokerError(
                        f"the {what} {self._cluster.backend} has been away for "
                        f"{RECONNECT_FOR:g} s: {error}"
                    ) from error
                sleep(RECONNECT_EVERY)
