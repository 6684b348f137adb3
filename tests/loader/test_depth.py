"""Steps may stand in each other as deep as values may; deeper is said, and never a crash."""

import pytest

from flowrunner.errors import WorkflowError
from flowrunner.loader import load_workflow
from flowrunner.loader.composer import MAXIMUM_DEPTH
from flowrunner.source import Source

#: What stands around a step, its end, and how many levels that is.
NESTS = [
    ("{each: [1], do: ", "}", 1),
    ("{task: power, on_error: ", "}", 1),
    ("{graph: {a: ", "}}", 2),
    ("{chain: [", "]}", 2),
    ("{chord: {header: power, body: ", "}}", 2),
    ("{switch: [{else: ", "}]}", 3),
]


def nested(begin: str, end: str, times: int, core: str) -> Source:
    return Source("deep.yaml", begin * times + core + end * times)


@pytest.mark.parametrize(("begin", "end", "levels"), NESTS)
def test_the_deepest_steps_are_loaded_and_what_is_wrong_in_them_is_found(
    begin: str, end: str, levels: int
) -> None:
    most = (MAXIMUM_DEPTH - 1) // levels
    assert load_workflow(nested(begin, end, most, "power")).problems == ()
    (problem,) = load_workflow(nested(begin, end, most, "{tsk: power}")).problems
    assert (problem.message, problem.label) == ("unknown key 'tsk'", "did you mean 'task'?")


@pytest.mark.parametrize(("begin", "end", "levels"), NESTS)
def test_deeper_ones_are_refused(begin: str, end: str, levels: int) -> None:
    with pytest.raises(WorkflowError, match=f"nested more than {MAXIMUM_DEPTH} levels deep"):
        load_workflow(nested(begin, end, MAXIMUM_DEPTH // levels + 1, "power"))
