"""The checks of RabbitMQ's quorum queues, on clusters that are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowrunner.engines.checks import Scene, look
from flowrunner.engines.needs import Lasting
from flowrunner.engines.quorum import QuorumQueue, delays_messages, quorum_queues
from flowrunner.engines.server import Server
from flowrunner.engines.workers import Worker, workers_of
from tests.engines.scenes import KNOWN, needs, report, scene


def on_rabbitmq(version: str, *queues: QuorumQueue, **changes: Any) -> Scene:
    known = Worker(KNOWN.queues, KNOWN.tasks, frozenset(queues))
    broker = Server("broker", "amqp://b", "amqp", rabbitmq=version)
    return replace(scene(report(worker=known)), broker=broker, **changes)


WAITING = needs(countdown=Lasting("tag", 60), waiting=(("celery", "tag"),))


@pytest.mark.parametrize(
    ("found", "check", "what"),
    [
        (on_rabbitmq("4.1.2"), None, ""),
        (on_rabbitmq("3.10.8", QuorumQueue("celery")), None, ""),
        (
            on_rabbitmq("4.1.2", QuorumQueue("celery")),
            "redeliveries",
            "RabbitMQ 4.1.2 drops a message after 20 redeliveries (the default)",
        ),
        (
            on_rabbitmq("3.10.8", QuorumQueue("celery", 2)),
            "redeliveries",
            "RabbitMQ 3.10.8 drops a message after 2 redeliveries (its x-delivery-limit)",
        ),
        (
            on_rabbitmq("4.1.2", quorum=(QuorumQueue("celery"),)),
            "redeliveries",
            "'celery' is a quorum queue",
        ),
        (on_rabbitmq("4.1.2", QuorumQueue("celery", -1)), None, ""),
        (on_rabbitmq("4.1.2", QuorumQueue("another")), None, ""),
        (
            on_rabbitmq("3.10.8", QuorumQueue("celery"), needs=WAITING),
            "countdowns",
            "task 'tag' waits for 1 min on a quorum queue with a direct exchange: 'celery'",
        ),
        (
            on_rabbitmq(
                "3.10.8", QuorumQueue("celery"), needs=WAITING, delayed=frozenset({"celery"})
            ),
            None,
            "",
        ),
        (on_rabbitmq("3.10.8", needs=WAITING), None, ""),
    ],
)
def test_quorum_queues_drop_and_hold_messages(found: Scene, check: str | None, what: str) -> None:
    wrong = [each for each in look(found) if each.severity != "ok"]
    assert [(each.severity, each.check) for each in wrong] == (
        [("warning", check)] if check else []
    )
    assert all(what in each.what for each in wrong)


def test_an_app_declares_quorum_queues_and_who_holds_their_messages() -> None:
    from celery import Celery
    from kombu import Exchange, Queue

    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 5}
    app = Celery("shop", set_as_current=False, broker="amqp://b")
    app.conf.task_queues = [
        Queue("held", Exchange("held"), routing_key="held", queue_arguments=arguments),
        Queue("delayed", Exchange("delayed", "topic"), routing_key="delayed"),
    ]
    assert quorum_queues(app, ["held", "delayed", "made"]) == (QuorumQueue("held", 5),)
    assert [delays_messages(app, name) for name in ("held", "delayed", "made")] == [
        *(False, True, False)
    ]
    assert "made" not in app.amqp.queues
    assert quorum_queues(Celery("plain", set_as_current=False), ["celery"]) == ()


def test_workers_tell_their_quorum_queues() -> None:
    queues = [("a", [{"name": "q", "queue_arguments": {"x-queue-type": "quorum"}}, {"name": "p"}])]
    assert workers_of(queues, [])["a"].quorum == {QuorumQueue("q")}
