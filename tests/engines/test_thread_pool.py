"""The embedded engine's threads: how many there are, and what they are lent for."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier
from time import sleep

from flowrunner.engines.protocol import Engine
from flowrunner.engines.thread_pool import DaemonThreadPool
from tests.engines.conftest import embedded
from tests.engines.plans import HANG, await_file, call, group, in_background, run


def pool_of(engine: Engine) -> DaemonThreadPool:
    pool: DaemonThreadPool = engine._worker.pool  # type: ignore[attr-defined]
    return pool


def test_a_task_that_runs_again_before_it_has_ended_costs_no_thread(tmp_path: Path) -> None:
    # Celery's replace() and retry() publish a task once more, with its id, before they leave it.
    both = Barrier(2)
    with embedded(2) as engine:
        pool = pool_of(engine)
        for _ in range(2):
            pool.on_apply(lambda *_: both.wait(HANG), ("task", "its id"))
        while pool.unfinished:
            sleep(0.005)
        one, other = (str(tmp_path / name) for name in ("one", "other"))
        ran = run(engine, group(call("waits_for", one, other), call("waits_for", other, one)))
        assert ran.errors == {}


def test_what_waits_for_a_thread_takes_the_place_of_what_is_abandoned(tmp_path: Path) -> None:
    here, until = (tmp_path / name for name in ("here", "until"))
    with embedded(1) as engine:
        pool, first = pool_of(engine), call("waits_for", str(here), str(until))
        with in_background(engine, first) as first_ran:
            await_file(here)
            with in_background(engine, call("power", 3)) as second_ran:
                while pool.unfinished < 2:
                    sleep(0.005)
                pool.abandon(pool._running.values())
                assert second_ran().value == 9
            until.touch()
            assert first_ran().errors == {}
