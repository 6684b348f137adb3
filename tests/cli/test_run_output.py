"""What ``apply`` does about Ctrl-C, where a whole command cannot show it every time."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Event
from typing import Any

import pytest

from flowrunner.cli import run_output
from flowrunner.cli.run_output import announcing_interrupts
from tests.planner.planning import planned


class HastyQueue(SimpleQueue[Any]):
    """Brings a second Ctrl-C right after the first one is told, before it is raised."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item)
        if item == "first":
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def interruptible() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_second_ctrl_c_is_not_lost_before_the_first_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_output, "SimpleQueue", HastyQueue)
    with announcing_interrupts(planned("chain: []")):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            Event().wait(30)
