"""Tasks that nothing imports but the setting ``imports``."""

from typing import Any

from celery import chord, shared_task


@shared_task
def negate(value: float) -> float:
    """Return the value with the other sign."""
    return -value


@shared_task(ignore_result=True)
def unkept(value: Any = None, *_: Any) -> Any:
    return value


@shared_task(ignore_result=True)
def unkept_sum(values: list) -> float:
    return sum(values)


@shared_task(bind=True, ignore_result=True)
def splits(self: Any, count: int, *_: Any) -> Any:
    """Replace itself by a chord, whose result is stored nowhere."""
    return self.replace(chord([unkept.s(number) for number in range(count)], unkept_sum.s()))


@shared_task(ignore_result=True)
def unkept_failure() -> Any:
    raise ValueError("no such order")


@shared_task(bind=True, ignore_result=True)
def replaced_by_failure(self: Any, *_: Any) -> Any:
    return self.replace(unkept_failure.si())
