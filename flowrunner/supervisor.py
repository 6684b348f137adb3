"""What a worker does beside its tasks: it goes on with runs that nobody drives any more.

Those were queued by ``apply --detach``, or their ``apply`` has died. Their handlers run, and how
they end is recorded, whether anybody looks or not.
"""

from __future__ import annotations

import logging
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final
from uuid import UUID

from flowrunner.driver import Drive, DrivenElsewhereError, driver_name, is_abandoned
from flowrunner.environment import missing
from flowrunner.errors import FlowrunnerError
from flowrunner.runs.store import RunStoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from celery import Celery

    from flowrunner.app import Project
    from flowrunner.engines.celery import CeleryEngine
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import RunStore

__all__ = ["Supervisor", "supervised_worker_app"]

logger = logging.getLogger("flowrunner.supervisor")

#: Seconds between looks at the runs that have not ended.
LOOK_EVERY: Final = 5.0
#: Runs that one worker drives at a time; each takes a thread and a look at Redis now and then.
MOST_DRIVEN: Final = 32


class Supervisor:
    """Looks for runs that nobody drives, in a thread, and drives each in one of its own."""

    def __init__(self, project: Project, engine: CeleryEngine, store: RunStore) -> None:
        self._project = project
        self._engine = engine
        self._store = store
        self._name = driver_name("a worker")
        self._stopped = Event()
        self._driven: set[UUID] = set()
        self._left: set[UUID] = set()
        self._lock = Lock()
        self._thread = Thread(target=self._work, name="flowrunner-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Drive nothing more; what is driven here is left to others."""
        self._stopped.set()
        with self._lock:
            driven = list(self._driven)
        for run in driven:
            try:
                self._store.release(run, self._name)
            except RunStoreError:
                return  # the claims lapse by themselves

    def _work(self) -> None:
        while not self._stopped.wait(LOOK_EVERY):
            try:
                self.look()
            except RunStoreError as error:
                logger.warning("cannot look for runs that nobody drives: %s", error)
            except Exception:
                logger.exception("BUG: looking for runs that nobody drives")

    def look(self) -> None:
        """Look once at the runs that have not ended, and drive those that nobody drives."""
        for run in self._store.open_runs():
            with self._lock:
                if run in self._driven or len(self._driven) >= MOST_DRIVEN:
                    continue
            driver = self._store.driver(run)
            if driver is not None:
                continue
            try:
                record = self._store.get(run)
            except FlowrunnerError as error:  # another version's, or it has just expired
                logger.warning("run %s is left alone: %s", run, error)
                continue
            if is_abandoned(record, driver) and self._can_drive(record):
                with self._lock:
                    self._driven.add(run)
                name = f"flowrunner-drive-{run}"
                Thread(target=self._drive, args=(record,), name=name, daemon=True).start()

    def _can_drive(self, record: RunRecord) -> bool:
        """Tell whether this process has what a run's secrets are; if not, that is logged once."""
        lacking = missing(record.plan.env) if record.plan.unfolds else []
        if lacking and record.run not in self._left:
            self._left.add(record.run)
            logger.warning("run %s is left alone: not set here: %s", record.run, ", ".join(lacking))
        return not lacking

    def _drive(self, record: RunRecord) -> None:
        run = record.run
        try:
            rest = self._project.rest(record)
            with Drive(
                record,
                self._engine,
                self._store,
                rest=rest,
                name=self._name,
                warn=logger.warning,
            ) as drive:
                logger.info("going on with run %s of %s", run, record.workflow)
                outcome = drive.to_the_end()
            logger.info("run %s of %s: %s", run, record.workflow, outcome.state)
        except DrivenElsewhereError:
            pass
        except FlowrunnerError as error:
            logger.warning("run %s cannot be gone on with: %s", run, error)
        except Exception:
            logger.exception("BUG: driving run %s", run)
        finally:
            with self._lock:
                self._driven.discard(run)


def supervised_worker_app(project: Project) -> Celery:
    """Return the app of a worker that goes on with runs that nobody drives.

    On a result backend that keeps no records of runs it is a worker all the same. Raises
    :class:`~flowrunner.errors.ConfigurationError` without a broker and a backend.
    """

    def supervise(app: Celery) -> Callable[[], None]:
        from flowrunner.engines.worker_facts import note_supervisor

        try:
            store = project.run_store()
        except FlowrunnerError as error:
            logger.warning("no runs are gone on with here: %s", error)
            store = None
        if store is None:
            return lambda: None
        supervisor = Supervisor(project, project.celery_engine(), store)
        supervisor.start()
        note_supervisor()
        return supervisor.stop

    return project.worker_app(companions=[supervise])
