"""What flowrunner knows of Celery's message format holds for the installed Celery."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from celery import Celery, chain, chord, signature

from flowrunner.message_format import (
    ACCUMULATE,
    PROTOCOL_HEADERS,
    is_builtin_task,
    message_task,
    signatures_in,
    task_ids_in,
)

APP = Celery("format", set_as_current=False)


def test_every_header_of_celery_is_protected() -> None:
    message = APP.amqp.as_task_v2(str(uuid4()), "double", [1], {})
    assert set(message.headers) <= PROTOCOL_HEADERS


@pytest.mark.parametrize("name", [ACCUMULATE, message_task("map", "double")])
def test_a_builtin_task_exists(name: str) -> None:
    APP.finalize()
    assert is_builtin_task(name)
    assert name in APP.tasks
    assert not is_builtin_task(message_task("task", "double"))


def test_signatures_are_found_at_any_depth() -> None:
    member = chain(signature("a", app=APP), signature("b", app=APP), app=APP)
    body = signature("body", args=({"task": "data", "options": None},), app=APP)
    canvas = chord([member, signature("c", app=APP)], body, app=APP)
    for data in (canvas, json.loads(json.dumps(canvas)), [{"deep": (canvas,)}]):
        tasks = sorted(found["task"] for found in signatures_in(data))
        assert [name for name in tasks if not is_builtin_task(name)] == ["a", "b", "body", "c"]


def test_a_stored_message_names_its_task() -> None:
    task_id = str(uuid4())
    message = APP.amqp.as_task_v2(task_id, "double", [1], {}, root_id=str(uuid4()))
    stored = json.dumps({"body": "", "headers": message.headers})
    assert list(task_ids_in([stored, stored.encode(), "no message"])) == [task_id, task_id]
