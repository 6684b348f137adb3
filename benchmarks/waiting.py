"""Tasks that only wait, so that what is measured is the engine."""

from __future__ import annotations

import time
from typing import Any

from flowrunner import hookimpl


def wait(index: int, seconds: float = 0.0) -> int:
    """Return the index after so many seconds."""
    if seconds:
        time.sleep(seconds)
    return index


def count(values: list[int]) -> int:
    """Return how many values there are."""
    return len(values)


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    """Register both."""
    registry.add(wait)
    registry.add(count)
