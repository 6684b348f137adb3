"""Tasks that calculate: the smallest useful plugin, and a template for your own."""

import random
import time

from flowrunner import hookimpl
from flowrunner.tasks import PluginTasks

__all__ = ["amass", "flowrunner_register_tasks", "negate", "power", "slow_power"]


def power(value: float, expo: float = 2) -> float:
    """Return value raised to expo."""
    result: float = value**expo
    return result


def negate(value: float) -> float:
    """Return value with its sign turned."""
    return -value


def amass(values: list[float]) -> float:
    """Return the sum of the values; 0 for none."""
    return sum(values)


def slow_power(value: float, expo: float = 2, longest: float = 1.0) -> float:
    """Return value raised to expo, after a random wait of up to longest seconds."""
    time.sleep(random.uniform(0, longest))  # noqa: S311 - a wait is no secret
    return power(value, expo)


@hookimpl
def flowrunner_register_tasks(registry: PluginTasks) -> None:
    """Register every task of this file."""
    for task in (power, negate, amass, slow_power):
        registry.add(task)
