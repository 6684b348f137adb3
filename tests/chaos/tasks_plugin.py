"""Tasks that take a while and say in a file when they begin and when they end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from flowrunner import hookimpl


def _note(log: str, text: str) -> None:
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{text} {os.getpid()}\n")


def step(value: int, log: str, seconds: float) -> int:
    _note(log, f"begin step {value}")
    time.sleep(seconds)
    _note(log, f"end step {value}")
    return value


def add(values: list[Any], log: str, seconds: float) -> int:
    _note(log, "begin body")
    time.sleep(seconds)
    _note(log, "end body")
    return sum(values)


def plus(values: list[Any]) -> int:
    return sum(values)


def numbers() -> list[int]:
    return list(range(7))


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    for task in (step, add, plus, numbers):
        registry.add(task)
