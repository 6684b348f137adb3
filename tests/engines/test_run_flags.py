"""Every task of a run knows which run it belongs to, and what became of that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4, uuid5

import pytest
from celery.signals import task_prerun

from flowrunner.run import run_plan
from flowrunner.runs.run_ledger import ledger_of
from tests.engines.conftest import cluster, embedded
from tests.engines.plans import HANG, await_file, call, chain, chord, group, planned
from tests.engines.services import Worker

NESTED = chain(
    chord(
        [
            chain(call("tag", 1, 2), call("tag")),
            chord([call("tag", 1, 2), call("tag", 3, 4)], call("tag")),
            group(call("tag", 1, 1), call("tag", 2, 2)),
        ],
        chord([call("tag"), call("tag")], call("tag")),
    ),
    chord([call("tag"), call("tag")], call("tag")),
)


@pytest.mark.parametrize("continued", [False, True])
def test_every_task_has_its_runs_root(continued: bool, request: pytest.FixtureRequest) -> None:
    if continued:
        request.getfixturevalue("continued_everywhere")
    roots: dict[str, str] = {}

    def note(task_id: str, task: object, **_: object) -> None:
        roots[task_id] = task.request.root_id  # type: ignore[attr-defined]

    plan, run = planned(NESTED, finally_=call("tag")), uuid4()
    task_prerun.connect(note)
    try:
        with embedded() as engine:
            assert run_plan(plan, engine, run=run).state == "SUCCESS"
    finally:
        task_prerun.disconnect(note)
    expected = {str(uuid5(run, call.path)): str(run) for call in plan.calls()}
    of_finally = str(uuid5(run, "finally"))
    expected |= {
        str(uuid5(run, call.path)): of_finally
        for call in plan.every_call()
        if call.path.startswith("finally")
    }
    assert roots == expected


@pytest.mark.parametrize("kind", ["embedded", "cluster"])
def test_a_run_that_is_asked_to_starts_nothing_more_and_ends_as_revoked(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Also in a header in a header, where a plain revoke would leave Celery waiting."""
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    tree = chord(
        [
            chord([call("waits_for", str(begun), str(gate)), call("tag")], call("tag")),
            chain(call("waits_for", str(begun), str(gate)), call("touches", str(tmp_path / "no"))),
        ],
        call("touches", str(tmp_path / "no")),
    )
    plan, run = planned(tree), uuid4()
    ledger = ledger_of(plan)
    if kind == "cluster":
        worker: Worker = request.getfixturevalue("worker")
        running = cluster(worker.address)
    else:
        running = embedded()
    with running as engine, ThreadPoolExecutor(1) as pool:
        future = pool.submit(engine.run, plan, run=run, ledger=ledger, timeout=HANG)
        await_file(begun)
        engine.cancel(plan, run=run)
        gate.touch()
        assert future.result(HANG) is None
    assert ledger.ended
    assert ledger.cancelled
    states = {path: step.state for path, step in ledger.steps.items()}
    assert "FAILURE" not in states.values()
    assert states["root.body"] == "SKIPPED"
    assert not (tmp_path / "no").exists()
