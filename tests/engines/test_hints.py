"""Type hints on every engine: integers for whole floats, instances for models."""

from __future__ import annotations

from typing import Any

import pytest

from flowrunner import plan
from flowrunner.engines.canvas import lower_to_canvas
from flowrunner.engines.protocol import Engine
from flowrunner.hints.adapter import Adapter, ValidationError
from flowrunner.semantics import Failure, evaluate
from tests.engines.plans import call, chain, group, planned, run, tasks
from tests.engines.workplace import Workplace
from tests.shapes import HERE


def items(kind: Any, *values: Any) -> plan.Call:
    return plan.Call("", "tell", HERE, args=values, kind=kind, immutable=True)


def on_paper(root: plan.Node) -> Any:
    """Return the value that the semantics give, with functions that get what hints want."""
    definitions = {each.name: each for each in tasks()}

    def call_task(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        task = definitions[name]
        adapter = Adapter(task.function, task.signature, {})
        return adapter.result(task.function(*adapter.args(args), **adapter.kwargs(kwargs)))

    return evaluate(root, call_task)


STEP = plan.Call("", "tell", HERE, args=(1.0,), kwargs={"step": 2.0})
VALUES: dict[str, tuple[plan.Node, Any]] = {
    "an argument": (call("tell", 3.0), "[3, None]"),
    "a named one": (STEP, "[1, 2]"),
    "items of a list": (call("tell", 1, [2.0, 3]), "[1, [2, 3], None]"),
    "a result": (chain(call("number", 4.0), call("tell")), "[4, None]"),
    "a result and an argument": (
        chain(call("number", 4.0), call("tell", [5.0])),
        "[4, [5], None]",
    ),
    "results of a group": (
        chain(call("number", 1.0), group(call("tell", [6.0]), call("tell"))),
        ["[1, [6], None]", "[1, None]"],
    ),
    "items of map": (items("map", 1.0, 2), ["[1, None]", "[2, None]"]),
    "items of starmap": (items("starmap", [1.0, [2.0]]), ["[1, [2], None]"]),
    "a Celery task": (
        chain(call("number", 4.0), call("legacy.tell", [5.0])),
        "[4, [5], None]",
    ),
    "a function without hints": (call("tag", 3.0), [3.0]),
    "a dataclass": (
        call("bill", {"price": 1, "parts": [{"price": 2.5}]}),
        {"price": 3.5, "parts": []},
    ),
    "a dataclass as a result": (
        chain(call("bill", {"price": 1}), call("bill")),
        {"price": 1.0, "parts": []},
    ),
}


@pytest.mark.parametrize(("root", "value"), VALUES.values(), ids=VALUES.keys())
def test_a_function_gets_what_its_hints_want(engine: Engine, root: plan.Node, value: Any) -> None:
    ran = run(engine, root)
    assert ran.errors == {}
    assert repr(ran.value) == repr(value) == repr(on_paper(root))


@pytest.mark.parametrize(
    ("root", "said"),
    [
        (chain(call("number", 1e17), call("tell")), "the argument 'count' is 1e+17: a float is"),
        (chain(call("number", {"parts": []}), call("bill")), "Field required"),
    ],
)
def test_what_does_not_fit_fails_its_task(engine: Engine, root: plan.Node, said: str) -> None:
    ran = run(engine, root)
    assert list(ran.errors) == ["root.1"]
    assert ran.errors["root.1"].type == "ValidationError"
    assert said in ran.errors["root.1"].message
    failure = on_paper(root)
    assert isinstance(failure, Failure)
    assert [path for path, _ in failure.causes] == [""]


def test_plain_workers_are_sent_the_integers_that_are_known(place: Workplace) -> None:
    def sent(root: plan.Node) -> Any:
        sequence = planned(root).sequence
        return lower_to_canvas(sequence, app=place.app, task_ids=lambda call: call.path).start

    assert repr(sent(call("counts", 3.0)).args) == "(3,)"
    assert repr(sent(call("work", 3.0)).args) == "(3.0,)"
    mapped = plan.Call("", "counts", HERE, args=(1.0, 2), kind="map", immutable=True)
    assert repr(sent(mapped).kwargs["it"]) == "[1, 2]"
    # After a result an argument is the next one's.
    assert repr(sent(chain(call("work"), call("counts", 3.0))).tasks[1].args) == "(3.0,)"
    # What does not fit is the worker's to refuse.
    assert repr(sent(call("counts", 1e17)).args) == "(1e+17,)"


@pytest.mark.parametrize("name", ["counts", "called.counts"])
def test_a_worker_of_an_app_gives_its_tasks_integers(place: Workplace, name: str) -> None:
    assert place.deliver(name, 3.0) == "3"


def test_a_worker_of_an_app_refuses_what_is_not_exact(place: Workplace) -> None:
    assert isinstance(place.deliver("counts", 1e17), ValidationError)


def test_a_message_of_no_run_stays_as_it_is(place: Workplace) -> None:
    assert place.deliver("counts", 3.0, root_id=None) == "3.0"
