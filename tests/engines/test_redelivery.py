"""What a dead worker had comes back, and who is dead is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from time import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from celery import states
from celery.worker.request import Request as CeleryRequest
from redis import Redis as RedisClient

from flowrunner.engines.process_identity import Holder, current_incarnation, is_dead, new_holder
from flowrunner.engines.redelivery import OWNER, Redelivery, stamp_messages
from flowrunner.engines.worker_consumer import Request
from flowrunner.planner.continuations import CONTINUE
from tests.engines.workplace import (
    GONE,
    TASK,
    Workplace,
)

OWN = replace(new_holder(), execution=0)
REMOTE = replace(OWN, incarnation="remote", place="elsewhere")


@pytest.mark.parametrize(
    ("owner", "change", "looks"),
    [
        (GONE, {}, [1]),
        (REMOTE, {}, [0, 1]),
        (REMOTE, {"alive": True}, [0, 0]),
        (OWN, {"alive": True}, [0, 0]),
        (GONE, {"received": 60.0}, [0, 0]),
        (None, {}, [0, 0]),
    ],
    ids=[
        "its worker has died",
        "its worker is silent",
        "its worker lives",
        "it is this worker's",
        "it has come again to a worker that does not stamp",
        "it is of a plain worker",
    ],
)
def test_a_message_comes_back_when_its_worker_is_known_to_be_dead(
    place: Workplace, owner: Holder | None, change: dict[str, Any], looks: list[int]
) -> None:
    headers = {"id": TASK} if owner is None else {"id": TASK, OWNER: f"{owner} {time()}"}
    kept = {"headers": headers, "properties": {"delivery_info": {}, "priority": 0}}
    client = RedisClient.from_url(place.app.conf.broker_url)
    client.flushdb()
    place.app.send_task("work")
    place.queued()  # so that the broker knows the queue
    client.hset("unacked", "a tag", json.dumps([kept, "", "celery"]))
    client.zadd("unacked_index", {"a tag": time() + change.get("received", 0)})
    redelivery = Redelivery(place.app, every=10)
    if owner is not None and "alive" in change:
        place.backend.client.set(redelivery._alive(owner.incarnation), 1)
    assert [redelivery.look() for _ in looks] == looks
    assert place.queued() == [TASK] * sum(looks)
    assert client.hlen("unacked") == 1 - sum(looks)


def test_one_worker_of_all_looks(place: Workplace) -> None:
    assert [Redelivery(place.app, every=10).is_due() for _ in range(2)] == [True, False]


def test_a_worker_stamps_what_it_receives_of_runs() -> None:
    received: list[Any] = []
    qos = SimpleNamespace(append=lambda message, tag: received.append(message._raw["headers"]))
    stamp_messages(qos)
    for task_id in (TASK, str(uuid4())):
        qos.append(SimpleNamespace(_raw={"headers": {"id": task_id}}), "a tag")
    assert [OWNER in headers for headers in received] == [True, False]


@pytest.mark.parametrize(
    ("name", "chord", "told"),
    [("work", {"task": "work"}, True), ("work", None, False), (CONTINUE, {"task": "work"}, False)],
)
def test_a_chord_is_told_of_a_member_whose_process_was_killed_too_late(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, name: str, chord: Any, told: bool
) -> None:
    heard: list[Any] = []
    backend = SimpleNamespace(on_chord_part_return=lambda *part: heard.append(part[1:]))
    stored = {"status": states.SUCCESS, "result": 7}
    monkeypatch.setattr(CeleryRequest, "_success_was_stored", lambda _: stored)
    request = object.__new__(Request)
    request.id, request._task = TASK, SimpleNamespace(name=name, backend=backend)
    request.__dict__["_context"] = SimpleNamespace(chord=chord)
    assert request._success_was_stored() == stored
    assert heard == ([(states.SUCCESS, 7)] if told else [])


HERE = new_holder()


@pytest.fixture(scope="module")
def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("change", "dead"),
    [
        (lambda _: {}, False),  # another thread of this process
        (lambda _: {"process": os.getppid(), "birth": "another"}, True),
        (lambda ended: {"process": ended}, True),
        (lambda ended: {"process": ended, "place": "elsewhere"}, False),
        (lambda _: {"incarnation": "before"}, True),  # this process was a worker before
    ],
    ids=["a thread", "a number that came again", "gone", "elsewhere", "started again"],
)
def test_a_process_is_dead_when_that_is_known(
    change: Callable[[int], dict[str, Any]], dead: bool, ended_process: int
) -> None:
    assert is_dead(replace(HERE, **change(ended_process))) is dead


def test_a_process_of_a_pool_runs_one_task_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "flowrunner.engines.process_identity.current_incarnation",
        lambda: replace(current_incarnation(), main_process=1),
    )
    assert is_dead(HERE)


def test_a_holder_is_read_as_it_was_written() -> None:
    assert Holder.read(str(HERE)) == HERE
