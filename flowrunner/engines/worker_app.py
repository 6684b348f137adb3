"""flowrunner's own workers: Celery's, with the guard, leases, a banner, and what runs beside."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread, Timer
from typing import Any, ClassVar, Final, TypeAlias

from billiard.process import active_children
from celery import Celery
from celery.apps.worker import Worker as CeleryWorker
from celery.backends.redis import RedisBackend
from celery.utils.log import get_logger
from celery.worker import state

from flowrunner import __version__
from flowrunner.code_watch import CodeWatch
from flowrunner.engines.celery_patches.apps import change_backends
from flowrunner.engines.celery_patches.workers import has_terminal, hide_bodies
from flowrunner.engines.guard import guard_backend, guard_tasks
from flowrunner.engines.lease import LEASE_LIFE, Leases
from flowrunner.engines.message_secrets import mask_worker
from flowrunner.engines.process_identity import current_incarnation
from flowrunner.engines.redelivery import Redelivery
from flowrunner.engines.run_flags import is_task_of_a_run
from flowrunner.engines.worker_prints import log_prints_whole
from flowrunner.message_format import is_builtin_task
from flowrunner.password import without_password

__all__ = ["Companion", "WorkerSetup", "guard_backends", "make_worker_app", "reloading"]

#: Seconds between renewals of the leases of what runs, and to the next one after a failure.
RENEW_EVERY: Final = LEASE_LIFE / 3
RENEW_AGAIN: Final = 1.0
#: Seconds that a worker which has died has to end when none of its processes runs any more.
LAST_WORDS: Final = 5.0

#: Starts something beside a worker that is ready, and returns what stops it.
Companion: TypeAlias = Callable[[Celery], Callable[[], None]]

logger = get_logger(__name__)


@dataclass
class WorkerSetup:
    """What an app's workers are given beside their tasks.

    ``plugins`` are told in the banner; ``remarks`` are logged at the start. ``companions`` are
    started when the worker is ready and stopped first of all when it ends. ``when_overdue`` is
    called when a worker that has died does not come to its end.
    """

    plugins: Sequence[str] = ()
    remarks: Sequence[str] = ()
    companions: list[Companion] = field(default_factory=list)
    when_overdue: Callable[[], None] | None = None
    worker: Worker | None = None


def make_worker_app(app: Celery, setup: WorkerSetup) -> Celery:
    """Let an app's workers be flowrunner's own, however they are started; return the app."""
    log_prints_whole(app)
    app.Worker = app.subclass_with_self(Worker, name="Worker", setup=setup)
    return app


class Worker(CeleryWorker):  # type: ignore[misc]
    """A Celery worker that guards the tasks of runs.

    ``died_of`` is what has ended it although nobody asked for that.
    """

    setup: ClassVar[WorkerSetup]

    def on_before_init(self, **options: Any) -> None:
        """Note which process this is, before any is forked from it."""
        current_incarnation()
        self.setup.worker = self
        self.was_ready = False
        self._restarts = self._ends = False
        self.died_of: BaseException | None = None
        self._has_stopped = Event()
        self._stop_companions: list[Callable[[], None]] = []
        super().on_before_init(**options)

    def on_init_blueprint(self) -> None:
        """Put the guard around the tasks: all are known now, nothing is forked yet."""
        super().on_init_blueprint()
        guard_backends(self.app)
        guard_tasks(self.app)
        mask_worker()
        for remark in self.setup.remarks:
            logger.warning(remark)

    def on_consumer_ready(self, consumer: Any) -> None:
        """Start what runs beside; leases first."""
        self.was_ready = True
        hide_bodies(self.pool)
        self._stop_keeping = keep_leases(self.app)
        for companion in self.setup.companions:
            self._stop_companions.append(companion(self.app))
        super().on_consumer_ready(consumer)

    def stop(self, in_sighandler: bool = False, exitcode: Any = None) -> None:
        """Shut down warm; Celery calls it for every end, wanted or not."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            self.died_of = error
            if self.was_ready and self.setup.when_overdue is not None:
                self._limit_the_end(self.setup.when_overdue)
        super().stop(in_sighandler=in_sighandler, exitcode=exitcode)

    def _limit_the_end(self, give_up: Callable[[], None]) -> None:
        """Let what runs end, as on a soft shutdown, and no longer: the worker is needed again."""

        def end() -> None:
            for process in active_children():
                process.terminate()
            if not self._has_stopped.wait(LAST_WORDS):
                give_up()

        timer = Timer(self.app.conf.worker_soft_shutdown_timeout, end)
        timer.daemon = True
        timer.start()

    def on_close(self) -> None:
        """Stop what runs beside before anything else is stopped."""
        while self._stop_companions:
            try:
                self._stop_companions.pop()()
            except Exception:
                logger.exception("What runs beside the worker has not stopped in order.")
        super().on_close()

    def on_stopped(self) -> None:
        """Let go of leases once the pool has ended, and before messages go back to the broker."""
        if self.was_ready:
            self._stop_keeping()
            self._leave()
        super().on_stopped()
        self._has_stopped.set()

    def _leave(self) -> None:
        threads_go_on = not self.pool_cls.__module__.endswith("prefork") and state.active_requests
        backend = self.app.backend
        if threads_go_on or not isinstance(backend, RedisBackend):
            return
        try:
            Leases(backend).leave()
        except backend.connection_errors as error:
            logger.warning("Leases are not free before they lapse: %s", error)

    def install_platform_tweaks(self, worker: Any) -> None:
        """Handle signals as Celery does; ``SIGHUP`` starts the same command again."""
        super().install_platform_tweaks(worker)
        for name in ("SIGINT", "SIGTERM", "SIGQUIT"):
            self._end_by(signal.Signals[name])
        if not has_terminal(self):
            from celery import platforms

            platforms.signals["SIGHUP"] = lambda *_: self.restart()

    def restart(self) -> None:
        """Start the same command again once what runs has ended."""
        self._restarts = True
        state.should_stop = 0

    @property
    def asked_to_restart(self) -> bool:
        """Whether the same command is to start again; a signal to end always wins."""
        return self._restarts and not self._ends

    def _end_by(self, number: signal.Signals) -> None:
        """Let a signal that ends the worker end it for good."""
        handle = signal.getsignal(number)
        if not callable(handle):
            return

        def end(*received: Any) -> None:
            self._ends = True
            handle(*received)

        signal.signal(number, end)

    def emit_banner(self) -> None:
        """Say on stderr what this worker is; Celery fills a screen on stdout."""
        sys.stderr.write(self.banner())
        sys.stderr.flush()

    def banner(self) -> str:
        """Return what a worker says of itself when it starts."""
        own = sorted(name for name in self.app.tasks if not is_builtin_task(name))
        pool = self.pool_cls.__module__.rpartition(".")[2]
        lines = {
            "broker": without_password(str(self.app.conf.broker_read_url)),
            "backend": without_password(str(self.app.conf.result_backend)),
            "queues": ", ".join(sorted(self.app.amqp.queues.consume_from)),
            "pool": f"{pool}, {self.concurrency} at a time",
            "plugins": _listed(self.setup.plugins),
            "tasks": f"{len(own)}: {_listed(own)}",
        }
        told = "".join(f"  {name:<8} {value}\n" for name, value in lines.items())
        return f"flowrunner {__version__} worker {self.hostname}\n{told}"


def guard_backends(app: Celery) -> None:
    """Put the guard on every result backend that an app makes."""

    def guarded(backend: Any) -> Any:
        guard_backend(backend)
        return backend

    change_backends(app, guarded)


def _listed(names: Sequence[str], room: int = 12) -> str:
    more = f", … {len(names) - room} more" if len(names) > room else ""
    return (", ".join(names[:room]) or "none") + more


def keep_leases(app: Celery) -> Callable[[], None]:
    """Renew the leases of what this worker runs, and bring back what dead workers had.

    In a thread, since the processes of a pool are busy with their tasks; returns what stops it.
    """
    stopped = Event()
    backend = app.backend
    if not isinstance(backend, RedisBackend):
        return stopped.set
    redelivery = Redelivery(app, every=RENEW_EVERY)

    def keep() -> None:
        leases, pause, is_new = Leases(app.backend), 0.0, True
        while not stopped.wait(pause):
            ids = {request.id for request in tuple(state.active_requests)}
            try:
                leases.renew(filter(is_task_of_a_run, ids))
                redelivery.announce()
                # One worker of all looks; and one that may have died and was started again.
                if redelivery.is_due() or is_new:
                    redelivery.look()
                is_new = False
            except Exception as error:  # whatever it is: leases have to go on
                logger.warning("Leases of running tasks wait for the next try: %s", error)
                pause = RENEW_AGAIN
            else:
                pause = RENEW_EVERY

    with suppress(*backend.connection_errors):  # before anything is received
        redelivery.announce()
    thread = Thread(target=keep, name="flowrunner-leases", daemon=True)
    thread.start()
    return stopped.set


def reloading(watch: CodeWatch) -> Companion:
    """Return what starts a worker again after a change; the tasks that run end first."""

    def companion(app: Celery) -> Callable[[], None]:
        stopped = Event()

        def work() -> None:
            changed = watch.wait(stopped)
            if changed is not None:
                logger.warning(
                    "%s has changed: the worker restarts when its tasks have ended.", changed
                )
                app.Worker.setup.worker.restart()

        Thread(target=work, name="flowrunner-reload", daemon=True).start()
        return stopped.set

    return companion
