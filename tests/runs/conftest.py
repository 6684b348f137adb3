"""The stores, each empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis as Client

from flowrunner.runs.redis_store import RedisRunStore
from flowrunner.runs.sqlite_store import SQLiteRunStore
from flowrunner.runs.store import RunStore
from tests.engines.services import Redis


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SQLiteRunStore]:
    store = SQLiteRunStore(tmp_path / "state" / "runs.sqlite3")
    yield store
    store.close()


@pytest.fixture
def client(redis: Redis) -> Iterator[Client]:
    with Client.from_url(redis.url(14)) as connected:
        connected.flushdb()
        yield connected


@pytest.fixture
def redis_store(client: Client) -> RedisRunStore:
    return RedisRunStore(client, prefix=f"{uuid4()}:")


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest) -> RunStore:
    """Each store in turn."""
    found: RunStore = request.getfixturevalue(f"{request.param}_store")
    return found
