"""A place where a worker's tasks are run by hand, message by message, as the guard sees them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4, uuid5

from celery import Celery, Task
from celery.app.trace import build_tracer
from celery.exceptions import Ignore, Reject
from redis import Redis as RedisClient

from flowrunner.engines.application import patch_backends_of
from flowrunner.engines.cluster_settings import cluster_settings
from flowrunner.engines.guard import guard_tasks
from flowrunner.engines.lease import Leases, lease_key
from flowrunner.engines.process_identity import Holder, new_holder
from flowrunner.engines.worker_app import guard_backends

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

    def counts(value: int) -> str:
        return repr(value)

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
    app.task(counts, name="counts", shared=False)
    app.task(counts, name="called.counts", shared=False, base=CalledTask)
    app.task(fail, name="fail", shared=False)
    for function in (ignores, goes_back, tells_lost):
        app.task(function, name=function.__name__, shared=False)
    for function in (retry, replaced, again):
        app.task(function, name=function.__name__, shared=False, bind=True)
    app.finalize()
    patch_backends_of(app)
    guard_backends(app)
    guard_tasks(app)
    return place
