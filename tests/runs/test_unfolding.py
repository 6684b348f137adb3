"""Runs that unfold, against what their plans mean, on an engine that is one loop."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from hypothesis import given

from flowrunner import plan
from flowrunner.plan import Call, Retry
from flowrunner.runs.outcome import failure_data
from flowrunner.runs.step_state import FAILURE, SKIPPED, SUCCESS, StepError
from flowrunner.runs.unfolding import Unfolding
from flowrunner.semantics import Failure, accumulate, evaluate
from tests.unfolding import AT, DYNAMIC, built, call, each, later, trees


class Tasks:
    """Tasks that tell what they were given; ``fail`` fails, ``flaky`` only at first."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._flaky: dict[str, int] = {}

    def __call__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.calls.append(name)
        if name == "fail":
            raise ValueError("no")
        if name == "flaky":
            key = json.dumps(args)
            self._flaky[key] = self._flaky.get(key, 0) + 1
            if self._flaky[key] < 3:
                raise OSError("not yet")
        if name == "numbers":
            return [1, 2, 3]
        if name == "echo":
            return args[0] if args else None
        return [name, *args]


def unfolded(root: plan.Node, tasks: Tasks, *, most: list[int] | None = None) -> Unfolding:
    """Run a plan on an engine that takes the sections of each wave in their order."""
    ledger = Unfolding(root)
    waiting = list(ledger.begin())
    while waiting:
        if most is not None:
            most.append(len(waiting))
        section = waiting.pop(0)
        run_sequence(section, (), ledger, tasks)
        waiting += ledger.advance()
    assert ledger.ended
    return ledger


def run_sequence(
    sequence: plan.Sequence, previous: tuple[Any, ...], ledger: Unfolding, tasks: Tasks
) -> tuple[Any, ...] | None:
    given: tuple[Any, ...] | None = previous
    for item in sequence:
        if isinstance(item, plan.Fork):
            values = [run_sequence(each, given or (), ledger, tasks) for each in item.members]
            if any(value is None for value in values):
                return None
            given = ([value[0] for value in values if value is not None],)
            item = item.join
        given = run_call(item, given or (), ledger, tasks)
        if given is None:
            return None
    return given


def run_call(
    made: Call, previous: tuple[Any, ...], ledger: Unfolding, tasks: Tasks
) -> tuple[Any, ...] | None:
    args = made.args if made.immutable else (*previous, *made.args)
    try:
        if made.kind == "builtin":
            value: Any = accumulate(*args, **made.kwargs)
        elif made.kind == "continuation":
            value = args[0] if args else None
        else:
            value = tasks(made.task, args, dict(made.kwargs))
    except Exception as error:
        ledger.record(made.path, FAILURE, StepError(made, type(error).__name__, str(error)))
        return None
    ledger.record(made.path, SUCCESS, result=partial(json.loads, json.dumps(value)))
    return (json.loads(json.dumps(value)),)


@pytest.mark.parametrize("name", DYNAMIC)
def test_it_gives_what_the_plan_means(name: str) -> None:
    assert_same(DYNAMIC[name])


def assert_same(root: plan.Node) -> None:
    meant_tasks, tasks = Tasks(), Tasks()
    ledger = unfolded(root, tasks)
    meant = evaluate(root, meant_tasks, describe=partial(described, ledger))
    assert sorted(tasks.calls) == sorted(meant_tasks.calls)
    if isinstance(meant, Failure):
        assert ledger.failed
        assert sorted(error.call.path for error in ledger.errors) == sorted(
            path for path, _ in meant.causes
        )
    else:
        assert not ledger.failed
        assert not ledger.errors
        assert not ledger.skipped()
        assert ledger.value == meant


def described(ledger: Unfolding, path: str, failure: Failure) -> Any:
    made = {error.call.path: error for error in (*ledger.errors, *ledger.caught)}
    return failure_data(path, [made[path] for path, _ in failure.causes])


def test_what_would_have_run_is_skipped() -> None:
    steps = (call("0", "fail"), call("1"), each("2", later("${prev}"), call("2[*]")), call("3"))
    ledger = unfolded(plan.Chain("c", steps, AT), Tasks())
    assert [step.path for step in ledger.skipped()] == ["1", "3"]
    assert ledger.steps["1"].state == SKIPPED


def test_no_more_run_at_a_time_than_their_group_says() -> None:
    members = tuple(call(str(number)) for number in range(10))
    waves: list[int] = []
    root = plan.Group("g", members, AT, max_parallel=3)
    ledger = unfolded(root, Tasks(), most=waves)
    assert max(waves) == 3
    assert ledger.value == [["tag"]] * 10


def test_sections_are_as_large_as_they_can_be() -> None:
    steps: Iterable[plan.Node] = (
        call("0", "numbers"),
        each("1", later("${prev}"), call("1[*]")),
        call("2"),
        call("3"),
    )
    waves: list[int] = []
    ledger = Unfolding(plan.Chain("c", tuple(steps), AT))
    (first,) = ledger.begin()
    run_sequence(first, (), ledger, Tasks())
    (second,) = ledger.advance()
    assert [type(item).__name__ for item in second] == ["Fork", "Call"]
    assert not waves


@given(trees())
def test_any_plan_gives_what_it_means(tree: Any) -> None:
    assert_same(built(tree, "r"))


def test_a_pause_is_the_drivers_and_stands_in_no_message() -> None:
    ledger = Unfolding(call("c", "fail", retry=Retry(2, delay=30, backoff=3)))
    (first,) = ledger.begin()
    run_sequence(first, (), ledger, Tasks())
    assert ledger.advance() == []
    assert ledger.pause is not None
    assert 29 < ledger.pause <= 30
    assert list(ledger.expected()) == []  # nobody looks for what is nowhere yet
    ledger.is_queued = lambda made: True  # as whoever goes on with a run finds
    ledger.cancel()
    assert ledger.ended
    assert ledger.failed


def test_a_call_that_nobody_will_make_again_was_revoked() -> None:
    ledger = Unfolding(call("c", "fail", retry=Retry(2, delay=30)))
    (first,) = ledger.begin()
    run_sequence(first, (), ledger, Tasks())
    ledger.give_up()
    assert ledger.steps["c"].state == "REVOKED"
    assert ledger.open_steps() == []


def test_a_call_that_is_made_again_is_the_same_but_for_its_number() -> None:
    ledger = Unfolding(call("c", "fail", retry=Retry(1)))
    (first,) = ledger.begin()
    run_sequence(first, (), ledger, Tasks())
    (again,) = ledger.advance()
    (made,) = again
    assert isinstance(made, Call)
    assert (made.tries, dict(made.options)) == (1, {})


@pytest.mark.parametrize(
    ("error", "names", "holds"),
    [
        ("OSError", ("IOError",), True),
        ("OSError", ("builtins.EnvironmentError",), True),
        ("ConnectionError", ("OSError",), True),
        ("OSError", ("ConnectionError",), False),
        ("OwnError", ("package.module.OwnError",), True),
        ("OwnError", ("Exception",), True),
        ("OwnError", ("OSError",), False),  # a backend keeps no more than its name
        ("print", ("print",), True),  # a name of Python's that is no exception
    ],
)
def test_a_policy_knows_exceptions_by_name(error: str, names: tuple[str, ...], holds: bool) -> None:
    assert Retry(1, only=names).applies(error, 1) is holds
    assert Retry(1, never=names).applies(error, 1) is not holds
