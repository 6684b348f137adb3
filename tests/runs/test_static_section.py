"""A static plan is one section: it gives the same alone and as a part of a dynamic plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowrunner import plan
from flowrunner.deferred import passes_on
from flowrunner.planner.continuations import sequence_of
from flowrunner.runs.step_state import FAILURE, RETRY, REVOKED, STARTED, SUCCESS, StepError
from flowrunner.runs.unfolding import Unfolding
from tests.shapes import HERE, shapes

#: What happens to a call: any of these, in any order.
STATES = (SUCCESS, FAILURE, REVOKED, STARTED, RETRY)


def told(ledger: Unfolding) -> dict[str, Any]:
    """What an engine, a recorder and a command learn from a ledger."""
    return {
        "states": {path: (step.state, step.retries) for path, step in ledger.steps.items()},
        "errors": [error.call.path for error in ledger.errors],
        "expected": [step.call.path for step in ledger.expected()],
        "open": sorted(step.call.path for step in ledger.open_steps()),
        "skipped": sorted(call.path for call in ledger.skipped()),
        "ended": ledger.ended,
        "running": ledger.running,
    }


def driven(
    ledger: Unfolding, draw: Callable[[st.SearchStrategy[int]], int]
) -> list[dict[str, Any]]:
    """Run a ledger to its end; ``draw`` chooses the call that has news, and which."""
    seen = [told(ledger)]
    while expected := sorted(step.call.path for step in ledger.expected()):
        path = expected[draw(st.integers(0, len(expected) - 1))]
        state = STATES[draw(st.integers(0, len(STATES) - 1))]
        error = StepError(ledger.steps[path].call, "ValueError", "no") if state == FAILURE else None
        ledger.record(path, state, error, result=lambda path=path: path)
        assert list(ledger.advance()) == []
        seen.append(told(ledger))
    return seen


@given(shapes().filter(lambda root: not passes_on(root)), st.data())
def test_a_static_tree_gives_the_same_states_errors_queue_and_value(
    root: plan.Node, data: st.DataObject
) -> None:
    sequence = sequence_of(root).sequence
    chosen: list[int] = []

    def draw(numbers: st.SearchStrategy[int]) -> int:
        chosen.append(data.draw(numbers))
        return chosen[-1]

    alone = Unfolding(root, sequence)
    section = Unfolding(plan.Named("named", "n", root, HERE))
    (queued,) = alone.begin()
    assert list(section.begin()) == [queued]
    seen = driven(alone, draw)
    again = iter(chosen)
    assert driven(section, lambda _: next(again)) == seen
    assert alone.failed is section.failed
    if not alone.failed:
        assert alone.value == section.value
