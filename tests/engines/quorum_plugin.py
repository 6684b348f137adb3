"""A plugin whose queues on RabbitMQ are quorum queues; one of them redelivers a message twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, NoReturn

from celery import Celery
from kombu import Exchange, Queue

from flowrunner import hookimpl

own = Celery("quorum-tests", set_as_current=False)

DELIVERY_LIMIT = 2

QUORUM = {"x-queue-type": "quorum"}


def add(*numbers: int) -> int:
    return sum(numbers)


def kill_worker(log: str) -> NoReturn:
    """Write a line and kill the process of the pool."""
    with Path(log).open("a", encoding="utf-8") as lines:
        lines.write("started\n")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@own.task(name="retry_later", bind=True, default_retry_delay=5)
def retry_later(self: Any) -> int:
    """Retry once, after the delay of the task."""
    if not self.request.retries:
        raise self.retry()
    return int(self.request.retries)


@hookimpl
def flowrunner_configure_app(app: Celery) -> None:
    limited = {**QUORUM, "x-delivery-limit": DELIVERY_LIMIT}
    app.conf.update(
        task_default_queue="quorum",
        task_default_exchange="quorum",
        task_default_routing_key="quorum",
        task_queues=[
            Queue("quorum", Exchange("quorum"), routing_key="quorum", queue_arguments=limited),
            Queue(
                "delayed",
                Exchange("delayed", type="topic"),
                routing_key="delayed",
                queue_arguments=QUORUM,
            ),
        ],
        worker_lost_wait=0.1,
    )


@hookimpl
def flowrunner_register_tasks(registry: Any) -> None:
    for task in (add, kill_worker, retry_later):
        registry.add(task)
