"""The celery engine: plans run by workers of a cluster, over a broker and a result backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from celery import Celery, states
from celery.canvas import Signature

from flowrunner.engines import continuation
from flowrunner.engines.application import build_app, pin_addresses
from flowrunner.engines.canvas import Canvas, lower_to_canvas
from flowrunner.engines.cluster import Cluster, cluster_settings, producer_settings
from flowrunner.engines.continuation import forget_parts, store_parts
from flowrunner.engines.protocol import RunTimeoutError, task_ids
from flowrunner.engines.run_flags import known_key, publishing_under, root_of
from flowrunner.engines.step_errors import step_error
from flowrunner.engines.stored_results import read_meta
from flowrunner.errors import BrokerError
from flowrunner.plan import Plan, without_continuations
from flowrunner.runs.ledger import SKIPPED, Ledger, StepError, StepState
from flowrunner.tasks import TaskRegistry

__all__ = ["CeleryEngine", "cluster_settings"]

#: Seconds between looks at the result backend: short at first, longer while nothing changes.
SHORTEST_POLL: Final = 0.01
LONGEST_POLL: Final = 0.5
#: Seconds for which a connection that has dropped is tried again.
RECONNECT_FOR: Final = 60.0
#: Seconds without any change after which the workers are asked what they run.
LOST_AFTER: Final = 5.0
#: What a plan may cost as one canvas, in bytes, where workers know nothing of continuations.
LARGEST_CANVAS: Final = 256_000_000
#: What a worker of another app includes to know them.
CONTINUATION_MODULE: Final = continuation.__name__
#: Seconds after which what a run needs is stored again, unless results expire sooner.
RENEW_AFTER: Final = 3600.0


class CeleryEngine:
    """Queues plans on a broker and follows their tasks in the result backend."""

    def __init__(
        self,
        registry: TaskRegistry,
        *,
        configure: Callable[[Celery], None],
        broker: str,
        backend: str,
    ) -> None:
        self._app = build_app(registry, producer_settings(broker, backend), configure=configure)
        pin_addresses(self._app, broker=broker, backend=backend)
        self._cluster = Cluster(self._app)

    def __enter__(self) -> Self:
        self._cluster.preflight()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._app.close()

    def check(self, plan: Plan) -> None:
        """Raise :class:`~flowrunner.errors.BrokerError` for a call that no worker would run.

        A plan with continuations becomes one canvas where the workers know nothing of them,
        unless that would be too large.
        """
        self._cluster.check(plan)
        canvases = [plan.one_canvas, *(handler.one_canvas for handler in plan.handlers)]
        largest = max(canvas.bytes for canvas in canvases)
        if largest > LARGEST_CANVAS and not self._cluster.can_continue(plan):
            raise BrokerError(
                f"this workflow needs workers that know flowrunner's continuations: as one "
                f"canvas its messages would take {largest / 1e6:,.0f} MB; start "
                f"workers with 'celery -A flowrunner.worker worker', or your own with "
                f"'--include {CONTINUATION_MODULE}'"
            )

    def run(
        self,
        plan: Plan,
        *,
        run: UUID,
        ledger: Ledger,
        timeout: float | None,
        patient: bool | None = None,
    ) -> Any:
        """Run a plan to its end; see :class:`~flowrunner.engines.protocol.Engine`.

        A :class:`KeyboardInterrupt` or a timeout makes the workers drop what is queued; what
        runs goes on there, and nobody waits for it unless ``patient``.
        """
        self.check(plan)
        ids = task_ids(plan, run)
        canvas = self._canvas(plan, ids, ledger)
        root = root_of(plan, run)
        follower = _Follower(self._app, self._cluster, ids, root, ledger, canvas.parts)
        try:
            follower.keep()
            self._publish(canvas, root)
            follower.follow(timeout)
        except BaseException as error:
            self._cluster.revoke([ids[step.call.path] for step in ledger.open_steps()])
            if isinstance(error, KeyboardInterrupt) and patient:
                follower.follow(None, until=lambda: not ledger.running)
            raise
        finally:
            with suppress(*self._cluster.connection_errors):  # they expire by themselves
                forget_parts(self._app.backend, canvas.parts)
        if ledger.failed:
            return None
        *_, last = plan.calls()
        return follower.value(last.path)

    def _canvas(self, plan: Plan, ids: dict[str, str], ledger: Ledger) -> Canvas:
        sequence = plan.sequence
        if not self._cluster.can_continue(plan):
            sequence = without_continuations(sequence)
            for call in plan.calls():
                if call.kind == "continuation":
                    ledger.record(call.path, states.SUCCESS)
        return lower_to_canvas(sequence, app=self._app, task_ids=lambda call: ids[call.path])

    def _publish(self, canvas: Canvas, root: UUID) -> None:
        try:
            with publishing_under(root):
                canvas.start.apply_async()
        except self._cluster.connection_errors as error:
            raise BrokerError(f"the broker {self._cluster.broker} has gone: {error}") from error


class _Follower:
    """Follows one run in the result backend until it has ended."""

    def __init__(
        self,
        app: Celery,
        cluster: Cluster,
        ids: dict[str, str],
        root: UUID,
        ledger: Ledger,
        parts: Mapping[str, Signature],
    ) -> None:
        self._backend = app.backend
        self._parts = parts
        self._cluster = cluster
        self._ids = ids
        self._ledger = ledger
        self._acks_late = {name for name, task in app.tasks.items() if task.acks_late}
        self._mark = known_key(self._backend, root)
        self._renew_every = min(RENEW_AFTER, (self._backend.expires or RENEW_AFTER) / 2)
        self._renew_at = 0.0
        self._suspects: set[str] = set()
        self._workers: dict[str, str] = {}

    def keep(self) -> None:
        """Store what the run still needs: the mark of a backend that has its data, the parts."""
        self._retrying(lambda: self._backend.set(self._mark, b"1"))
        waiting = {self._ids[step.call.path] for step in self._ledger.open_steps()}
        parts = {task_id: part for task_id, part in self._parts.items() if task_id in waiting}
        self._retrying(lambda: store_parts(self._backend, parts))
        self._renew_at = monotonic() + self._renew_every

    def follow(self, timeout: float | None, *, until: Callable[[], bool] | None = None) -> None:
        """Wait for the end of the run, or something else, noting in the ledger what happens."""
        until = until or (lambda: self._ledger.ended)
        deadline = None if timeout is None else monotonic() + timeout
        pause, changed, patience = SHORTEST_POLL, monotonic(), LOST_AFTER
        while True:
            before = self._ledger.changes
            self._look()
            if until():
                return
            now = monotonic()
            if self._ledger.changes != before:
                pause, changed, patience = SHORTEST_POLL, now, LOST_AFTER
            else:
                pause = min(pause * 1.5, LONGEST_POLL)
            if deadline is not None and now >= deadline:
                raise RunTimeoutError(f"the run took longer than {timeout:g} s")
            if now - changed >= patience:
                self._give_up_lost()
                patience = monotonic() - changed + (LOST_AFTER if self._suspects else 2 * patience)
            sleep(pause if deadline is None else min(pause, deadline - now))

    def value(self, path: str) -> Any:
        """Return the value of a call that has succeeded."""
        (meta,) = self._metas([path])
        if meta is None:
            raise self._lost_data()
        return meta["result"]

    def _look(self) -> None:
        """Note what the backend knows of the calls that may have moved on."""
        steps = list(self._ledger.expected())
        metas = self._metas(step.call.path for step in steps)
        passed_on = False
        for step, meta in zip(steps, metas, strict=True):
            if meta is None:
                continue
            state, path, error = meta["status"], step.call.path, None
            if _is_started(meta):
                self._workers[path] = meta["result"]["hostname"]
            if state == step.state:
                continue
            if state in states.EXCEPTION_STATES:
                worker = meta.get("worker") or self._workers.pop(path, None)
                error = step_error(step.call, meta["result"], meta.get("traceback"), worker)
            self._ledger.record(path, state, error)
            passed_on = passed_on or "passed_on" in meta
        if passed_on:
            skipped = (step for step in self._ledger.steps.values() if step.state == SKIPPED)
            self._cluster.revoke([self._ids[step.call.path] for step in skipped])
        if monotonic() >= self._renew_at:
            self.keep()

    def _metas(self, paths: Iterable[str]) -> list[dict[str, Any] | None]:
        backend = self._backend
        keys = [backend.get_key_for_task(self._ids[path]) for path in paths]
        mark, *values = self._retrying(lambda: backend.mget([self._mark, *keys]))
        if mark is None:
            raise self._lost_data()
        return [None if value is None else read_meta(backend, value) for value in values]

    def _lost_data(self) -> BrokerError:
        return BrokerError(
            f"the result backend {self._cluster.backend} has lost what it kept of this run: it "
            f"was emptied, or restarted without persistence"
        )

    def _retrying(self, ask: Callable[[], Any]) -> Any:
        give_up = monotonic() + RECONNECT_FOR
        while True:
            try:
                return ask()
            except self._cluster.connection_errors as error:
                if monotonic() >= give_up:
                    raise BrokerError(
                        f"the result backend {self._cluster.backend} has been away for "
                        f"{RECONNECT_FOR:g} s: {error}"
                    ) from error
                sleep(LONGEST_POLL)

    def _give_up_lost(self) -> None:
        """Fail the calls that have started and of which their worker knows nothing, twice asked.

        The worker was restarted, or the task raised Celery's ``Ignore`` or ``Reject``.
        """
        started = self._started()
        if not started:
            return
        before, self._suspects = (
            self._suspects,
            self._cluster.not_running(
                {self._ids[step.call.path]: worker for step, worker in started}
            ),
        )
        self._look()  # it may have ended in the meantime
        for step, worker in started:
            lost = self._ids[step.call.path] in before & self._suspects
            if lost and step.state == states.STARTED:
                error = StepError(
                    step.call,
                    "TaskLostError",
                    f"the task started on {worker}, which does not run it any more, and left no "
                    f"result: the worker was restarted, or the task raised Celery's Ignore or "
                    f"Reject",
                    worker=worker,
                )
                self._ledger.record(step.call.path, states.FAILURE, error)

    def _started(self) -> list[tuple[StepState, str]]:
        """Return the calls that run, each with its worker; but for those that would come again."""
        steps = [
            step
            for step in self._ledger.expected()
            if step.state == states.STARTED and step.call.task not in self._acks_late
        ]
        metas = self._metas(step.call.path for step in steps)
        return [
            (step, meta["result"]["hostname"])
            for step, meta in zip(steps, metas, strict=True)
            if meta is not None and _is_started(meta)
        ]


def _is_started(meta: dict[str, Any]) -> bool:
    """Tell whether a task has started and says where."""
    result = meta["result"]
    return meta["status"] == states.STARTED and isinstance(result, dict) and "hostname" in result
