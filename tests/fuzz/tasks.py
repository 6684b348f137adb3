"""Tasks for hostile files: without hints, with hints, with any arguments, with none."""

from __future__ import annotations

from typing import Any

from flowrunner import hookimpl


def anything(*args: Any, **kwargs: Any) -> Any:
    return args


def one(value):  # type: ignore[no-untyped-def]
    return value


def power(value: float, expo: float = 2) -> float:
    return value**expo


def rows(values: list[dict[str, int]], *, name: str = "") -> list[str]:
    return [name]


def nothing() -> None:
    return None


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    for task in (anything, one, power, rows, nothing):
        registry.add(task)
