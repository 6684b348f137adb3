"""The arithmetic tasks: what they return, and that whole numbers stay whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowrunner.plugins import PluginReference, load_plugins

ROOT = Path(__file__).parents[2]
MANAGER = load_plugins([PluginReference("plugins/arithmetic.py", "test", ROOT)])
arithmetic = next(each.module for each in MANAGER.loaded if "arithmetic" in each.name)


@pytest.mark.parametrize(
    ("task", "args", "value"),
    [
        ("power", (3,), 9),
        ("power", (0,), 0),
        ("power", (-3,), 9),
        ("power", (2, 10), 1024),
        ("power", (7, 1), 7),
        ("power", (0, 0), 1),
        ("power", (2, -1), 0.5),
        ("power", (9, 0.5), 3.0),
        ("power", (1.5,), 2.25),
        ("power", (10, 30), 10**30),
        ("negate", (5,), -5),
        ("negate", (-2.5,), 2.5),
        ("negate", (0,), 0),
        ("amass", ([],), 0),
        ("amass", ([7],), 7),
        ("amass", ([1, -2, 4],), 3),
        ("amass", ([1, 0.5],), 1.5),
        ("slow_power", (3, 2, 0), 9),
        ("slow_power", (2, 3, 0), 8),
    ],
)
def test_task_returns(task: str, args: tuple[Any, ...], value: float) -> None:
    result = getattr(arithmetic, task)(*args)
    assert result == value
    assert type(result) is type(value)


def test_powersum_by_hand_is_a_whole_number() -> None:
    assert json.dumps(arithmetic.amass([arithmetic.power(n) for n in range(10)])) == "285"


def test_powersum_negated_by_hand() -> None:
    squares = [arithmetic.power(n) for n in range(10)]
    assert json.dumps(arithmetic.amass([arithmetic.negate(n) for n in squares])) == "-285"


@pytest.mark.parametrize(
    ("args", "error"),
    [((0, -1), ZeroDivisionError), ((10.0, 400), OverflowError), (("2",), TypeError)],
)
def test_power_raises_what_python_raises(args: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        arithmetic.power(*args)


def test_slow_power_waits_a_random_time_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(arithmetic.time, "sleep", waits.append)
    for _ in range(50):
        assert arithmetic.slow_power(3, longest=0.25) == 9
    assert len(set(waits)) > 1
    assert all(0 <= wait <= 0.25 for wait in waits)


def test_slow_power_waits_at_most_a_second_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[float, float]] = []
    monkeypatch.setattr(
        arithmetic.random, "uniform", lambda low, high: limits.append((low, high)) or 0
    )
    assert arithmetic.slow_power(2) == 4
    assert limits == [(0, 1.0)]


def test_plugin_registers_its_tasks_with_signatures_and_descriptions() -> None:
    tasks = {task.name: task for task in MANAGER.tasks() if task.plugin.endswith("arithmetic.py")}
    assert sorted(tasks) == ["amass", "negate", "power", "slow_power"]
    assert str(tasks["power"].signature) == "(value: float, expo: float = 2) -> float"
    assert all(task.description for task in tasks.values())
