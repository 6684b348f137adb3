"""The budget of a file: taken before the work is done, and one diagnostic when it is used up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowrunner.budget import FREE_CHARACTERS, MOST_WORK, Budget, BudgetUsedUpError
from flowrunner.errors import WorkflowError
from flowrunner.loader import load_workflow
from flowrunner.node import Mapping
from flowrunner.planner import check_workflow
from flowrunner.source import Source
from flowrunner.tasks import OpenRegistry
from tests.planner.planning import planned, refused
from tests.shapes import HERE

USED_UP = "the file takes too much work to check"
LIST = list(range(20_000))
DEEP = [[[list(range(50))] * 20] * 20]


def written(**document: Any) -> str:
    return json.dumps(document)


def members(argument: Any, count: int = 90_000, **inputs: Any) -> str:
    """Return a workflow of so many members, each of which is given the argument."""
    step = {"task": "call", "args": [argument], "immutable": True}
    return written(inputs=inputs, each=f"${{range({count})}}", do=step)


@pytest.mark.parametrize(
    "text",
    [
        members("<${inputs.a}>", a="x" * 9_000),
        members("<${inputs.a}>", a="é" * 9_000),
        members("${inputs.a}", a=LIST),
        members("${inputs.a}", a="x" * 100_000),
        members("${[inputs.a, item]}", a=LIST),
        members("${inputs.a == inputs.b}", a=LIST, b=LIST),
        members("${item in inputs.a}", a=LIST),
        members("${'z' in inputs.a}", a="x" * 100_000),
        members("${inputs.a + 'b'}", a="x" * 9_000),
        members("${str(inputs.a)}", a=LIST),
        members("${sorted(inputs.a)[0]}", a=LIST),
        members("${max(inputs.a)}", a=["x" * 400] * 500),
        members("${range(1000)}"),
        members("${'x' * 10000}"),
        members([LIST, "${item}"]),
        members("${inputs.a}", a=DEEP),
        written(task="call", times=100_000, args=[LIST]),
        written(task="call", times=100_000, args=["x" * 9_000]),
        written(task="call", times=100_000, kwargs={"a": ["${i}"] * 1_000}),
        written(each="${range(300)}", do={"each": "${range(300)}", "as": "n",
                "do": {"each": "${[]}", "as": "j", "do": {"chain": [{"group": []}] * 20}}}),
        written(each="${range(90000)}", do={"switch": [{"when": False, "do": {"group": []}}] * 50}),
        written(group=[{"task": "call", "args": ["${join(range(100000), ',')}"]}] * 300),
        written(group=[{"when": "len(range(100000)) > 0", "task": "call"}] * 300),
    ],
    ids=lambda text: text[-60:],
)  # fmt: skip
def test_what_would_take_for_ever_is_refused_once(text: str) -> None:
    assert refused(text) == [USED_UP]


@pytest.mark.parametrize(
    "text",
    [
        written(task="call", times=10_000),
        members("${item}", 20_000),
        members("${'row ' + str(item)}", 20_000),
        written(inputs={"rows": [{"n": n, "name": "x" * 20} for n in range(5_000)]},
                each="${inputs.rows}", do={"task": "call", "args": ["${item.n}", "${item.name}"]}),
        written(inputs={"table": [[1, 2, 3]] * 500}, each="${range(500)}",
                do={"task": "call", "args": ["${inputs.table}"]}),
    ],
    ids=lambda text: text[-60:],
)  # fmt: skip
def test_what_workflows_do_is_within_the_budget(text: str) -> None:
    planned(text)


def graph(count: int, **step: Any) -> str:
    """Return a workflow of so many steps, each of which needs the one before."""
    needs = ([f"s{number - 1}"] if number else [] for number in range(count))
    steps = {f"s{n}": {"task": "call", "needs": each, **step} for n, each in enumerate(needs)}
    return written(graph=steps)


@pytest.mark.parametrize(
    "text",
    [
        written(group=[{"task": "call", "args": [number]} for number in range(5_000)]),
        members("${item}", 5_000),
        written(task="call", times=10_000),
        graph(5_000),
    ],
    ids=lambda text: text[:40],
)
def test_an_untrusted_file_has_room_for_what_people_write(text: str) -> None:
    check_workflow(load_workflow(Source("test.yaml", text)), OpenRegistry(), Mapping((), HERE))


@pytest.mark.parametrize(
    "text", [members("${item}", 20_000), written(task="call", times=90_000)], ids=lambda t: t[:40]
)
def test_a_part_of_an_untrusted_plan_takes_more(text: str) -> None:
    """The file is accepted where plugins are loaded: their tasks are trusted."""
    planned(text)
    with pytest.raises(WorkflowError) as refusal:
        check_workflow(load_workflow(Source("test.yaml", text)), OpenRegistry(), Mapping((), HERE))
    assert [each.message for each in refusal.value.diagnostics] == [USED_UP]


def test_many_wrong_names_in_a_large_graph_are_one_budget() -> None:
    """Each message would list the names that come before it."""
    assert refused(graph(3_500, args=["${nothing}"]))[-1] == USED_UP


def test_problems_that_were_found_before_stand_beside_it() -> None:
    first = {"task": "nobody"}
    text = written(
        chain=[
            first,
            {"each": "${range(90000)}", "do": {"task": "call", "args": [LIST, "${item}"]}},
        ]
    )
    assert refused(text) == ["unknown task 'nobody'", USED_UP]


def test_a_text_that_is_no_text_of_an_expression_takes_from_it_as_well() -> None:
    with pytest.raises(BudgetUsedUpError):
        Budget(100).spend_on_value("x" * 10_000)


def test_a_list_that_stands_in_itself_twice_counts_twice() -> None:
    inner = list(range(1_000))
    once, twice = Budget(), Budget()
    once.spend_on_value([inner])
    twice.spend_on_value([inner, inner])
    assert MOST_WORK - twice.left > 1.4 * (MOST_WORK - once.left)


def test_a_longer_file_has_more_in_proportion() -> None:
    short, long, longer = Budget(), Budget(), Budget()
    short.extend(FREE_CHARACTERS)
    long.extend(FREE_CHARACTERS + 1_000)
    longer.extend(FREE_CHARACTERS + 2_000)
    assert short.left == MOST_WORK
    assert longer.left - MOST_WORK == 2 * (long.left - MOST_WORK) > 0
