"""A run that was queued, and that another driver follows to its end, is not queued twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery.signals import before_task_publish

from flowrunner import plan
from flowrunner.plan import Retry
from flowrunner.planner.continuations import CONTINUE
from flowrunner.runs.run_ledger import ledger_of
from tests.engines import folder_backend
from tests.engines.conftest import cluster
from tests.engines.plans import HANG, await_file
from tests.engines.services import ClusterAddress, Redis, Worker
from tests.shapes import plan_of
from tests.unfolding import AT, call


@pytest.fixture(scope="module", params=["redis", "folder"])
def address(
    request: pytest.FixtureRequest, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClusterAddress]:
    """A cluster with a worker; the folder is a result backend that is not Redis."""
    folder = tmp_path_factory.mktemp("results")
    backends = {"redis": redis.url(7), "folder": f"{folder_backend.SCHEME}{folder}"}
    address = ClusterAddress(redis.url(6), backends[request.param])
    with Worker(address, folder):
        yield address


@pytest.fixture
def published() -> Iterator[Counter[str]]:
    """How often each task was queued from here."""
    counter: Counter[str] = Counter()

    def note(headers: dict[str, Any], **_: Any) -> None:
        counter[headers["id"]] += 1

    before_task_publish.connect(note)
    yield counter
    before_task_publish.disconnect(note)


def dynamic(here: Path, until: Path, executed: Path) -> plan.Plan:
    """A plan of three sections: a call with a retry, side by side with others, and what follows."""
    waits = call("c[0].g[0]", "waits_for", str(here), str(until), retry=Retry(1))
    members = (waits, call("c[0].g[1]", "appends", str(executed), immutable=True))
    steps = (
        plan.Group("c[0].g", members, AT),
        *(call(f"c[{n}]", "appends", str(executed), immutable=True) for n in range(1, 4)),
    )
    return plan_of(plan.Chain("c", steps, AT))


@pytest.mark.usefixtures("continued_everywhere")
def test_a_dynamic_run_that_is_taken_over_is_queued_once(
    address: ClusterAddress, tmp_path: Path, published: Counter[str]
) -> None:
    here, until, executed = tmp_path / "here", tmp_path / "until", tmp_path / "executed"
    ready, run = dynamic(here, until, executed), uuid4()
    with cluster(address) as first:
        first.start(ready, run=run)
        await_file(here)
    with cluster(address) as later, ThreadPoolExecutor(1) as pool:
        ledger = ledger_of(ready)
        ended = pool.submit(later.run, ready, run=run, ledger=ledger, timeout=HANG, queued=True)
        until.touch()
        ended.result(HANG)
    assert not ledger.errors
    assert set(published.values()) == {1}
    assert len(executed.read_text().splitlines()) == 4
    assert CONTINUE in {step.call.task for step in ledger.steps.values()}


def test_a_static_run_that_is_taken_over_is_queued_once(
    address: ClusterAddress, tmp_path: Path, published: Counter[str]
) -> None:
    here, until, executed = tmp_path / "here", tmp_path / "until", tmp_path / "executed"
    steps = (
        call("c[0]", "waits_for", str(here), str(until)),
        call("c[1]", "appends", str(executed), immutable=True),
    )
    ready, run = plan_of(plan.Chain("c", steps, AT)), uuid4()
    with cluster(address) as first:
        first.start(ready, run=run)
        await_file(here)
    with cluster(address) as later, ThreadPoolExecutor(1) as pool:
        ledger = ledger_of(ready)
        ended = pool.submit(later.run, ready, run=run, ledger=ledger, timeout=HANG, queued=True)
        until.touch()
        assert ended.result(HANG) == []
    assert set(published.values()) == {1}
    assert len(executed.read_text().splitlines()) == 1


def test_a_retry_that_was_queued_is_not_queued_by_the_next_driver(
    address: ClusterAddress, tmp_path: Path, published: Counter[str]
) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    waits = call("c[0]", "waits_for", str(here), str(until))
    again = call("c[1]", "appends_and_fails", str(tmp_path / "executed"), retry=Retry(2))
    ready = plan_of(plan.Chain("c", (waits, again), AT))
    run = uuid4()
    until.touch()
    ledgers = []
    for queued in (False, True):
        with cluster(address) as engine:
            ledgers.append(ledger_of(ready))
            engine.run(ready, run=run, ledger=ledgers[-1], timeout=HANG, queued=queued)
    assert [ledger.steps["c[1]"].retries for ledger in ledgers] == [2, 2]
    assert set(published.values()) == {1}
    assert len((tmp_path / "executed").read_text().splitlines()) == 3
