"""How often each task call was executed: counted where tasks run, read where they are judged."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from threading import Lock
from typing import Protocol

from redis import Redis

#: Names the Redis that workers count in; without it a process counts for itself.
VARIABLE = "FLOWRUNNER_CONFORMANCE_COUNTS"


class Counts(Protocol):
    """Counts executions by shape and label."""

    def add(self, shape: str, label: str, by: int = 1) -> int:
        """Count, and return how many there have been."""

    def of(self, shape: str) -> dict[str, int]: ...


class RedisCounts:
    """Counts in a hash for each shape, for worker processes."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, decode_responses=True)

    def add(self, shape: str, label: str, by: int = 1) -> int:
        return int(self._redis.hincrby(f"executions:{shape}", label, by))

    def of(self, shape: str) -> dict[str, int]:
        found = self._redis.hgetall(f"executions:{shape}")
        return {label: int(count) for label, count in found.items()}


class OwnCounts:
    """Counts in this process, for the embedded engine."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}
        self._lock = Lock()

    def add(self, shape: str, label: str, by: int = 1) -> int:
        with self._lock:
            counts = self._counts.setdefault(shape, Counter())
            counts[label] += by
            return counts[label]

    def of(self, shape: str) -> dict[str, int]:
        with self._lock:
            return dict(self._counts.get(shape, {}))


@cache
def counts_of_this_process() -> Counts:
    """Return what the tasks of this process count in."""
    url = os.environ.get(VARIABLE)
    return RedisCounts(url) if url else OwnCounts()
