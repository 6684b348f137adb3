"""The project's tasks."""

import importlib.util
import time
from pathlib import Path
from typing import Any

from proj.celery_app import app
from proj.values import VALUES


@app.task
def power(value: float, expo: float = 2) -> float:
    """Return value raised to expo."""
    return value**expo


@app.task
def amass(values: list) -> float:
    """Return the sum of the values."""
    return sum(values)


@app.task
def tag(*args: Any) -> Any:
    return list(args)


@app.task(bind=True)
def bound(self: Any, value: Any) -> Any:
    return [self.name, value]


@app.task(ignore_result=True)
def thrown_away(value: Any = None) -> Any:
    return ["kept", value]


@app.task(serializer="pickle")
def pickled(value: Any = None) -> Any:
    return ["pickled", value]


@app.task(queue="proj-own")
def elsewhere(value: Any = None) -> Any:
    return ["elsewhere", value]


@app.task
def routed(value: Any = None) -> Any:
    return ["routed", value]


@app.task
def fail(*_: Any) -> Any:
    raise ValueError("no such order")


class ShopError(Exception):
    pass


class PaymentError(ShopError):
    """Pickles, and does not unpickle."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Order:
    class DoesNotExist(LookupError):  # noqa: N818  # as Django calls it
        pass


@app.task
def pay(*_: Any) -> Any:
    raise PaymentError("card declined", 402)


@app.task
def find_order(*_: Any) -> Any:
    raise Order.DoesNotExist("no order 7")


@app.task(soft_time_limit=1, time_limit=1)
def too_slow(*_: Any) -> Any:
    time.sleep(60)


@app.task
def waits_for(here: str, until: str) -> Any:
    Path(here).touch()
    while not Path(until).exists():
        time.sleep(0.01)


@app.task
def waits_and_fails(here: str, until: str) -> Any:
    waits_for.run(here, until)
    raise ValueError("not after all")


@app.task
def has_flowrunner(*_: Any) -> bool:
    return importlib.util.find_spec("flowrunner") is not None


@app.task
def gives(kind: str) -> Any:
    return VALUES[kind]()
