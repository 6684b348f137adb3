"""What the guard of flowrunner's workers costs: a wide chord of tasks that do nothing.

``python -m benchmarks.guard``: two workers on a Redis of their own, one with the guard and one
without, take turns. Prints the median of each and their ratio, which is to be below 1.1.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from flowrunner.engines.celery import CeleryEngine
from flowrunner.plan import Plan
from flowrunner.runs.run_ledger import ledger_of
from tests.engines.plans import call, chord, planned, tasks
from tests.engines.services import ClusterAddress, Redis, Service

MEMBERS = 1000
ROUNDS = 9
WITHOUT = """
import flowrunner.engines.result_backend, flowrunner.engines.worker_app
flowrunner.engines.result_backend.is_task_of_a_run = lambda task_id: False
flowrunner.engines.worker_app.guard_tasks = lambda app: None
flowrunner.engines.worker_app.guard_backend = lambda backend: None
"""
WORKER = """
import sys
from flowrunner.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@contextmanager
def worker(address: ClusterAddress, pool: str, *, guarded: bool) -> Iterator[None]:
    """Run a worker that logs nothing of its tasks."""
    code = ("" if guarded else WITHOUT) + WORKER
    command = [sys.executable, "-c", code, "worker", "--pool", pool, "--concurrency", "2"]
    command += ["--", "--without-heartbeat"]
    folder = tempfile.gettempdir()
    with Service(command, " ready.", cwd=folder, env=address.environment()) as service:
        yield
        service.process.send_signal(signal.SIGTERM)
        service.process.wait()


def seconds(engine: CeleryEngine, plan: Plan) -> float:
    """Return how long a run takes."""
    began = time.perf_counter()
    engine.run(plan, run=uuid4(), ledger=ledger_of(plan), timeout=None)
    return time.perf_counter() - began


def main() -> int:
    plan = planned(chord([call("nothing", n) for n in range(MEMBERS)], call("nothing")))
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder, Redis(Path(folder)) as redis:
        for pool in ("prefork", "threads"):
            with ExitStack() as stack:
                engines = {}
                for number, guarded in enumerate((False, True)):
                    address = ClusterAddress(redis.url(2 * number), redis.url(2 * number + 1))
                    stack.enter_context(worker(address, pool, guarded=guarded))
                    engines[guarded] = stack.enter_context(
                        CeleryEngine(
                            tasks(),
                            configure=lambda app: None,
                            broker=address.broker,
                            backend=address.backend,
                        )
                    )
                taken: dict[bool, list[float]] = {False: [], True: []}
                for guarded in (False, True) * ROUNDS:
                    taken[guarded].append(seconds(engines[guarded], plan))
            medians = {guarded: statistics.median(times) for guarded, times in taken.items()}
            ratio = statistics.median(
                with_it / without
                for without, with_it in zip(taken[False], taken[True], strict=True)
            )
            worst = max(worst, ratio)
            print(
                f"{pool:<8} chord of {MEMBERS:,}: {medians[False]:.2f} s without, "
                f"{medians[True]:.2f} s with the guard, ratio {ratio:.3f}"
            )
    return int(worst > 1.1)


if __name__ == "__main__":
    os.environ.setdefault("C_FORCE_ROOT", "1")
    sys.exit(main())
