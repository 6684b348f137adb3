"""The process of ``flowrunner worker``: runs a worker, and starts it again when it dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Final, NoReturn

from billiard.process import active_children
from celery import Celery
from celery.bin.base import CLIContext
from celery.bin.worker import worker as celery_worker
from celery.utils.log import get_logger
from celery.worker import state

__all__ = ["run_worker", "start_again"]

#: Seconds of pause before a worker is started again: it doubles each time that it dies.
SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
#: Seconds after which a worker that was ready has run well.
RAN_WELL: Final = 60.0
#: Seconds that what is left of a dead worker's pool has to end.
LAST_WORDS: Final = 5.0
#: Where the pause is told to the next life.
PAUSE: Final = "FLOWRUNNER_WORKER_PAUSE"

logger = get_logger(__name__)


def run_worker(app: Celery, arguments: Sequence[str]) -> int:
    """Run a worker of an app until it is asked to end, and return Celery's exit code.

    ``arguments`` are those of ``celery worker``. A worker that dies is started again in this
    process; one that has never been ready is not, since it never would be.
    """
    environment, began = dict(os.environ), monotonic()
    app.Worker.setup.when_overdue = lambda: start_again({**environment, PAUSE: "1"})
    context = CLIContext(app=app, no_color=None, workdir=None)
    status = celery_worker.main(
        list(arguments), prog_name="flowrunner worker --", obj=context, standalone_mode=False
    )
    worker = app.Worker.setup.worker
    if worker is None:
        return int(status or 0)
    started_again = PAUSE in environment
    if worker.asked_to_restart or (worker.died_of and (worker.was_ready or started_again)):
        pause = _pause(environment, ran=monotonic() - began)
        if worker.died_of is not None:
            logger.error("The worker has died: %r. It restarts in %g s.", worker.died_of, pause)
            if not _paused(pause):
                return int(status or 0)
        start_again({**environment, PAUSE: f"{pause:g}"})
    return int(status or 0)


def _pause(environment: Mapping[str, str], *, ran: float) -> float:
    before = float(environment.get(PAUSE, 0))
    if ran >= RAN_WELL or not before:
        return SHORTEST_PAUSE
    return min(before * 2, LONGEST_PAUSE)


def _paused(seconds: float) -> bool:
    """Wait; tell whether nobody has asked for an end in the meantime."""
    until = monotonic() + seconds
    while monotonic() < until:
        if state.should_stop is not None or state.should_terminate:
            return False
        sleep(0.1)
    return True


def start_again(environment: dict[str, str]) -> NoReturn:
    """Start the same command in this process: whoever watches it sees the same one."""
    for child in active_children():
        child.terminate()
        child.join(LAST_WORDS)
        if child.is_alive():
            os.kill(child.pid, 9)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606
