"""Every task of a run knows which run it belongs to."""

from __future__ import annotations

from uuid import uuid4, uuid5

import pytest
from celery.signals import task_prerun

from flowrunner.run import run_plan
from tests.engines.conftest import embedded
from tests.engines.plans import call, chain, chord, group, planned

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
