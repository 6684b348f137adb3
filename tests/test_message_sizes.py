"""The sizes of Celery's messages are those of the installed Celery."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery

from flowrunner import message_format
from flowrunner.engines.canvas import lower_to_canvas
from flowrunner.message_format import (
    MEMBER_SIZE,
    MESSAGE_SIZE,
    PARENT_ID_SIZE,
    ROOT_ID_SIZE,
    SIGNATURE_SIZE,
    base64_size,
)
from flowrunner.plan import Call, Fork, Sequence
from tests.shapes import HERE

A = Call("", "a", HERE, immutable=True)
#: A waiting call of that task.
SIGNATURE = SIGNATURE_SIZE + len("a[]{}{}")


def fork(*lengths: int) -> Fork:
    """Return a fork of members with so many calls."""
    return Fork(tuple((A,) * length for length in lengths), A)


#: The constant → a sequence, another one, and what is in the first message of the first sequence
#: only, beside what the constant names.
SIZES: dict[str, tuple[Sequence, Sequence, int]] = {
    "SIGNATURE_SIZE": ((A, A, A), (A, A), SIGNATURE - SIGNATURE_SIZE),
    "CHORD_SIZE": ((A, fork(1, 1), A), (A, A), 3 * SIGNATURE + 2 * MEMBER_SIZE),
    "CHAIN_SIZE": ((A, fork(2, 1), A), (A, fork(1, 1), A), SIGNATURE),
    "MEMBER_SIZE": ((A, fork(1, 1, 1), A), (A, fork(1, 1), A), SIGNATURE),
    "LAST_OF_MEMBER_SIZE": ((fork(2, 1),), (fork(1, 1),), SIGNATURE),
}

Publish = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def publish() -> Iterator[Publish]:
    """Give a function that publishes a sequence and returns its messages, as a broker has them."""
    app = Celery("sizes", broker="memory://", backend="cache+memory://", set_as_current=False)
    name = app.conf.task_default_queue = "sizes of messages"

    def messages(sequence: Sequence, **options: Any) -> list[dict[str, Any]]:
        canvas = lower_to_canvas(sequence, app=app, task_ids=lambda _: str(uuid4()))
        canvas.start.apply_async(**options)
        with app.connection_for_write() as connection:
            queue = connection.default_channel._queue_for(name)
            return [queue.get() for _ in range(queue.qsize())]

    yield messages
    app.close()


def body_size(message: dict[str, Any]) -> int:
    return len(b64decode(message["body"]))


@pytest.mark.parametrize("name", SIZES)
def test_a_size_in_the_body_of_a_message(name: str, publish: Publish) -> None:
    longer, shorter, other = SIZES[name]
    measured = body_size(publish(longer)[0]) - body_size(publish(shorter)[0]) - other
    assert getattr(message_format, name) == pytest.approx(measured, abs=4)


def test_a_message(publish: Publish) -> None:
    message, _ = publish((fork(1, 1),))
    message["headers"]["origin"] = "gen00000@000000000000"  # of a usual length
    message["properties"]["delivery_info"]["routing_key"] = "celery"
    body = json.loads(b64decode(message["body"]))
    carried = len(json.dumps(body[2]["chord"])) - len("null")
    message["body"] = "0" * base64_size(body_size(message) - carried - len("[]{}"))
    shown = len(json.dumps(["a", "()", "{}"])) - len('"", , []')
    assert pytest.approx(len(json.dumps(message)) - shown, abs=4) == MESSAGE_SIZE


def test_ids(publish: Publish) -> None:
    plain, child = (
        len(json.dumps(publish((A,), **ids)[0])) for ids in ({}, {"parent_id": str(uuid4())})
    )
    assert child - plain == PARENT_ID_SIZE
    plain, child = (
        body_size(publish((A, A, A), **ids)[0]) for ids in ({}, {"root_id": str(uuid4())})
    )
    assert child - plain == 2 * ROOT_ID_SIZE


def test_the_body_of_a_chord(publish: Publish) -> None:
    measured = body_size(publish((fork(1, 1),))[0]) - body_size(publish((A,))[0]) - SIGNATURE
    assert measured == pytest.approx(45, abs=4)  # see CHORD_BODY_SIZE
