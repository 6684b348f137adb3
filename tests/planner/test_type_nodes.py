"""Types through the nodes that run time decides: what each passes on, and what is never refused."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest

from flowrunner import plan
from flowrunner.loader import load_workflow
from flowrunner.planner.problems import Problems
from flowrunner.planner.types import check_types
from flowrunner.source import Location, Source
from flowrunner.tasks import TaskRegistry


class Found(TypedDict):
    files: list[str]
    size: int


def text(*_: Any) -> str: ...
def number(*_: Any) -> float: ...
def texts(*_: Any) -> list[str]: ...
def numbers(*_: Any) -> list[float]: ...
def found(*_: Any) -> Found: ...
def anything(*_: Any) -> Any: ...
def upper(word: str) -> str: ...
def square(value: float) -> float: ...
def amass(values: list[float]) -> float: ...
def lenient(values: list[float | None]) -> float: ...
def pair(values: tuple[float, str]) -> str: ...
def explain(error: dict[str, Any]) -> str: ...


TASKS = (
    text,
    number,
    texts,
    numbers,
    found,
    anything,
    upper,
    square,
    amass,
    lenient,
    pair,
    explain,
)
SOURCE = Source("test.yaml", "task: text\n" + "#" * 2000)
#: Every call of a test has a place of its own, as those of a file have.
PLACES = iter(range(20, 2000))


def registry() -> TaskRegistry:
    tasks = TaskRegistry()
    for function in TASKS:
        tasks.for_plugin("tests").add(function)
    return tasks


LS: dict[str, Any] = {"steps": {"ls": "ls"}}


def here() -> Location:
    start = next(PLACES)
    return Location(SOURCE, start, start + 1)


def call(task: str, *args: Any, **options: Any) -> plan.Call:
    return plan.Call(task, task, here(), args=args, **options)


def fixed(task: str, expression: str) -> plan.Call:
    return call(task, deferred(expression, **LS), immutable=True)


def chain(*steps: plan.Node | str) -> plan.Chain:
    nodes = (call(step) if isinstance(step, str) else step for step in steps)
    return plan.Chain("chain", tuple(nodes), here())


def group(*members: str, **options: Any) -> plan.Group:
    return plan.Group("group", tuple(map(call, members)), here(), **options)


def deferred(expression: str, **options: Any) -> plan.Deferred:
    return plan.Deferred(expression, here(), **options)


def each(items: Any, do: plan.Node, **options: Any) -> plan.Each:
    return plan.Each("each", items, do, "item", here(), **options)


def switch(*steps: plan.Node, otherwise: plan.Node | None = None) -> plan.Switch:
    branches = tuple(plan.Branch(deferred("prev > 1", bare=True), step) for step in steps)
    return plan.Switch("switch", branches, otherwise, here())


def rescue(step: plan.Node, handler: plan.Node) -> plan.Rescue:
    return plan.Rescue("rescue", step, handler, here())


def named(step: plan.Node) -> plan.Named:
    return plan.Named("ls", "ls", step, here())


def graph(**steps: tuple[str, ...]) -> plan.Graph:
    inner = tuple(plan.GraphStep(name, needs, call(name)) for name, needs in steps.items())
    return plan.Graph("graph", inner, list(steps)[-1], here())


def messages(root: plan.Node) -> list[str]:
    problems = Problems()
    workflow = load_workflow(SOURCE)
    check_types(workflow, registry(), root, (), problems)
    return [each.message for each in problems.in_order(SOURCE)]


TOLERATED = plan.Tolerance(1)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (chain("texts", each(deferred("${prev}"), call("square"))),
         "task 'square' gets a text and wants float"),
        (chain("texts", each(deferred("${prev}"), call("upper")), "amass"),
         "task 'amass' gets a list of texts and wants list[float]"),
        (chain("found", each(deferred("${ prev.files }"), call("square"))),
         "task 'square' gets a text and wants float"),
        (chain("texts", each(deferred("${prev}"), fixed("square", "${item}"))),
         "task 'square' gets a text as 'value' and wants float"),
        (chain("texts", each(deferred("${prev}"), chain(), ), "amass"),
         "task 'amass' gets a list of texts and wants list[float]"),
        (chain("text", each(deferred("${prev}"), call("upper"))),
         "'each' gets a text and needs a list"),
        (chain("found", each(deferred("${prev.size}"), call("anything"))),
         "'each' gets a whole number and needs a list"),
        (each([1, "two"], call("square")), "task 'square' gets 'two' and wants float"),
        (call("square", deferred("no. ${n}")),
         "task 'square' gets a text as 'value' and wants float"),
        (plan.Given("each[0]", "two", call("square"), here()),
         "task 'square' gets 'two' as 'value' and wants float"),
        (chain("number", switch(call("text"), otherwise=call("number")), "square"),
         "task 'square' gets a text or a number and wants float"),
        (chain("text", switch(call("number")), "square"),
         "task 'square' gets a number or a text and wants float"),
        (chain("text", switch(call("square"))), "task 'square' gets a text and wants float"),
        (chain(rescue(call("number"), call("explain")), "square"),
         "task 'square' gets a number or a text and wants float"),
        (rescue(call("number"), call("upper")), "task 'upper' gets a dict and wants str"),
        (chain(group("number", "number", tolerate=TOLERATED), "amass"),
         "task 'amass' gets a list of numbers and nulls and wants list[float]"),
        (chain("numbers", each(deferred("${prev}"), call("square"), tolerate=TOLERATED), "amass"),
         "task 'amass' gets a list of numbers and nulls and wants list[float]"),
        (chain(plan.Skipped("s", call("number"), "", here()), "text", "square"),
         "task 'square' gets a text and wants float"),
        (chain("text", plan.Skipped("s", call("number"), "", here()), "square"),
         "task 'square' gets a text and wants float"),
        (chain(named(call("texts")), "number", fixed("square", "${ls}")),
         "task 'square' gets a list of texts as 'value' and wants float"),
        (chain(named(call("found")), call("square", immutable=True,
               kwargs={"value": deferred("${ls['files']}", **LS)})),
         "task 'square' gets a list of texts as 'value' and wants float"),
        (chain(named(call("found")), each(deferred("${ls.files}", **LS), call("square"))),
         "task 'square' gets a text and wants float"),
        (chain(plan.Constant("outputs", {"a": "x"}, here()), "square"),
         """task 'square' gets {"a": "x"} and wants float"""),
        (chain(plan.Constant("outputs", {"a": deferred("${prev}")}, here()), "square"),
         "task 'square' gets a dict and wants float"),
        (chain(plan.Used("use", {}, {}, call("text"), here()), "square"),
         "task 'square' gets a text and wants float"),
        (graph(text=(), number=(), pair=("text", "number")),
         "task 'pair' gets a list of texts and numbers and wants tuple[float, str]"),
        (graph(number=(), upper=("number",)), "task 'upper' gets a number and wants str"),
        (chain("number", graph(upper=())), "task 'upper' gets a number and wants str"),
        (chain(graph(number=(), text=("number",)), "square"),
         "task 'square' gets a text and wants float"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(root: plan.Node, message: str) -> None:
    assert messages(root) == [message]


@pytest.mark.parametrize(
    "root",
    [
        chain("numbers", each(deferred("${prev}"), call("square")), "amass"),
        chain("anything", each(deferred("${prev}"), call("square")), "amass"),
        each(deferred("${range(1, 4)}"), call("upper")),
        each([1, deferred("${inputs.n}")], call("square")),
        chain("texts", each(deferred("${prev + ['a']}"), call("square"))),
        chain("texts", each(deferred("${prev}"), fixed("square", "${len(item)}"))),
        chain("found", each(deferred("${prev.missing}"), call("square"))),
        chain("number", switch(call("text"), otherwise=call("number")), "anything"),
        chain("number", switch(call("square")), "square"),
        # The same condition may hold for both: hints cannot tell.
        chain("number", switch(call("text")), switch(call("upper"), otherwise=call("square"))),
        chain(
            switch(call("texts"), otherwise=call("text")),
            switch(each(deferred("${prev}"), call("upper"))),
        ),
        chain(plan.Skipped("s", call("square", "no number"), "", here()), "text"),
        chain(rescue(call("number"), call("explain")), "anything"),
        chain(rescue(call("number"), call("number")), "square"),
        chain(group("number", "number", tolerate=TOLERATED), "lenient"),
        chain(group("number", "text"), "pair"),
        call("square", deferred("${prev}")),
        call("square", plan.Secret("${env.KEY}", here())),
        call("amass", [1, deferred("${x}")]),
        call("square", deferred("${missing}")),
        call("square", deferred("${i}", names={"i": "text"})),
        chain(named(call("text")), fixed("square", "${ls + ls}")),
        graph(number=(), text=(), pair=("number", "text")),
        chain(plan.Failing("f", "text", "", here()), "square"),
        chain(call("unknown"), "square"),
    ],
)  # fmt: skip
def test_what_may_fit_is_never_refused(root: plan.Node) -> None:
    assert messages(root) == []


def test_a_member_that_fails_is_told_as_what_gives_null() -> None:
    problems = Problems()
    root = chain(group("number", tolerate=TOLERATED), "amass")
    check_types(load_workflow(SOURCE), registry(), root, (), problems)
    (problem,) = problems.in_order(SOURCE)
    assert problem.notes == (
        "'tolerate' gives null for a member that fails: the task has to take None",
    )


def test_a_graph_that_is_no_graph_is_looked_at_to_its_end() -> None:
    messages(graph(text=("number",), number=("text",)))
    messages(graph(text=("nobody",)))
