"""A plugin whose tasks raise what does not survive pickling; the tests load it by its path."""

from __future__ import annotations

import io
import os
import threading
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pydantic
from celery import Celery

from flowrunner import hookimpl

legacy = Celery("raising", set_as_current=False)


class ShopError(Exception):
    """The nearest base class that pickles."""


class PaymentError(ShopError):
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class KeywordError(ShopError):
    def __init__(self, *, code: int) -> None:
        super().__init__(f"code {code}")


@dataclass
class OrderError(Exception):
    order: int
    why: str

    def __str__(self) -> str:
        return f"order {self.order} was refused: {self.why}"


@dataclass(frozen=True)
class FrozenError(Exception):
    order: int

    def __str__(self) -> str:
        return f"order {self.order} is closed"


class LockError(ShopError):
    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.lock = threading.Lock()


class SpeechlessError(ShopError):
    def __init__(self, code: int) -> None:
        super().__init__()

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class LossyError(ShopError):
    """Pickles, and says something else afterwards."""

    text = "something else"

    def __str__(self) -> str:
        return self.text

    def __getstate__(self) -> dict[str, Any]:
        return {}


class Order:
    class DoesNotExist(LookupError):  # noqa: N818  # as Django calls it
        pass


def http_error(*_: Any) -> NoReturn:
    raise urllib.error.HTTPError("http://files.example/a", 503, "Busy", {}, io.BytesIO())


def payment_error(*_: Any) -> NoReturn:
    raise PaymentError("card declined", 402)


def keyword_error(*_: Any) -> NoReturn:
    raise KeywordError(code=7)


def order_error(*_: Any) -> NoReturn:
    raise OrderError(order=7, why="no stock")


def frozen_error(*_: Any) -> NoReturn:
    raise FrozenError(order=7)


def lock_error(*_: Any) -> NoReturn:
    raise LockError("held")


def speechless_error(*_: Any) -> NoReturn:
    raise SpeechlessError(1)


def lossy_error(*_: Any) -> NoReturn:
    error = LossyError()
    error.text = "the true text"
    raise error


def group_of_errors(*_: Any) -> NoReturn:
    raise ExceptionGroup("both", [PaymentError("card declined", 402), OrderError(8, "gone")])


def chained_error(*_: Any) -> NoReturn:
    try:
        payment_error()
    except PaymentError as error:
        raise KeywordError(code=9) from error


def error_on_the_way(*_: Any) -> NoReturn:
    try:
        order_error()
    finally:
        payment_error()


def noted_error(*_: Any) -> NoReturn:
    error = PaymentError("card declined", 402)
    error.add_note("order 7")
    error.add_note("first line\nsecond line")
    raise error


def oddly_noted_error(*_: Any) -> NoReturn:
    error = PaymentError("card declined", 402)
    error.__notes__ = [7, SpeechlessError(1), "plain"]  # type: ignore[list-item]
    raise error


def surrogate_error(*_: Any) -> NoReturn:
    raise OrderError(7, "half of a pair: \udcff")


def long_error(*_: Any) -> NoReturn:
    raise OrderError(7, "x" * 3_000_000)


def nested_error(*_: Any) -> NoReturn:
    raise Order.DoesNotExist("no order 7")


class Parcel(pydantic.BaseModel):
    weight: int


def takes_parcel(parcel: Parcel) -> None:
    pass


def gives_object(*_: Any) -> list[Order]:
    return [Order()]


def nested_sometimes(folder: str, *_: Any) -> str:
    if _count(folder, "nested") < 3:
        nested_error()
    return "order 7"


def download(folder: str, *_: Any) -> str:
    if _count(folder, "download") < 3:
        http_error()
    return "downloaded"


def pay(folder: str, *_: Any) -> str:
    if _count(folder, "pay") < 3:
        payment_error()
    return "paid"


def _count(folder: str, name: str) -> int:
    file = Path(folder) / name
    count = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(count))
    return count


@legacy.task(name="legacy.retries_itself", bind=True, default_retry_delay=0, max_retries=2)
def retries_itself(self: Any, *_: Any) -> NoReturn:
    raise self.retry(exc=PaymentError(f"declined {self.request.retries + 1} times", 402))


@legacy.task(
    name="legacy.retried",
    autoretry_for=(PaymentError,),
    retry_kwargs={"max_retries": 2, "countdown": 0},
    throws=(PaymentError,),
)
def retried(folder: str, *_: Any) -> NoReturn:
    raise PaymentError(f"declined {_count(folder, 'retried')} times", 402)


class Prepared(legacy.Task):  # type: ignore[misc, name-defined]
    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        raise PaymentError("not yet", 402)


@legacy.task(name="legacy.prepared", base=Prepared)
def prepared(*_: Any) -> None:
    pass


class Called(legacy.Task):  # type: ignore[misc, name-defined]
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except PaymentError as error:
            raise KeywordError(code=error.status) from error


@legacy.task(name="legacy.called", base=Called)
def called(*_: Any) -> None:
    payment_error()


def catches_its_own(*_: Any) -> str:
    try:
        payment_error()
    except PaymentError:
        return "caught"


TASKS = (
    *(http_error, payment_error, keyword_error, order_error, frozen_error, lock_error),
    *(speechless_error, lossy_error, group_of_errors, chained_error, error_on_the_way),
    *(noted_error, oddly_noted_error, surrogate_error, long_error, nested_error, gives_object),
    takes_parcel,
    *(nested_sometimes, download, pay, catches_its_own),
    *(retries_itself, retried, prepared, called),
)


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    for task in TASKS:
        registry.add(task)


@hookimpl
def flowrunner_configure_app(app: Celery) -> None:
    app.conf.task_default_queue = os.environ.get("RAISING_QUEUE", "celery")
