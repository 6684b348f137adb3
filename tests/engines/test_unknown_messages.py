"""What flowrunner's own workers log of messages that they cannot run: never their bodies."""

from __future__ import annotations

import json

import pytest
from celery import Celery
from celery.worker.consumer import Consumer as CeleryConsumer

from flowrunner.engines.worker_consumer import NOT_SHOWN, Consumer

PLANTED = "hunter2-planted-in-a-message"


class Message:
    """A message as kombu gives it."""

    def __init__(self, body: bytes, headers: dict[str, object] | None, content_type: str) -> None:
        self.body, self.headers, self.content_type = body, headers, content_type
        self.content_encoding = "utf-8"
        self.delivery_info = {"routing_key": "celery"}
        self.properties: dict[str, object] = {}
        self.payload = {"id": "1", "task": "unknown"}
        self.ended: list[str] = []

    def ack(self) -> None:
        self.ended.append("acknowledged")

    def reject_log_error(self, *_: object) -> None:
        self.ended.append("rejected")


@pytest.fixture
def consumer() -> Consumer:
    found = object.__new__(Consumer)
    found.app = Celery("unknown", backend="cache+memory://", set_as_current=False)
    found.connection_errors, found.event_dispatcher = (), None
    return found


BODY = json.dumps([[PLANTED], {}, {"chain": None}]).encode()
HEADERS = {"id": "1", "task": "unknown", "argsrepr": "('${env.TOKEN}',)"}


@pytest.mark.parametrize(
    ("method", "arguments", "ended"),
    [
        ("on_unknown_task", (None, KeyError("unknown")), "rejected"),
        ("on_invalid_task", ([PLANTED], ValueError("not a task")), "rejected"),
        ("on_unknown_message", ({"x": PLANTED},), "rejected"),
        ("on_decode_error", (UnicodeDecodeError("utf-8", BODY, 3, 4, "why"),), "acknowledged"),
    ],
)
def test_no_body_is_logged(
    method: str,
    arguments: tuple[object, ...],
    ended: str,
    consumer: Consumer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert hasattr(CeleryConsumer, method)
    message = Message(BODY, dict(HEADERS), "application/json")
    given = (message, *arguments) if method == "on_decode_error" else None
    given = given or (arguments[0], message, *arguments[1:])
    getattr(consumer, method)(*given)
    assert message.ended == [ended]
    assert NOT_SHOWN in caplog.text
    assert "hunter2" not in caplog.text


def test_the_worker_has_this_consumer() -> None:
    from flowrunner.engines.worker_settings import SETTINGS

    assert SETTINGS["worker_consumer"].value == f"{Consumer.__module__}:Consumer"
