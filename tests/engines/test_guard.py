"""The guard of flowrunner's own workers: which messages run their task, and which do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4, uuid5

import pytest
from celery import Celery, Task, states
from celery.app.trace import build_tracer
from celery.exceptions import Ignore, Reject
from celery.worker.request import Request as CeleryRequest
from kombu.exceptions import OperationalError
from redis import Redis as RedisClient

from flowrunner.engines import turn
from flowrunner.engines.application import mend_backend_of
from flowrunner.engines.cluster_settings import cluster_settings
from flowrunner.engines.continuation import store_parts
from flowrunner.engines.guard import guard_backend, guard_tasks
from flowrunner.engines.lease import Leases, lease_key
from flowrunner.engines.process_identity import Holder, current_incarnation, is_dead, new_holder
from flowrunner.engines.redelivery import OWNER, Redelivery, stamp_messages
from flowrunner.engines.run_flags import COMES_AGAIN, cancelled_key, known_key
from flowrunner.engines.worker_request import Request
from flowrunner.planner.continuations import CONTINUE
from tests.engines.services import Redis

ROOT = uuid4()
TASK = str(uuid5(ROOT, "root"))
NEXT = str(uuid5(ROOT, "root.1"))

#: Somebody on another machine, of whom nothing is known but the lease.
ELSEWHERE = Holder("elsewhere", "another-machine", 7, "1", 1)
#: A process of this machine that is not there any more.
GONE = replace(new_holder(), incarnation="another", process=2**22 + 1)


class CalledTask(Task):  # type: ignore[misc]
    """Has a ``__call__`` of its own, as Flask's recipe says."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(*args, **kwargs)


@dataclass
class Workplace:
    """A worker's app without its worker: messages are delivered to what Celery runs them with."""

    app: Celery
    ran: list[Any] = field(default_factory=list)

    @property
    def backend(self) -> Any:
        return self.app.backend

    def deliver(self, name: str = "work", *args: Any, **request: Any) -> Any:
        """Run what a message runs; return its value, or the exception that Celery raised."""
        message = {
            "id": TASK,
            "task": name,
            "root_id": str(ROOT),
            "retries": 0,
            "delivery_info": {"redelivered": False},
            "hostname": "here@host",
            "is_eager": False,
            **request,
        }
        task = self.app.tasks[name]
        outcome = build_tracer(name, task, app=self.app)(message["id"], args, {}, message)
        return outcome.info.retval if outcome.info else outcome.retval

    def state(self, task_id: str = TASK) -> str:
        meta = self.backend._get_task_meta_for(task_id)
        return str(meta["status"])

    def queued(self) -> list[Any]:
        """Return the ids of what waits in the queue."""
        client = RedisClient.from_url(self.app.conf.broker_url)
        messages = client.lrange("celery", 0, -1)
        client.delete("celery")
        return [json.loads(message)["headers"]["id"] for message in messages]

    def lease(self) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = self.backend.client.hgetall(lease_key(self.backend, TASK))
        return found

    def hold(
        self, holder: Holder, *, attempt: int = 0, lapsed: bool = False, lost: int = 0
    ) -> None:
        """Let somebody else have the lease."""
        Leases(self.backend).take(TASK, root=str(ROOT), me=holder, attempt=attempt)
        key = lease_key(self.backend, TASK)
        self.backend.client.hset(key, "lost", lost)
        if lapsed:
            self.backend.client.hset(key, "until", 1)


def workplace_on(address: str, backend: str) -> Workplace:
    app = Celery("workplace", set_as_current=False)
    app.conf.update(cluster_settings(address, backend), task_acks_late=True)
    place = Workplace(app)

    def work(*args: Any) -> list[Any]:
        place.ran.append(args)
        return ["worked", *args]

    def fail(*args: Any) -> None:
        place.ran.append(args)
        raise ValueError("failed")

    def retry(self: Any) -> str:
        place.ran.append(self.request.retries)
        if self.request.retries < 1:
            raise self.retry(countdown=60)
        return "at last"

    def replaced(self: Any) -> None:
        place.ran.append("replaced")
        raise self.replace(app.signature("work", args=("instead",)))

    def ignores() -> None:
        place.ran.append("ignored")
        raise Ignore

    def tells_lost() -> int:
        return int(place.lease()[b"lost"])

    def goes_back() -> None:
        raise Reject("later", requeue=True)

    def again(self: Any) -> list[Any]:
        place.ran.append("again")
        return [] if len(place.ran) > 1 else [self.run(), app.tasks["work"]()]

    app.task(work, name="work", shared=False)
    app.task(work, name="called", shared=False, base=CalledTask)
    app.task(fail, name="fail", shared=False)
    for function in (ignores, goes_back, tells_lost):
        app.task(function, name=function.__name__, shared=False)
    for function in (retry, replaced, again):
        app.task(function, name=function.__name__, shared=False, bind=True)
    app.finalize()
    mend_backend_of(app)
    get_backend = app._get_backend

    def guarded() -> Any:
        found = get_backend()
        guard_backend(found)
        return found

    app._get_backend = guarded
    guard_tasks(app)
    return place


@pytest.fixture(scope="module")
def redis_workplace(redis: Redis) -> Workplace:
    return workplace_on(redis.url(4), redis.url(5))


@pytest.fixture
def place(redis_workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A workplace on Redis where a run is known."""
    monkeypatch.setattr(turn, "POLL", 0.01)
    backend = redis_workplace.backend
    backend.client.flushdb()
    redis_workplace.queued()
    redis_workplace.ran.clear()
    backend.set(known_key(backend, ROOT), b"1")
    return redis_workplace


def cancel(place: Workplace) -> None:
    place.backend.set(cancelled_key(place.backend, ROOT), b"1")


@pytest.mark.parametrize(
    "message",
    [
        {"id": str(uuid4())},
        {"root_id": None},
        {"root_id": str(uuid4())},
    ],
    ids=["an id that no run gives", "no root", "a root that is not known"],
)
def test_a_task_of_no_run_runs_untouched(place: Workplace, message: dict[str, Any]) -> None:
    cancel(place)
    for _ in range(2):
        assert place.deliver(**message) == ["worked"]
    assert place.ran == [(), ()]
    assert place.lease() == {}


@pytest.mark.parametrize("name", ["work", "called", "celery.accumulate", CONTINUE])
@pytest.mark.parametrize(
    "message", [{}, {"retries": 2}, {"chord": {"task": "work"}, "group": "a group"}]
)
def test_nothing_of_a_cancelled_run_starts(
    place: Workplace, name: str, message: dict[str, Any]
) -> None:
    cancel(place)
    assert isinstance(place.deliver(name, **message), Ignore)
    assert place.state() == states.REVOKED
    assert place.ran == []
    assert not list(
        place.backend.client.scan_iter("celery-taskset-meta-*")
    )  # no part is given back
    assert place.queued() == []


def next_step(place: Workplace) -> dict[str, Any]:
    return {"chain": [place.app.signature("work", task_id=NEXT)]}


@pytest.mark.parametrize("name", ["work", "called"])
def test_a_task_that_has_succeeded_gives_its_value_again(place: Workplace, name: str) -> None:
    assert place.deliver(name, 1) == place.deliver(name, 1) == ["worked", 1]
    assert place.ran == [(1,)]
    assert place.state() == states.SUCCESS


@pytest.mark.parametrize(
    ("message", "times"),
    [
        ({}, 2),
        ({"delivery_info": {"redelivered": True}}, 1),
        ({turn.AGAIN: True}, 1),
    ],
    ids=["queued twice", "redelivered", "gave way before"],
)
def test_what_comes_next_is_queued_again_only_on_purpose(
    place: Workplace, message: dict[str, Any], times: int
) -> None:
    place.deliver(**next_step(place))
    place.deliver(**next_step(place), **message)
    assert place.queued() == [NEXT] * times
    assert len(place.ran) == 1


def test_a_member_that_comes_twice_is_one_part_of_its_chord(place: Workplace) -> None:
    body = place.app.signature("work", task_id=NEXT)
    place.backend.set_chord_size("a group", 2)
    members = [{"id": TASK, "group_index": 0}, {"id": str(uuid5(ROOT, "other")), "group_index": 1}]
    for member in (members[0], members[0], members[1], members[1]):
        place.deliver(**member, group="a group", chord=body)
    assert place.queued() == [NEXT]
    assert len(place.ran) == 2


def test_a_task_that_leaves_no_result_says_that_it_does_not_come_again(place: Workplace) -> None:
    kept = []
    for name in ("goes_back", "ignores"):
        place.deliver(name)
        kept.append(place.backend._get_task_meta_for(TASK)["result"])
    assert kept[0][COMES_AGAIN] is True
    assert kept[1][COMES_AGAIN] is False


@pytest.mark.parametrize("name", ["fail", "ignores"])
def test_a_task_that_has_failed_stays_failed(place: Workplace, name: str) -> None:
    assert isinstance(place.deliver("fail"), ValueError)
    assert isinstance(place.deliver(name), Ignore)
    assert place.state() == states.FAILURE
    assert len(place.ran) == 1


@pytest.mark.parametrize("name", ["work", "called", "fail", "ignores"])
def test_an_execution_that_has_ended_has_no_lease(place: Workplace, name: str) -> None:
    place.deliver(name)
    assert place.lease() == {}


def test_a_task_that_replaces_itself_is_run_as_what_it_has_become(place: Workplace) -> None:
    place.deliver("replaced")
    assert place.queued() == [TASK]
    assert place.deliver("work", "instead") == ["worked", "instead"]


def test_the_next_try_runs_and_an_earlier_one_does_not(place: Workplace) -> None:
    place.deliver("retry")
    assert place.queued() == [TASK]
    assert isinstance(place.deliver("retry"), Ignore)
    assert place.deliver("retry", retries=1) == "at last"
    assert place.ran == [0, 1]


def test_the_next_try_does_not_wait_for_the_one_that_queued_it(place: Workplace) -> None:
    place.hold(ELSEWHERE)
    assert place.deliver(retries=1) == ["worked"]


def test_a_task_calls_functions_directly_as_it_likes(place: Workplace) -> None:
    assert place.deliver("again") == [[], ["worked"]]


@pytest.mark.parametrize(
    ("holder", "options", "lost"),
    [
        (GONE, {}, 1),
        (ELSEWHERE, {"lapsed": True}, 1),
        (GONE, {"lost": 2}, 3),
    ],
    ids=["its process has gone", "nobody has renewed it", "once more"],
)
def test_a_task_whose_holder_is_dead_runs_again(
    place: Workplace, holder: Holder, options: dict[str, Any], lost: int
) -> None:
    place.hold(holder, **options)
    assert place.deliver("tells_lost") == lost


def test_a_task_that_keeps_killing_its_worker_fails(place: Workplace) -> None:
    place.hold(GONE, lost=2)
    assert place.deliver() == ["worked"]
    place.backend.client.delete(place.backend.get_key_for_task(TASK))
    place.hold(GONE, lost=3)
    error = place.deliver()
    assert isinstance(error, turn.TaskLostError)
    assert str(error) == "the task killed its worker 4 times: it is not run again"
    assert place.state() == states.FAILURE
    assert len(place.ran) == 1


def test_a_worker_that_has_left_in_order_has_killed_nothing(place: Workplace) -> None:
    mine = replace(new_holder(), execution=0)
    place.hold(mine, lost=3)
    Leases(place.backend).leave()
    assert place.deliver() == ["worked"]


def test_a_second_message_waits_for_the_value_of_the_first(place: Workplace) -> None:
    place.hold(ELSEWHERE)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(place.deliver)
        place.backend.store_result(TASK, "theirs", states.SUCCESS)
        assert waiting.result(10) == "theirs"
    assert place.ran == []


def test_a_second_message_gives_way_and_comes_back_once(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "LEASE_LIFE", 0.05)
    place.hold(ELSEWHERE)
    for _ in range(2):
        assert isinstance(place.deliver(**next_step(place)), Ignore)
    assert place.queued() == [TASK]
    assert place.ran == []
    assert place.lease()[b"holder"] == str(ELSEWHERE).encode()


def test_a_second_message_of_a_cancelled_run_leaves_the_first_alone(place: Workplace) -> None:
    place.hold(ELSEWHERE)
    cancel(place)
    assert isinstance(place.deliver(), Ignore)
    assert place.state() == states.PENDING


def test_a_worker_renews_its_own_leases_alone(place: Workplace) -> None:
    leases, other = Leases(place.backend), str(uuid5(ROOT, "other"))
    mine = new_holder()
    leases.take(TASK, root=str(ROOT), me=mine, attempt=0)
    leases.take(other, root=str(ROOT), me=ELSEWHERE, attempt=0)
    keys = [lease_key(place.backend, task_id) for task_id in (TASK, other)]
    for key in keys:
        place.backend.client.hset(key, "until", 1)
    assert leases.renew([TASK, other, str(uuid5(ROOT, "none"))]) == 1
    mine_until, their_until = (int(place.backend.client.hget(key, "until")) for key in keys)
    assert mine_until > their_until == 1


def test_a_task_goes_back_to_its_queue_while_the_backend_is_away(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(place.backend, "_ensure_retryable", away)
    with pytest.raises(Reject, match="the result backend is away: connection refused") as caught:
        place.deliver()
    assert caught.value.requeue
    assert place.ran == []


def test_a_continuation_publishes_its_part_once(place: Workplace) -> None:
    store_parts(place.backend, {TASK: place.app.signature("work", task_id=NEXT)})
    chord = {"chord": place.app.signature("work"), "group": "a group", "group_index": 0}
    for _ in range(2):
        place.deliver(CONTINUE, 1, **chord)
    assert place.queued() == [NEXT]
    # The part's last call is the member that the chord waits for.
    assert not list(place.backend.client.scan_iter("celery-taskset-meta-*"))


@pytest.fixture
def simple_place(redis: Redis) -> Workplace:
    """A workplace whose result backend is no Redis."""
    place = workplace_on(redis.url(4), "cache+memory://")
    place.backend.set(known_key(place.backend, ROOT), b"1")
    return place


def test_other_backends_know_flags_and_success(simple_place: Workplace) -> None:
    place = simple_place
    assert place.deliver("work", 1) == ["worked", 1]
    assert place.deliver("work", 2) == ["worked", 1]
    place.backend.set(cancelled_key(place.backend, ROOT), b"1")
    assert isinstance(place.deliver("work", id=NEXT), Ignore)
    assert place.state(NEXT) == states.REVOKED
    assert place.ran == [(1,)]


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
