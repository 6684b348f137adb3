"""The guard of flowrunner's own workers: which messages run their task, and which do not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4, uuid5

import pytest
from celery import states
from celery.exceptions import Ignore, Reject
from kombu.exceptions import OperationalError

from flowrunner.engines import turn
from flowrunner.engines.continuation import store_parts
from flowrunner.engines.lease import Leases, lease_key
from flowrunner.engines.process_identity import Holder, new_holder
from flowrunner.engines.run_flags import COMES_AGAIN, cancelled_key, known_key
from flowrunner.planner.continuations import CONTINUE
from tests.engines.services import Redis
from tests.engines.workplace import (
    ELSEWHERE,
    GONE,
    NEXT,
    ROOT,
    TASK,
    Workplace,
    workplace_on,
)


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
