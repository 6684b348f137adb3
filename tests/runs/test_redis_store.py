"""Runs in Redis: how long they are kept, under which keys, and what is said when it is away."""

from __future__ import annotations

from uuid import uuid4

import pytest
from redis import Redis as Client
from redis.backoff import NoBackoff
from redis.retry import Retry

from flowrunner.errors import BrokerError
from flowrunner.runs.redis_store import RedisRunStore
from flowrunner.runs.store import RunNotFoundError, RunStore, RunStoreError
from tests.engines.services import free_port
from tests.runs.records import at, record

OUTCOME = {"reason": ""}


def test_every_key_begins_with_the_prefix(client: Client) -> None:
    store = RedisRunStore(client, prefix="mine_")
    new = record()
    store.create(new)
    store.claim(new.run, "me", seconds=60)
    keys = {key.decode() for key in client.scan_iter()}
    assert keys == {f"mine_flowrunner:{name}" for name in ("runs", "open")} | {
        f"mine_flowrunner:{kind}:{new.run}" for kind in ("run", "driver")
    }


def test_a_record_is_kept_for_a_time_after_its_last_change(client: Client) -> None:
    store = RedisRunStore(client, expires=100)
    new = record()
    store.create(new)
    key = f"flowrunner:run:{new.run}"
    for change in (
        lambda: None,
        lambda: store.set_queued(new.run),
        lambda: store.claim(new.run, "me", seconds=60),
        lambda: store.finish(new.run, "SUCCESS", OUTCOME, at(1)),
    ):
        change()
        assert 90 < client.ttl(key) <= 100
        client.expire(key, 5)


def test_a_record_is_kept_for_good_where_nothing_expires(client: Client) -> None:
    new = record()
    RedisRunStore(client).create(new)
    assert client.ttl(f"flowrunner:run:{new.run}") == -1


def test_what_has_expired_leaves_the_lists(client: Client) -> None:
    store = RedisRunStore(client)
    new, other = record(), record(minutes=1)
    for each in (new, other):
        store.create(each)
    client.delete(f"flowrunner:run:{new.run}")
    assert [each.run for each in store.list(limit=5)] == [other.run]
    assert store.open_runs() == [other.run]
    assert client.zcard("flowrunner:runs") == client.zcard("flowrunner:open") == 1
    with pytest.raises(RunNotFoundError):
        store.set_queued(new.run)
    assert not client.exists(f"flowrunner:run:{new.run}")


def test_old_runs_leave_the_index_when_a_new_one_is_recorded(client: Client) -> None:
    store = RedisRunStore(client)
    for minutes in range(3):
        store.create(record(minutes=minutes))
    for key in client.scan_iter("flowrunner:run:*"):
        client.delete(key)
    store.create(record(minutes=9))
    assert client.zcard("flowrunner:runs") == 1


def test_a_server_that_is_away_is_told_without_its_password() -> None:
    port = free_port()
    client = Client(port=port, password="secret", retry=Retry(NoBackoff(), 0))
    store: RunStore = RedisRunStore(client, address=f"redis://127.0.0.1:{port}/0")
    for act in (
        lambda: store.create(record()),
        lambda: store.get(uuid4()),
        lambda: store.list(limit=1),
        lambda: store.open_runs(),
        lambda: store.find("last"),
        lambda: store.claim(uuid4(), "me", seconds=1),
    ):
        with pytest.raises(RunStoreError, match=f"127.0.0.1:{port}/0 cannot be read") as caught:
            act()
        assert isinstance(caught.value, BrokerError)
        assert "secret" not in str(caught.value)


def test_what_the_server_says_is_masked(client: Client) -> None:
    new = record()
    client.set(f"flowrunner:run:{new.run}", "no hash")
    store = RedisRunStore(client, masked=lambda text: text.replace("WRONGTYPE", "**"))
    with pytest.raises(RunStoreError, match=r"\*\* Operation against a key"):
        store.get(new.run)
