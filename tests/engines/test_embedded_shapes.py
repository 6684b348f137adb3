"""On the embedded engine every random shape gives what the reference semantics give."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import given

from flowrunner import plan
from flowrunner.engines.embedded import EmbeddedEngine
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.semantics import Failure, evaluate
from tests.shapes import call_task, failing_shapes, plan_of, registry, shapes

#: Far longer than any shape takes; a run that needs it hangs.
HANG = 60


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(registry(), configure=lambda app: None) as running:
        yield running


@given(tree=shapes())
def test_every_shape_has_its_value(engine: EmbeddedEngine, tree: plan.Node) -> None:
    planned = plan_of(tree)
    ledger = ledger_of(planned)
    value = engine.run(planned, run=uuid4(), ledger=ledger, timeout=HANG)
    assert not ledger.failed
    assert value == evaluate(tree, call_task)


@given(tree=failing_shapes())
def test_every_failing_shape_fails(engine: EmbeddedEngine, tree: plan.Node) -> None:
    planned = plan_of(tree)
    ledger = ledger_of(planned)
    engine.run(planned, run=uuid4(), ledger=ledger, timeout=HANG)
    expected = evaluate(tree, call_task)
    assert isinstance(expected, Failure)
    assert {error.call.path for error in ledger.errors} == expected.paths
    assert all(error.type == "PlannedFailureError" for error in ledger.errors)
