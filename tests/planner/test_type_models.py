"""Pydantic's models as hints: pydantic itself says what they take."""

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pydantic
import pytest
from celery import Celery

from flowrunner.planner.types import signatures
from flowrunner.tasks import TaskRegistry
from tests.planner.typed_tasks import problems


class Line(pydantic.BaseModel):
    price: float
    amount: pydantic.PositiveInt = 1


class Order(pydantic.BaseModel):
    number: int
    day: date
    lines: list[Line] = []
    voucher: str | None = pydantic.Field(default=None, min_length=3)
    file: pydantic.FilePath | None = None

    @pydantic.field_validator("number")
    @classmethod
    def is_known(cls, number: int) -> int:
        if number == 404:
            raise ValueError("only a worker can tell")
        if number == 500:
            raise RuntimeError("this validator is broken")
        return number


class Strict(pydantic.BaseModel, strict=True, extra="forbid"):
    day: date


class Unfinished(pydantic.BaseModel):
    other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


def charge(order: Order) -> Any: ...
def charge_all(orders: list[Order], by_name: dict[str, Order] | None = None) -> Any: ...
def maybe(order: Order | None) -> Any: ...
def strict(value: Strict) -> Any: ...
def unfinished(value: Unfinished) -> Any: ...
def order(*_: Any) -> Order: ...
def text(*_: Any) -> str: ...


@dataclass
class Parcel:
    weight: float
    orders: list[Order] = field(default_factory=list)


def send(parcel: Parcel | None, more: list[Parcel] = []) -> Parcel: ...  # noqa: B006


@pydantic.validate_call
def converts(count: int, days: list[date] | None = None) -> int:
    return count


APP = Celery("models", set_as_current=False)


@APP.task(name="unchecked")
def unchecked(parcel: Parcel) -> Any: ...


@APP.task(name="celery", pydantic=True)
def celery(order: Order) -> Order:
    return order


TASKS = TaskRegistry()
for _function in (
    charge,
    charge_all,
    maybe,
    strict,
    unfinished,
    order,
    text,
    converts,
    celery,
    send,
    unchecked,
):
    TASKS.for_plugin("tests").add(_function)

REFUSED = "that Order refuses"
FULL = "{number: 1, day: 2024-02-29, lines: [{price: 1, amount: 2}], voucher: abc}"


@pytest.mark.parametrize(
    "step",
    [
        f"{{task: charge, args: [{FULL}]}}",
        f"{{task: celery, args: [{FULL}]}}",
        "{task: charge, args: [{number: '7', day: 2024-02-29, other: 1}]}",  # pydantic converts
        "{task: charge, args: [{number: 404, day: 2024-02-29}]}",
        "{task: charge, args: [{number: 500, day: 2024-02-29}]}",
        "{task: charge, args: [{number: 1, day: 2024-02-29, file: only/on/a/worker}]}",
        f"{{task: charge_all, args: [[{FULL}, {FULL}], {{a: {FULL}}}]}}",
        "{task: charge_all, args: [[]]}",
        "{task: maybe, args: [null]}",
        "{task: strict, args: [{day: 2024-02-29}]}",  # as JSON
        "{task: unfinished, args: [{other: 1}]}",
        "{task: converts, args: ['7', [2024-02-29]]}",
        "{task: converts, args: [7.0]}",
        "{task: send, args: [{weight: 1}, [{weight: '2', more: 1}]]}",
        "{task: send, args: [null]}",
        "{task: unchecked, args: [1]}",  # Celery hands on what comes
        "chain: [order, charge]",
        "chain: [{task: send, args: [null]}, send, text]",
        "chain: [celery, celery]",
        "chain: [text, charge]",
        "chain: [text, converts]",
    ],
)
def test_what_pydantic_may_take_is_planned(step: str) -> None:
    step = step.replace("[celery,", f"[{{task: celery, args: [{FULL}]}},")
    assert problems(step if step.startswith("chain") else f"chain: [{step}]", tasks=TASKS) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{task: charge, args: [‹{number: 1}›]}", f"a 'order.day' {REFUSED}: field required"),
        ("{task: celery, args: [‹{number: 1}›]}", f"a 'order.day' {REFUSED}: field required"),
        ("{task: charge, kwargs: {order: {number: ‹one›, day: 2024-02-29}}}",
         "a 'order.number' that Order refuses: input should be a valid integer, unable to parse"
         " string as an integer"),
        ("{task: charge, args: [{number: 1, day: 2024-02-29, lines: [{price: 1}, {price: ‹x›}]}]}",
         "a 'order.lines[1].price' that Order refuses"),
        ("{task: charge, args: [{number: 1, day: 2024-02-29, voucher: ‹ab›}]}",
         "a 'order.voucher' that Order refuses: string should have at least 3 characters"),
        ("{task: charge, args: [‹text›]}",
         "a 'order' that Order refuses: input should be an object"),
        (f"{{task: charge_all, args: [[{FULL}, {{number: ‹x›, day: 2024-02-29}}]]}}",
         "a 'orders[1].number' that Order refuses: input should be a valid integer"),
        ("{task: maybe, args: [{number: ‹x›, day: 2024-02-29}]}",
         "a 'order.number' that Order refuses: input should be a valid integer"),
        ("{task: strict, args: [{day: 2024-02-29, other: ‹1›}]}",
         "a 'value.other' that Strict refuses: extra inputs are not permitted"),
        ("{task: converts, args: [‹seven›]}",
         "a 'count' that int refuses: input should be a valid integer"),
        ("{task: send, args: [‹{}›]}", "a 'parcel.weight' that Parcel refuses: field required"),
        ("{task: send, args: [null, [{weight: ‹x›}]]}",
         "a 'more[0].weight' that Parcel refuses: input should be a valid number"),
    ],
)  # fmt: skip
def test_what_pydantic_refuses_is_told_where_it_stands(step: str, said: str) -> None:
    place = step.partition("‹")[2].partition("›")[0]
    (problem,) = problems(step.replace("‹", "").replace("›", ""), tasks=TASKS)
    assert said in problem.message
    assert problem.location is not None
    assert problem.location.text == place


def test_without_pydantic_a_call_that_needs_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "can_make_models", lambda: False)
    (problem,) = problems("chain: [{task: send, args: [{}]}, text]", tasks=TASKS)
    assert problem.message == "task 'send' takes Parcel | None as 'parcel', which needs pydantic"
    assert problem.label == "install it here and for the workers: pip install pydantic"
    assert problems("chain: [{task: unchecked, args: [{}]}]", tasks=TASKS) == []


def test_pydantic_is_not_imported_for_those_that_do_without_it() -> None:
    code = (
        "import sys; from pathlib import Path; from flowrunner.app import Project;"
        "from flowrunner.settings import Settings; from flowrunner.plugins import PluginReference;"
        "plugin = PluginReference('plugins/arithmetic.py', 'test', Path.cwd());"
        "Project(Settings(plugins=(plugin,))).plan(Path('workflows/powersum.yaml'));"
        "print('pydantic' in sys.modules)"
    )
    root = Path(__file__).parent.parent.parent
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert out == "False\n"
