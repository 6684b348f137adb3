"""A plugin whose tasks behave well and badly; every engine's tests load it by its path."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from celery import Celery, Task, chord
from celery.exceptions import Ignore, Reject

from flowrunner import hookimpl
from tests.engines.plain_project.proj.values import VALUES

legacy = Celery("legacy", set_as_current=False)


class OwnError(Exception):
    """Travels between processes."""


class TwoArgumentsError(Exception):
    """Pickles, and does not unpickle."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class SpeechlessError(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class OutsiderError(BaseException):
    """Is no ``Exception``."""


def tag(*args: Any, **kwargs: Any) -> Any:
    return {"args": args, "kwargs": kwargs} if kwargs else list(args)


def numbers(*_: Any) -> list[int]:
    return [1, 2, 3]


def echo(value: Any = None, *_: Any) -> Any:
    return value


def nothing(*_: Any) -> None:
    return None


def power(value: int, exponent: int = 2) -> int:
    return value**exponent


def amass(values: list[int]) -> int:
    return sum(values)


def tell(count: int, *more: list[int], step: int | None = None) -> str:
    """Tell what it gets, which JSON would not tell."""
    return repr([count, *more, step])


def number(value: Any, *_: Any) -> Any:
    return value


@dataclass
class Line:
    price: float
    parts: list[Line] = field(default_factory=list)


def bill(line: Line) -> Line:
    return Line(line.price + sum(part.price for part in line.parts))


def amass_lengths(values: list[Any]) -> list[int]:
    return [len(value) for value in values]


def process_id(*_: Any) -> int:
    return os.getpid()


def own_error(*_: Any) -> NoReturn:
    raise OwnError("mine")


def fail(*_: Any) -> NoReturn:
    raise OwnError("planned")


def two_arguments(*_: Any) -> NoReturn:
    raise TwoArgumentsError("this", "that")


def speechless(*_: Any) -> NoReturn:
    raise SpeechlessError


def unpicklable(*_: Any) -> NoReturn:
    raise ValueError("a lock", threading.Lock())


def local_error(*_: Any) -> NoReturn:
    class LocalError(Exception):
        pass

    raise LocalError("from inside")


def missing_file(*_: Any) -> NoReturn:
    Path("/nowhere/at/all").read_text()
    raise AssertionError


def lines(*_: Any) -> NoReturn:
    raise ValueError("first line\nsecond line")


def exits(*_: Any) -> NoReturn:
    sys.exit(3)


def interrupts(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def outsider(*_: Any) -> NoReturn:
    raise OutsiderError("x")


def gives(kind: str) -> Any:
    return VALUES[kind]()


def gives_set(*_: Any) -> Any:
    return {1}


def gives_nan(*_: Any) -> Any:
    return [0.5, float("nan")]


def gives_object(*_: Any) -> Any:
    return object()


def gives_integer_keys(*_: Any) -> Any:
    return {1: 2}


def gives_giant(*_: Any) -> Any:
    return 10**5000


def gives_subclass(*_: Any) -> Any:
    class Text(str):
        __slots__ = ()

    return Text("plain")


def gives_megabytes(*_: Any) -> str:
    return "é" * 3_000_000


def kills_itself(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leaves(*_: Any) -> NoReturn:
    os._exit(3)


def prints(*_: Any) -> None:
    print("printed: €")
    print("complained", file=sys.stderr)
    os.write(1, b"written\n")
    subprocess.run(["echo", "echoed"], check=True)


def waits_for(*args: Any) -> Any:
    """Touch the file ``here`` and wait until the file ``until`` is there."""
    here, until = (Path(path) for path in args[-2:])
    here.touch()
    for _ in range(12_000):  # longer than a test waits
        if until.exists():
            return os.getpid()
        time.sleep(0.01)
    raise TimeoutError(f"{until} has not come")


def measures(*texts: Any) -> int:
    return sum(len(str(text)) for text in texts)


def tells(*texts: Any) -> NoReturn:
    raise ValueError(f"refused: {texts}")


def touches(*args: Any) -> None:
    Path(args[-1]).touch()


def appends(*args: Any) -> Any:
    """Add a line to the file named last: what it was given, as JSON."""
    with Path(args[-1]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(args[:-1]) + "\n")
    return list(args[:-1])


def appends_and_fails(*args: Any) -> NoReturn:
    appends(*args)
    raise OwnError(f"after {Path(args[-1]).name}")


@legacy.task(name="legacy.bound", bind=True)
def bound(self: Any, *args: Any) -> Any:
    return [self.name, bool(self.request.id), *args]


@legacy.task(name="legacy.unshared", bind=True, shared=False)
def unshared(self: Any) -> Any:
    return self.name


@legacy.task(name="legacy.third_time", bind=True)
def third_time(self: Any) -> Any:
    if self.request.retries < 2:
        raise self.retry(countdown=0.01, exc=ValueError("not yet"))
    return self.request.retries


@legacy.task(name="legacy.never", bind=True)
def never(self: Any) -> Any:
    raise self.retry(countdown=0.01, max_retries=1, exc=ValueError("never"))


@legacy.task(name="legacy.never_with", bind=True)
def never_with(self: Any, *texts: Any) -> Any:
    raise self.retry(countdown=0.01, max_retries=1, exc=ValueError(f"refused: {texts}"))


@legacy.task(
    name="legacy.autoretry",
    bind=True,
    autoretry_for=(OwnError,),
    retry_kwargs={"countdown": 0.05},
)
def autoretry(self: Any) -> Any:
    if self.request.retries < 2:
        raise OwnError("again")
    return self.request.retries


@legacy.task(name="legacy.replaced", bind=True)
def replaced(self: Any) -> Any:
    raise self.replace(self.app.signature("tag", args=("instead",)))


@legacy.task(name="legacy.unkept", ignore_result=True)
def unkept(value: Any = None, *_: Any) -> Any:
    return value


@legacy.task(name="legacy.unkept_sum", ignore_result=True)
def unkept_sum(values: list[int]) -> int:
    return sum(values)


@legacy.task(name="legacy.splits", bind=True, ignore_result=True)
def splits(self: Any, count: int, *_: Any) -> Any:
    header = [self.app.signature("legacy.unkept", args=(number,)) for number in range(count)]
    raise self.replace(chord(header, self.app.signature("legacy.unkept_sum"), app=self.app))


@legacy.task(name="legacy.replaced_by_failure", bind=True, ignore_result=True)
def replaced_by_failure(self: Any, *_: Any) -> Any:
    raise self.replace(self.app.signature("own_error"))


@legacy.task(name="legacy.progress", bind=True)
def progress(self: Any) -> Any:
    self.update_state(state="PROGRESS", meta={"done": 1})
    return "done"


@legacy.task(name="legacy.says_so_itself", bind=True)
def says_so_itself(self: Any) -> Any:
    meta = {"exc_type": "ValueError", "exc_message": "by hand", "exc_module": "builtins"}
    self.update_state(state="FAILURE", meta=meta)
    raise Ignore


@legacy.task(name="legacy.ignores")
def ignores() -> Any:
    raise Ignore


@legacy.task(name="legacy.rejects")
def rejects() -> Any:
    raise Reject("no")


@legacy.task(name="legacy.prints", queue="printer")
def legacy_prints() -> None:
    pass


@legacy.task(name="legacy.thrown_away", ignore_result=True)
def thrown_away(value: Any = None) -> Any:
    return ["kept", value]


@legacy.task(name="legacy.tell")
def legacy_tell(count: int, *more: list[int], step: int | None = None) -> str:
    return tell(count, *more, step=step)


@legacy.task(name="legacy.exits")
def legacy_exits() -> Any:
    sys.exit(4)


@legacy.task(name="legacy.gives_nan")
def legacy_gives_nan() -> Any:
    return float("nan")


class DoomedTask(Task):  # type: ignore[misc]
    def before_start(self, *_: Any) -> None:
        sys.exit(5)


@legacy.task(name="legacy.doomed", base=DoomedTask)
def doomed() -> Any:
    return "never"


PLAIN = [
    *(
        tag,
        nothing,
        numbers,
        echo,
        power,
        amass,
        amass_lengths,
        process_id,
        prints,
        waits_for,
        touches,
    ),
    *(own_error, fail, two_arguments, speechless, unpicklable, local_error, missing_file, lines),
    *(exits, interrupts, outsider, kills_itself, leaves),
    *(gives, gives_set, gives_nan, gives_object, gives_integer_keys, gives_giant, gives_subclass),
    *(tell, number, bill),
    *(gives_megabytes, appends, appends_and_fails, measures, tells),
]
CELERY = [
    *(bound, unshared, third_time, never, autoretry, replaced, progress, says_so_itself),
    never_with,
    *(unkept, unkept_sum, splits, replaced_by_failure),
    *(
        thrown_away,
        legacy_tell,
        legacy_prints,
        ignores,
        rejects,
        legacy_exits,
        legacy_gives_nan,
        doomed,
    ),
]


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    for task in (*PLAIN, *CELERY):
        registry.add(task)
    registry.add(lambda: "anonymous", name="a-lambda")
    registry.add(waits_for, name="waits_once", acks_late=False)
