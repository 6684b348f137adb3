"""Plans that unfold, on every engine: the values that they mean, or a clear failure."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings

from flowrunner import plan
from flowrunner.app import run_plan
from flowrunner.engines.protocol import Engine
from flowrunner.plan import Retry
from flowrunner.runs.outcome import failure_data
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.semantics import Failure, evaluate
from tests.engines.plans import HANG
from tests.shapes import plan_of
from tests.unfolding import AT, DYNAMIC, built, call, trees


def call_task(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do as the engines' tasks of these names, which must not be imported here.

    Celery would give them to every app of this process.
    """
    match name:
        case "fail":
            raise ValueError("planned")
        case "numbers":
            return [1, 2, 3]
        case "echo":
            return args[0] if args else None
    assert (name, kwargs) == ("tag", {})
    return list(args)


def assert_same(engine: Engine, root: plan.Node) -> None:
    ready = plan_of(root)
    ledger = RunLedger(ready)
    outcome = run_plan(ready, engine, ledger=ledger, run=uuid4(), timeout=HANG)
    assert not outcome.reason

    def described(path: str, failure: Failure) -> Any:
        made = {error.call.path: error for error in (*ledger.errors, *ledger.caught)}
        return failure_data(path, [made[each] for each, _ in failure.causes])

    meant = evaluate(root, call_task, describe=described)
    if isinstance(meant, Failure):
        failed = {error.call.path for error in outcome.errors}
        assert (outcome.state, failed) == ("FAILURE", set(meant.paths))
    else:
        assert (outcome.state, outcome.result) == ("SUCCESS", meant)


STEADY = {
    name: root
    for name, root in DYNAMIC.items()
    if "flaky" not in {each.task for each in plan.calls_in(root)}
}


@pytest.mark.parametrize("name", STEADY)
def test_it_gives_what_it_means(engine: Engine, name: str) -> None:
    assert_same(engine, STEADY[name])


@given(trees(flaky=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_plan_gives_what_it_means(engine: Engine, tree: Any) -> None:
    assert_same(engine, built(tree, "r"))


def test_a_call_is_made_again_as_often_as_its_policy_says(engine: Engine) -> None:
    ready = plan_of(call("root", "fail", retry=Retry(2, delay=0.01)))
    ledger = RunLedger(ready)
    outcome = run_plan(ready, engine, ledger=ledger, run=uuid4(), timeout=HANG)
    assert (outcome.state, ledger.steps["root"].retries) == ("FAILURE", 2)


def test_members_are_let_go_one_by_one(engine: Engine) -> None:
    members = tuple(call(str(number), "tag", number) for number in range(20))
    assert_same(engine, plan.Group("g", members, AT, max_parallel=3))
