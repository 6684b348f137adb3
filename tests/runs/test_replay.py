"""Runs that unfold, told again from what is kept of their calls, and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from flowrunner import plan
from flowrunner.plan import Call, Retry, calls_of
from flowrunner.planner.cost import Costing
from flowrunner.runs.replay import kept_of, remainder_of, replay
from flowrunner.runs.step_state import StepState
from flowrunner.runs.store import StepRow
from flowrunner.runs.unfolding import Unfolding
from tests.runs.test_unfolding import Tasks, run_sequence
from tests.shapes import plan_of
from tests.unfolding import AT, built, call, later, trees


class Rows:
    """What a store keeps of an attempt."""

    def __init__(self) -> None:
        self.rows: dict[str, StepRow] = {}

    def note(self, step: StepState, result: Callable[[], Any] | None) -> None:
        error = step.error
        self.rows[step.call.path] = StepRow(
            step.call.path,
            step.state,
            retries=step.retries,
            result=None if result is None else result(),
            has_result=result is not None,
            error_type=None if error is None or step.state != "FAILURE" else error.type,
            error_message="" if error is None else error.message,
        )

    def __call__(self, calls: Sequence[Call]) -> Mapping[str, StepRow]:
        return {call.path: self.rows[call.path] for call in calls if call.path in self.rows}


def driven(ledger: Unfolding, tasks: Tasks, *, sections: int | None = None) -> None:
    """Run a ledger to its end, or until so many sections have run."""
    waiting = list(ledger.begin())
    while waiting and sections != 0:
        run_sequence(waiting.pop(0), (), ledger, tasks)
        waiting += ledger.advance()
        sections = None if sections is None else sections - 1


class TaskRows(Rows):
    """What Celery keeps: a row of each task, of which a retry has another."""

    def __init__(self) -> None:
        super().__init__()
        self._tries: dict[str, int] = {}

    def note(self, step: StepState, result: Callable[[], Any] | None) -> None:
        super().note(step, result)
        path, row = step.call.path, self.rows.pop(step.call.path)
        tries = self._tries.get(path, 0)
        state = "FAILURE" if row.state == "RETRY" else row.state
        error = step.error
        kind = None if error is None else error.type
        row = replace(row, state=state, retries=0, error_type=kind, of_one_task=True)
        self.rows[f"{path}~{tries}"] = row
        self._tries[path] = tries + 1

    def __call__(self, calls: Sequence[Call]) -> Mapping[str, StepRow]:
        found = ((call.path, self.rows.get(f"{call.path}~{call.tries}")) for call in calls)
        return {path: row for path, row in found if row is not None}


@pytest.mark.parametrize("kept", [Rows, TaskRows])
@pytest.mark.parametrize(
    ("task", "retry", "state", "retries"),
    [
        ("fail", plan.Retry(5), "FAILURE", 5),
        ("flaky", plan.Retry(5), "SUCCESS", 2),
        ("fail", plan.Retry(5, never=("ValueError",)), "FAILURE", 0),
        ("flaky", plan.Retry(1), "FAILURE", 1),
    ],
)
def test_retries_are_told_as_they_were(
    kept: type[Rows], task: str, retry: plan.Retry, state: str, retries: int
) -> None:
    root, rows = call("c", task, "x", retry=retry), kept()
    live = Unfolding(root, on_step=rows.note)
    driven(live, Tasks())
    for _ in range(2):  # what is told of a run is told from that again
        told = Unfolding(root)
        found = replay(told, rows)
        for ledger in (live, told):
            step = ledger.steps["c"]
            assert (step.state, step.retries) == (state, retries)
            assert [error.retries for error in ledger.errors] == [retries] * (state == "FAILURE")
        rows = Rows()
        rows.rows = found


def test_a_retry_that_was_due_when_the_run_ended_is_not_counted() -> None:
    ledger = Unfolding(call("c", "fail", retry=plan.Retry(5, delay=30)))
    (first,) = ledger.begin()
    run_sequence(first, (), ledger, Tasks())
    assert ledger.steps["c"].retries == 1
    ledger.give_up()
    assert (ledger.steps["c"].state, ledger.steps["c"].retries) == ("REVOKED", 0)
    assert ledger.errors == []
    error = StepRow("c", "REVOKED", error_type="ValueError")  # as it is recorded
    told = Unfolding(call("c", "fail", retry=plan.Retry(5, delay=30)))
    replay(told, lambda calls: {"c": error})
    assert (told.steps["c"].state, told.steps["c"].retries, told.errors) == ("REVOKED", 0, [])


@given(trees())
def test_it_is_told_as_it_was(tree: Any) -> None:
    root, rows = built(tree, "r"), Rows()
    ledger = Unfolding(root, on_step=rows.note)
    driven(ledger, Tasks())
    again = Unfolding(root)
    replay(again, rows)
    assert {path: (step.state, step.retries) for path, step in again.steps.items()} == {
        path: (step.state, step.retries) for path, step in ledger.steps.items()
    }
    assert (again.ended, again.failed) == (ledger.ended, ledger.failed)
    assert [error.call.path for error in again.errors] == [e.call.path for e in ledger.errors]
    if not ledger.failed:
        assert again.value == ledger.value


class Mended(Tasks):
    """Tasks of which none fails any more."""

    def __call__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return super().__call__("mended" if name == "fail" else name, args, kwargs)


@given(trees(flaky=False))
def test_what_has_succeeded_is_used_again(tree: Any) -> None:
    root, rows, tasks = built(tree, "r"), Rows(), Mended()
    first = Unfolding(root, on_step=rows.note)
    driven(first, Tasks(), sections=2)
    told = Unfolding(root)
    kept = kept_of(told, replay(told, rows))
    rest = remainder_of(plan_of(root), kept)
    again = Unfolding(root, known=rest.known, failures=rest.failures, on_step=Rows().note)
    driven(again, tasks)
    assert again.ended
    if not any(isinstance(node, plan.Failing) for node in (root,)):
        assert not [error for error in again.errors if error.type != "ExpressionError"]
    whole = Unfolding(root)
    driven(whole, Mended())
    if not kept.failures:
        assert again.value == whole.value


def test_an_expression_that_failed_and_was_handled_fails_again_and_is_handled_again() -> None:
    broken = call("c[1]", "tag", later("${prev[99]}"))
    handled = plan.Rescue("c[1]", broken, call("c[1].on_error", "tag"), AT)
    steps = (call("c[0]", "numbers"), handled, call("c[2]"), call("c[3]", "fail"))
    root, rows, tasks = plan.Chain("c", steps, AT), Rows(), Mended()
    driven(Unfolding(root, on_step=rows.note), Tasks())
    told = Unfolding(root)
    kept = kept_of(told, replay(told, rows))
    driven(Unfolding(root, known=kept.results, failures=kept.failures), tasks)
    assert tasks.calls == ["mended"]


@pytest.mark.usefixtures("continued_everywhere")
@given(trees(flaky=False))
def test_a_rest_with_continuations_gives_the_same(tree: Any) -> None:
    root, rows = built(tree, "r"), Rows()
    driven(Unfolding(root, on_step=rows.note), Tasks(), sections=2)
    told = Unfolding(root)
    kept = kept_of(told, replay(told, rows))
    ledgers = [Unfolding(root, known=kept.results, failures=kept.failures) for _ in range(2)]
    ledgers[1].leave_out_continuations()
    for ledger in ledgers:
        driven(ledger, Mended())
        assert ledger.ended
    continued, whole = ({error.call.path for error in each.errors} for each in ledgers)
    assert continued == whole
    if not whole:
        assert ledgers[0].value == ledgers[1].value


LONG = plan.Chain(
    "c",
    (
        call("c[0]", "tag", retry=Retry(2)),
        *(call(f"c[{number}]", "tag", number) for number in range(1, 1001)),
    ),
    AT,
)
RESULTS = {f"c[{number}]": number for number in range(100)}


def test_what_is_left_of_a_long_section_has_continuations() -> None:
    ledger = Unfolding(LONG, known=RESULTS)
    (section,) = ledger.begin()
    assert section[0].path == "c[100]"  # type: ignore[union-attr]
    whole = plan.without_continuations(section)
    assert Costing().cost(whole).bytes > 100_000_000
    assert Costing().cost(section).bytes < 6_000_000
    assert ledger.reused == RESULTS.keys()


def test_whoever_drives_the_same_attempt_makes_the_same_sections() -> None:
    first = Unfolding(LONG, known=RESULTS | {"c[500]:continue": None})
    sections = list(first.begin())
    later_driver = Unfolding(LONG, known={path: RESULTS[path] for path in first.reused})
    assert list(later_driver.begin()) == sections


def test_continuations_are_left_out_if_workers_do_not_know_them() -> None:
    asked: list[Call] = []

    def refuse(calls: list[Call]) -> bool:
        asked.extend(calls)
        return False

    for known in ({}, RESULTS):
        asked.clear()
        ledger = Unfolding(LONG, known={"c[0]": 0} | known)
        ledger.can_continue = refuse
        (section,) = ledger.begin()
        assert asked
        assert {each.kind for each in asked} == {"continuation"}
        assert not [each for each in calls_of(section) if each.kind == "continuation"]
        assert not [path for path in ledger.steps if path.endswith(":continue")]
