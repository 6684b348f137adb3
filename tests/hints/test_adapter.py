"""JSON becomes what a function's hints want: integers, and instances of models."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict

import pydantic
import pytest

from flowrunner.hints import models
from flowrunner.hints.adapter import Adapter, ValidationError

Count = NewType("Count", int)


class Size(TypedDict):
    width: int
    note: NotRequired[str]


class Box(TypedDict):
    size: Size | None
    inner: NotRequired[Box | int]


class Order(pydantic.BaseModel):
    id: int
    day: date | None = None


class Invoice(pydantic.BaseModel):
    number: int


@dataclass
class Line:
    price: float
    orders: list[Order] = field(default_factory=list)
    day: date | None = None


class Cart(TypedDict):
    lines: list[Line]
    owner: Order | None


def adapter(hint: Any, *, returns: Any = None, context: bool = True) -> Adapter:
    def function(value: Any) -> Any: ...

    function.__annotations__ = {"value": hint, "return": returns}
    known = {"celery_task_name": "function"} if context else None
    return Adapter(function, inspect.signature(function), known)


def got(hint: Any, value: Any, **options: Any) -> Any:
    (found,) = adapter(hint, **options).args([value])
    return found


@pytest.mark.parametrize(
    ("hint", "value", "becomes"),
    [
        (int, 3.0, "3"),
        (int, -0.0, "0"),
        (int, 2.0**53, "9007199254740992"),
        (int, True, "True"),
        (int, 2.5, "2.5"),
        (int, "3", "'3'"),
        (int, 10**30, f"{10**30}"),
        (int | None, 3.0, "3"),
        (int | str, 3.0, "3"),
        (Annotated[int, "of people"], 3.0, "3"),
        (Count, 3.0, "3"),
        (list[int], [1, 2.0], "[1, 2]"),
        (list[int] | None, [2.0], "[2]"),
        (list[int] | list[str], [2.0], "[2]"),
        (Sequence[int], [2.0], "[2]"),
        (tuple[int, float], [1.0, 2.0], "[1, 2.0]"),
        (tuple[int, ...], [1.0, 2.0], "[1, 2]"),
        (dict[str, list[int]], {"a": [1.0]}, "{'a': [1]}"),
        (Mapping[str, int], {"a": 1.0}, "{'a': 1}"),
        (Literal[1, 2], 2.0, "2"),
        (Size, {"width": 2.0, "more": 2.0}, "{'width': 2, 'more': 2.0}"),
        (list[Size], [{"width": 2.0}], "[{'width': 2}]"),
        (float, 3.0, "3.0"),
        (float | int, 3.0, "3.0"),
        (int | float | None, 3.0, "3.0"),
        (list[int] | list[float], [3.0], "[3.0]"),
        (list[int | float], [3.0], "[3.0]"),
        (Any, 3.0, "3.0"),
        (object, [3.0], "[3.0]"),
        (list, [3.0], "[3.0]"),
        (inspect.Parameter.empty, 3.0, "3.0"),
    ],
)
def test_a_whole_float_becomes_the_integer_where_the_hint_says_so(
    hint: Any, value: Any, becomes: str
) -> None:
    assert repr(got(hint, value)) == becomes
    assert repr(got(hint, value, context=False)) == becomes


@pytest.mark.parametrize(
    ("hint", "value", "where"),
    [
        (int, 1e17, "'value' is 1e+17"),
        (int | None, -1e17, "'value' is -1e+17"),
        (int | str, 1e300, "'value' is 1e+300"),
        (dict[str, list[int]], {"a": [1, 1e17]}, "'value.a[1]' is 1e+17"),
        (list[int] | dict[str, int], [1, 1e17], "'value[1]' is 1e+17"),
    ],
)
def test_a_float_that_is_not_exact_is_refused(hint: Any, value: Any, where: str) -> None:
    with pytest.raises(ValidationError) as raised:
        got(hint, value)
    assert str(raised.value) == (
        f"the argument {where}: a float is exact only up to ±2^53; write the digits"
    )


def test_every_argument_meets_its_own_parameter() -> None:
    def function(a: int, /, b: float, *more: int, c: int = 0, **others: int) -> None: ...

    adapts = Adapter(function, inspect.signature(function))
    assert repr(adapts.args((1.0, 1.0, 1.0, 1.0))) == "(1, 1.0, 1, 1)"
    assert repr(adapts.args((1.0,), before=1)) == "(1.0,)"
    assert repr(adapts.kwargs({"b": 1.0, "c": 1.0, "x": 1.0})) == "{'b': 1.0, 'c': 1, 'x': 1}"


MADE: list[tuple[Any, Any, Any]] = [
    (Order, {"id": 3, "day": "2024-02-29"}, Order(id=3, day=date(2024, 2, 29))),
    (Order | None, None, None),
    (Order | None, {"id": 3.0}, Order(id=3)),
    (Order | Invoice, {"number": 1}, Invoice(number=1)),
    (list[Order], [{"id": 1}], [Order(id=1)]),
    (dict[str, Order], {"a": {"id": 1}}, {"a": Order(id=1)}),
    (Annotated[Order, "the first"], {"id": 1}, Order(id=1)),
    (Line, {"price": 1, "orders": [{"id": 1}]}, Line(1.0, [Order(id=1)])),
    (list[Line], [{"price": 1}], [Line(1.0)]),
    (Size, {"width": 1}, {"width": 1}),
    (
        Cart,
        {"lines": [{"price": 1}], "owner": {"id": 1}, "more": 1},
        {"lines": [Line(1.0)], "owner": Order(id=1), "more": 1},
    ),
    (Cart, {"lines": [], "owner": None}, {"lines": [], "owner": None}),
    (
        Cart | Box,
        {"lines": "x", "owner": {}, "size": None},
        {"lines": "x", "owner": {}, "size": None},
    ),
    (Cart | int, {"lines": [], "owner": {"id": 1}}, {"lines": [], "owner": Order(id=1)}),
]


@pytest.mark.parametrize(("hint", "value", "becomes"), MADE)
def test_a_function_gets_instances_of_its_models(hint: Any, value: Any, becomes: Any) -> None:
    assert got(hint, value) == becomes
    assert got(hint, value, context=False) == value  # a Celery task says itself what it wants


@pytest.mark.parametrize(
    ("hint", "value", "said"),
    [
        (Order, {}, "Field required"),
        (list[Order], [{"id": "x"}], "0.id"),
        (Line, {"price": "x"}, "price"),
        (Cart, {"lines": [{}], "owner": None}, "price"),
        (Cart, {"lines": []}, "the argument 'value' has no key 'owner', which Cart needs"),
        (Size, {"width": "x"}, "the argument 'value.width' is 'x', not a whole number"),
        (Size, {"width": 1.5}, "the argument 'value.width' is 1.5, not a whole number"),
        (list[Size], [1], "the argument 'value[0]' is 1, not a dict (Size)"),
        (Size, {"width": 1, "note": None}, "the argument 'value.note' is null, not a text"),
        (Box, {"size": 1}, "the argument 'value.size' is 1, not a dict (Size) or null"),
        (Box, {"size": {"width": []}}, "the argument 'value.size.width' is a list, not a whole"),
        (Box, {"size": None, "inner": {"size": "x"}}, "'value.inner.size' is 'x', not a dict"),
    ],
)
def test_what_a_model_refuses_is_a_validation_error(hint: Any, value: Any, said: str) -> None:
    with pytest.raises((ValidationError, pydantic.ValidationError)) as raised:
        got(hint, value)
    assert said in str(raised.value)


def test_validators_learn_which_task_they_are_for() -> None:
    known: list[Any] = []

    class Curious(pydantic.BaseModel):
        id: int

        @pydantic.field_validator("id")
        @classmethod
        def look(cls, value: int, info: pydantic.ValidationInfo) -> int:
            known.append(info.context)
            return value

    got(Curious, {"id": 1})
    assert known == [{"celery_task_name": "function"}]


@pytest.mark.parametrize(
    ("returns", "result", "becomes"),
    [
        (Order, Order(id=3, day=date(2024, 2, 29)), {"id": 3, "day": "2024-02-29"}),
        (list[Order], (Order(id=3),), [{"id": 3, "day": None}]),
        (Order | None, None, None),
        (Line, Line(1.0), {"price": 1.0, "orders": [], "day": None}),
        (dict[str, Line], {"a": Line(1.0)}, {"a": {"price": 1.0, "orders": [], "day": None}}),
        (Cart, {"lines": [], "owner": Order(id=1)}, {"lines": [], "owner": {"id": 1, "day": None}}),
    ],
)
def test_a_model_that_is_returned_is_dumped_as_json(
    returns: Any, result: Any, becomes: Any
) -> None:
    assert adapter(Any, returns=returns).result(result) == becomes


def test_without_pydantic_a_dataclass_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "can_make_models", lambda: False)
    with pytest.raises(RuntimeError, match="pydantic is not installed"):
        got(Line, {"price": 1})
    # What it returns is dumped all the same, as far as JSON has it.
    dumped = adapter(Any, returns=Line).result(Line(1.0))
    assert dumped == {"price": 1.0, "orders": [], "day": None}
    with pytest.raises(TypeError, match=r"a datetime\.date; return"):
        adapter(Any, returns=Line).result(Line(1.0, day=date(2024, 2, 29)))


@pytest.mark.parametrize(("hint", "imported"), [("int", False), ("Size", False), ("Line", True)])
def test_pydantic_is_imported_when_a_hint_needs_it(hint: str, imported: bool) -> None:
    code = f"""
import inspect, sys
from dataclasses import dataclass
from typing import TypedDict
from flowrunner.hints.adapter import Adapter

@dataclass
class Line:
    price: float

class Size(TypedDict):
    width: int

def function(value: {hint}): ...

adapter = Adapter(function, inspect.signature(function), {{}})
assert "pydantic" not in sys.modules
adapter.args([{{"int": 1, "Size": {{"width": 1}}, "Line": {{"price": 1}}}}["{hint}"]])
print("pydantic" in sys.modules)
"""
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert out == f"{imported}\n"
