"""What tasks return that JSON may change, by a name for each; every engine's tests use it."""

import dataclasses
import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass
class Order:
    number: int


class Model:
    """As Pydantic's."""

    def model_dump(self) -> Any:
        return {"number": 1}


class OwnJSON:
    """Something that Celery's JSON makes a mapping of."""

    def __json__(self) -> Any:
        return {"own": 1}


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


VALUES: dict[str, Callable[[], Any]] = {
    "set": lambda: {"orders": [1, {2}]},
    "tuple": lambda: [(1, (2,))],
    "number keys": lambda: {"by number": {1: "one"}},
    "nan": lambda: [0.5, {"x": float("nan")}],
    "infinity": lambda: [float("-inf")],
    "bytes": lambda: [b"raw"],
    "datetime": lambda: {"when": dt.datetime(2026, 1, 1)},
    "date": lambda: dt.date(2026, 1, 1),
    "decimal": lambda: [decimal.Decimal("0.1")],
    "uuid": lambda: uuid.UUID(int=1),
    "object": lambda: [object()],
    "dataclass": lambda: [Order(1)],
    "model": lambda: [Model()],
    "own json": lambda: [OwnJSON()],
    "generator": lambda: (number for number in range(3)),
    "mark": lambda: [{"__type__": "date", "__value__": "2026-01-01"}],
    "unknown mark": lambda: [{"__type__": "order", "__value__": 1}],
    "surrogate": lambda: ["half of a \ud83d"],
    "surrogate key": lambda: [{"\udc00": 1}],
    "giant": lambda: [10**5000],
    "abyss": lambda: nested(100_000),
    "large numbers": lambda: [2**64, -(2**70), 10**4000],
    "floats": lambda: [0.1, 5e-324, 1.7976931348623157e308, -0.0, 1e22],
    "megabytes": lambda: ["é😀" * 300_000, list(range(100_000))],
    "depth": lambda: nested(100),
    "suspicious words": lambda: ["NaN", "-Infinity", '"__type__"', "\\ud800 😀 \0\x1b"],
    "odd keys": lambda: {"": 1, "é": 2, "__type__": "date", "__value__": "x", "third": None},
}
