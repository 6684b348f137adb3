"""Whether tasks run again if their worker dies or stops, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowrunner.duration import exact_duration as duration
from flowrunner.engines.checks.scene import Scene, listed, ok, warning
from flowrunner.errors import Finding

__all__ = ["countdowns", "redeliveries", "retries", "soft_shutdown"]

#: Redeliveries after which RabbitMQ 4 drops a message of a quorum queue without a limit of its own
#: (https://www.rabbitmq.com/docs/quorum-queues, "Poison Message Handling").
DEFAULT_DELIVERY_LIMIT: Final = 20
#: The first RabbitMQ with that default.
LIMITED_SINCE: Final = 4
#: Celery's ``Task.default_retry_delay``, in seconds.
RETRY_DELAY: Final = 180.0


def redeliveries(scene: Scene) -> Iterator[Finding]:
    """Check whether RabbitMQ drops a message that it has delivered too often."""
    if scene.broker.transport != "amqp":
        return
    found = re.match(r"\d+", scene.broker.rabbitmq)
    default = (
        DEFAULT_DELIVERY_LIMIT if found is not None and int(found[0]) >= LIMITED_SINCE else None
    )
    dropped = False
    for queue in scene.quorum_queues():
        limit = default if queue.delivery_limit is None else queue.delivery_limit
        if limit is None or limit < 0:
            continue
        dropped = True
        source = "its x-delivery-limit" if queue.delivery_limit is not None else "the default"
        yield warning(
            "redeliveries",
            f"'{queue.name}' is a quorum queue, and RabbitMQ {scene.broker.rabbitmq} drops a "
            f"message after {limit} redeliver{'y' if limit == 1 else 'ies'} ({source})",
            "a task whose worker dies more often is lost without an error from RabbitMQ; the run "
            "fails as stalled about two minutes later",
            "raise the limit of the queue (policy key delivery-limit), or give it a dead-letter "
            "exchange, so that the message is not lost",
        )
    if not dropped and scene.quorum_queues():
        version = scene.broker.rabbitmq or "the broker"
        yield ok("redeliveries", f"RabbitMQ {version} redelivers messages without a limit")


def countdowns(scene: Scene) -> Iterator[Finding]:
    """Check whether messages with a countdown keep a worker from taking others."""
    waiting = {queue for queue, _ in scene.needs.waiting} - scene.delayed
    blocked = waiting & {queue.name for queue in scene.quorum_queues()}
    if blocked and scene.needs.countdown is not None:
        yield warning(
            "countdowns",
            f"task '{scene.needs.countdown.task}' waits for "
            f"{duration(scene.needs.countdown.seconds)} on a quorum queue with a direct exchange: "
            f"{listed(blocked)}",
            "a worker holds the message until then, and a quorum queue gives it no other in its "
            "place: enough such messages keep a worker idle",
            "give the queue a topic exchange, so that RabbitMQ itself holds them (Celery's native "
            "delayed delivery), or use a classic queue",
        )


def retries(scene: Scene) -> Iterator[Finding]:
    """Check whether a lost task waits for a retry instead of being redelivered at once."""
    if not scene.reports:
        return
    late = [report.name for report in scene.reports if report.conf.retry_on_worker_lost]
    if late:
        yield warning(
            "lost workers",
            f"task_retry_on_worker_lost is on at {listed(late, '')}",
            "it replaces the redelivery that task_reject_on_worker_lost asks for: a task whose "
            f"process dies waits for its default_retry_delay ({duration(RETRY_DELAY)} if the task "
            "sets none), uses up one of its retries, and fails after the last",
            "set task_retry_on_worker_lost of the workers to False",
        )
    elif not any(report.silent for report in scene.reports):
        yield ok("lost workers", "no worker delays a task whose process died")


def soft_shutdown(scene: Scene) -> Iterator[Finding]:
    """Check whether a worker on Redis gives back what it runs when it is stopped cold."""
    if scene.broker.transport != "redis" or not scene.reports:
        return
    at_once = [
        report.name
        for report in scene.reports
        if report.conf.acks_late and report.conf.soft_shutdown == 0
    ]
    if at_once:
        visibility = scene.visibility()
        wait = "" if visibility is None else f" ({duration(visibility)})"
        yield warning(
            "soft shutdown",
            f"worker_soft_shutdown_timeout is 0 at {listed(at_once, '')}",
            "a cold shutdown (SIGQUIT, or SIGTERM with REMAP_SIGTERM=SIGQUIT) ends running tasks "
            f"at once; Redis delivers them again only after the visibility timeout{wait}",
            "set worker_soft_shutdown_timeout of the workers to some seconds, and "
            "worker_enable_soft_shutdown_on_idle to True",
        )
    elif any(report.conf.soft_shutdown for report in scene.reports):
        yield ok("soft shutdown", "stopped workers give running tasks time, or run early acks")
