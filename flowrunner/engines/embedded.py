"""The embedded engine: Celery itself in this process, with nothing to set up.

A real Celery worker runs in a daemon thread, on an in-memory transport and a pool of threads.
Nothing polls. The same canvas and the same tasks as on a cluster.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from celery import Celery, states
from celery.worker import WorkController
from kombu.pools import connections, producers

from flowrunner.engines import loop
from flowrunner.engines.application import FunctionWrapper, build_app, pin_addresses
from flowrunner.engines.canvas import lower_to_canvas
from flowrunner.engines.celery_patches.apps import restoring_join_rule
from flowrunner.engines.continuation import forget_parts, store_parts
from flowrunner.engines.failure_notes import note_failures
from flowrunner.engines.memory_backend import MemoryBackend, MemoryStore
from flowrunner.engines.memory_transport import MemoryBroker, Transport
from flowrunner.engines.protocol import RunStalledError, task_id
from flowrunner.engines.run_flags import publishing_under, root_of
from flowrunner.engines.step_errors import step_error
from flowrunner.engines.thread_pool import DaemonThreadPool
from flowrunner.environment import require_environment
from flowrunner.errors import Diagnostic, EngineError, Finding, WorkflowError, is_first_interrupt
from flowrunner.masking.streams import mask_logs
from flowrunner.plan import Call, Plan, Sequence, calls_of
from flowrunner.runs.unfolding import Unfolding
from flowrunner.tasks import TaskRegistry

__all__ = ["DEFAULT_CONCURRENCY", "EmbeddedEngine"]

#: Enough for tasks that wait for something else, which is what most tasks do.
DEFAULT_CONCURRENCY: Final = 32

#: Seconds between looks at whether a run can still end.
STALL_CHECK_INTERVAL: Final = 0.5

#: What a pool of threads cannot enforce: nothing can interrupt a thread.
UNENFORCEABLE_OPTIONS: Final = ("time_limit", "soft_time_limit")


class EmbeddedEngine:
    """Runs plans on a Celery worker of its own in this process."""

    def __init__(
        self,
        registry: TaskRegistry,
        *,
        configure: Callable[[Celery], None],
        concurrency: int = DEFAULT_CONCURRENCY,
        wrap: FunctionWrapper | None = None,
    ) -> None:
        self._broker = MemoryBroker()
        self._store = MemoryStore()
        self._concurrency = concurrency
        self._app = build_app(registry, self._settings(), configure=configure, wrap=wrap)
        pin_addresses(self._app, broker="memory://", backend=MemoryBackend)
        note_failures(self._app)
        self._ledgers: dict[UUID, Unfolding] = {}  # of the runs that go on, by their roots
        self._ready = Event()
        self._worker: Any = None
        self._restore_join_rule: Callable[[], None] = restoring_join_rule()
        self._thread: Thread | None = None

    def _settings(self) -> dict[str, Any]:
        return {
            "broker_url": "memory://",
            "broker_transport": Transport,
            "broker_transport_options": {"broker": self._broker},
            "result_backend": MemoryBackend,
            "result_backend_thread_safe": True,
            "result_backend_transport_options": {"store": self._store},
            "result_expires": None,
            "task_serializer": "json",
            "result_serializer": "json",
            "accept_content": ["json"],
            "task_track_started": True,
            "task_publish_retry": False,
            "worker_enable_remote_control": False,
            "worker_disable_rate_limits": True,
            "worker_prefetch_multiplier": 0,  # 4 made 1,000 tasks four times slower
            "worker_hijack_root_logger": False,
            "worker_redirect_stdouts": False,
            "worker_detect_quorum_queues": False,
            "broker_pool_limit": None,
        }

    def __enter__(self) -> Self:
        self._restore_join_rule = restoring_join_rule()
        self._worker = WorkController(
            app=self._app,
            pool_cls=DaemonThreadPool,
            concurrency=self._concurrency,
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
            task_events=False,
            ready_callback=lambda _consumer: self._ready.set(),
        )
        self._thread = Thread(target=self._work, name="flowrunner-worker", daemon=True)
        self._thread.start()
        self._ready.wait()
        if not self._thread.is_alive():
            raise EngineError("BUG: the embedded Celery worker did not start")
        return self

    def _work(self) -> None:
        try:
            self._app.set_current()  # the worker's thread, not the caller's
            self._worker.start()
        finally:
            self._ready.set()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Closed first: the worker's loop looks whether it should stop before it waits again.
        self._broker.close()
        self._worker.stop()
        if self._thread is not None:
            self._thread.join()
        self._leave_connection_pools()
        self._app.close()
        self._restore_join_rule()

    def _leave_connection_pools(self) -> None:
        """Let go of what kombu's pools, which outlive every app, keep of this engine."""
        connection = self._app.connection_for_write()
        for pools in (producers, connections):
            with suppress(KeyError):  # 'in' does not work on these
                del pools[connection]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Nothing: all that a run needs is in this process."""
        return ()

    @property
    def calls_here(self) -> int:
        """How many calls run in this process at a time, at most."""
        return self._concurrency

    def check(self, plan: Plan) -> None:
        """Raise :class:`WorkflowError` for options that this engine cannot keep."""
        if plan.env:
            require_environment(plan.env)
            mask_logs()
        problems = {
            (call.location, option): call
            for call in plan.every_call()
            for option in UNENFORCEABLE_OPTIONS
            if option in call.options and not self._keeps_limits(call)
        }
        if problems:
            raise WorkflowError(
                Diagnostic(
                    f"the embedded engine cannot keep '{option}' of task '{call.task}'",
                    location,
                    "nothing can interrupt a thread",
                    notes=(
                        "run it in processes (--processes N) or on a broker (--broker, --backend)",
                    ),
                )
                for (location, option), call in problems.items()
            )

    def plain_workers(self, plan: Plan) -> tuple[str, ...]:
        """No worker: tasks run in this process, which keeps the exceptions that they raise."""
        return ()

    def run(
        self,
        plan: Plan,
        *,
        run: UUID,
        ledger: Unfolding,
        timeout: float | None,
        patient: bool | None = None,
        queued: bool = False,
        on_queued: Callable[[], None] | None = None,
    ) -> Any:
        """Run a plan to its end; see :class:`~flowrunner.engines.protocol.Engine`."""
        assert not queued, "BUG: nobody else can queue for an embedded engine"  # noqa: S101
        self.check(plan)
        root = root_of(plan, run)
        calls: dict[str, Call] = {}  # those queued so far, by the ids of their tasks
        parts: list[str] = []

        def listen(task_id: str, state: str, result: Any, trace: str | None) -> None:
            call = calls[task_id]
            value = self._kept_result(task_id) if state == states.SUCCESS else None
            ledger.record(call.path, state, step_error(call, result, trace), result=value)

        def publish(sequences: Iterable[Sequence]) -> None:
            for sequence in sequences:
                ids = {task_id(call, run): call for call in calls_of(sequence)}
                calls.update(ids)
                self._worker.pool.calls.update(ids)
                canvas = lower_to_canvas(
                    sequence, app=self._app, task_ids=lambda call: task_id(call, run)
                )
                self._store.listen(ids, listen)
                parts.extend(canvas.parts)
                store_parts(self._app.backend, canvas.parts)
                with publishing_under(root):
                    canvas.start.apply_async()

        self._ledgers[root] = ledger
        try:
            publish(ledger.begin())
            if on_queued is not None:
                on_queued()
            return loop.follow(ledger, _Port(self, ledger, publish), timeout=timeout)
        except BaseException as error:
            self._store.cancel(calls)
            if is_first_interrupt(error) and patient is not False:
                while ledger.running and not ledger.wait(STALL_CHECK_INTERVAL):
                    pass  # a second Ctrl-C ends this
            raise
        finally:
            del self._ledgers[root]
            self._store.forget(calls)
            forget_parts(self._app.backend, parts)
            if not ledger.ended:
                self._abandon(calls)
            for each in calls:
                self._app.backend.forget(each)
                self._worker.pool.calls.pop(each, None)

    def _kept_result(self, task_id: str) -> Callable[[], Any]:
        """Return what gives a task's result as the next task gets it, whatever becomes of it."""
        backend = self._app.backend
        # Of what is kept: the task's own value may change when it is used again. It is JSON: that
        # is checked where the task has run.
        kept = self._store.values[backend.get_key_for_task(task_id)]
        return lambda: json.loads(kept)["result"]

    def cancel(self, plan: Plan, *, run: UUID, terminate: bool = False) -> None:
        """Let none of a run's tasks start any more; nothing can end those that run."""
        ledger = self._ledgers.get(root_of(plan, run))
        if ledger is not None:
            ledger.cancelled = True
            self._store.cancel(task_id(step.call, run) for step in ledger.open_steps())

    def _keeps_limits(self, call: Call) -> bool:
        """Tell whether a call can be interrupted when it takes too long."""
        return False

    def _abandon(self, task_ids: Collection[str]) -> None:
        """Let go of what still runs, so that it holds up nothing that comes after its run."""
        self._worker.pool.abandon(task_ids)

    def work_seen(self) -> int:
        """How many messages there have been."""
        return self._broker.sequence

    def is_idle(self) -> bool:
        """Tell whether no message is queued, nothing runs and no retry is due."""
        # In the order in which messages go, so that none is overlooked on its way.
        broker, worker = self._broker, self._worker
        on_its_way = len(broker) or broker.delivering
        return not (on_its_way or worker.pool.unfinished or len(worker.timer.queue))


class _Port:
    """What the loop asks for one run: threads tell the ledger of news by themselves."""

    def __init__(
        self,
        engine: EmbeddedEngine,
        ledger: Unfolding,
        publish: Callable[[Iterable[Sequence]], None],
    ) -> None:
        self.shortest_pause = self.longest_pause = STALL_CHECK_INTERVAL
        self.publish = publish
        self._engine = engine
        self._ledger = ledger
        self._seen: tuple[int, int] | None = None

    def poll(self) -> None:
        """Do nothing: what has happened is noted when it happens."""

    def check_stall(self, unchanged: float) -> None:
        """Raise if nothing was queued, due or running now and at the look before."""
        now = (self._engine.work_seen(), self._ledger.changes)
        if self._engine.is_idle() and now == self._seen and self._ledger.pause is None:
            raise RunStalledError(_stalled_message(self._ledger))
        self._seen = now

    def wait(self, seconds: float) -> None:
        """Wait for news."""
        self._ledger.wait(seconds)


def _stalled_message(ledger: Unfolding) -> str:
    steps = ", ".join(sorted(step.call.path for step in ledger.expected()))
    return (
        f"the run has stalled: these steps returned no result: {steps}; a task that raises "
        f"Celery's Ignore or Reject leaves its workflow without a result: raise another "
        f"exception, or return one"
    )
