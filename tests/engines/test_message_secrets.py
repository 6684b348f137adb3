"""Workers learn from a message what they must not show."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from celery import Celery, chain

from flowrunner.engines.canvas import lower_to_canvas
from flowrunner.engines.message_secrets import TOLD, learn_of_message
from flowrunner.masking import Masks, masked_data, masked_text
from flowrunner.masking.streams import MaskedStream, mask_logs
from flowrunner.plan import Call, Secret
from tests.engines.plans import call
from tests.shapes import HERE

TOKEN = "hunter2-in-a-message"
SECRET = Secret("Bearer ${env.FLOWRUNNER_TEST_TOKEN}", HERE)


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowrunner.masking.masks.MASKS", Masks())
    monkeypatch.setenv("FLOWRUNNER_TEST_TOKEN", TOKEN)
    monkeypatch.setenv("FLOWRUNNER_TEST_PIN", "123456")


def signature(of: Call) -> Any:
    app = Celery(set_as_current=False)
    return lower_to_canvas((replace(of, path="task"),), app=app, task_ids=lambda c: c.path).start


def learned(monkeypatch: pytest.MonkeyPatch, payload: list[Any], headers: dict[str, Any]) -> dict:  # type: ignore[type-arg]
    """Return what a worker knows that has received a message, and nothing before."""
    monkeypatch.setattr("flowrunner.masking.masks.MASKS", Masks())
    request = {**headers, "delivery_info": {"routing_key": "celery"}}
    body = json.dumps(payload)
    learn_of_message(request, body.encode(), json.loads(body))
    told = request["delivery_info"].get(TOLD, [])
    assert masked_data(dict(told)) == {masked_text(value): shown for value, shown in told}
    return dict(told)


def test_of_its_own_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    found = signature(replace(call("work", SECRET, 2), kwargs={"pin": _pin()}))
    headers = found.options["headers"]
    payload = [["given before", *found.args], found.kwargs, {}]
    assert learned(monkeypatch, payload, headers) == {
        f"Bearer {TOKEN}": "Bearer ${env.FLOWRUNNER_TEST_TOKEN}",
        TOKEN: "${env.FLOWRUNNER_TEST_TOKEN}",
        "123457": "${int(env.FLOWRUNNER_TEST_PIN) + 1}",
    }
    assert masked_text(f"token {TOKEN}") == "token ${env.FLOWRUNNER_TEST_TOKEN}"


def _pin() -> Secret:
    return Secret("${int(env.FLOWRUNNER_TEST_PIN) + 1}", HERE)


def test_of_signatures_that_it_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    carried = chain(signature(call("work", SECRET)), app=Celery(set_as_current=False))
    payload = [[1], {}, {"chain": [dict(carried)], "chord": None}]
    assert TOKEN in learned(monkeypatch, payload, {})


def test_of_a_message_without_secrets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert learned(monkeypatch, [[TOKEN], {}, {"chain": None}], {}) == {}
    assert masked_text(TOKEN) == TOKEN


@pytest.mark.parametrize(
    "headers",
    [
        {"flowrunner_secrets": [["${env.X}", 5], ["${env.X}", "gone", 1], [], None, 3]},
        {"flowrunner_secrets": [["x", -1, "k"]], "flowrunner_secret_parts": [["x"], ["x", 1, 2]]},
        {"flowrunner_secrets": [["x", -1]], "flowrunner_secret_parts": [["x", "a", None, -1]]},
    ],
)
def test_headers_of_others_are_no_fault(
    headers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    learned(monkeypatch, [["value"], {}, {}], headers)


class Written(logging.StreamHandler):  # type: ignore[type-arg]
    """Keeps what is written, as any handler of a plugin writes it."""

    def __init__(self) -> None:
        self.written = io.StringIO()
        super().__init__(self.written)

    @property
    def text(self) -> str:
        return self.written.getvalue()


def test_every_handler_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = Masks()
    monkeypatch.setattr("flowrunner.masking.masks.MASKS", masks)
    masks.learn(TOKEN, "${env.X}")
    mask_logs()
    handler = Written()
    record = logging.LogRecord("shop", logging.ERROR, "", 1, "it is %r", (TOKEN,), None)
    handler.handle(record)
    try:
        raise KeyError(TOKEN)
    except KeyError as error:
        record.exc_info = (type(error), error, error.__traceback__)
        handler.handle(record)
    assert "it is '${env.X}'" in handler.text
    assert "KeyError: '${env.X}'" in handler.text
    assert TOKEN not in handler.text


def test_a_stream_masks_what_is_written_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    masks, written = Masks(), io.StringIO()
    monkeypatch.setattr("flowrunner.masking.masks.MASKS", masks)
    masks.learn(TOKEN, "${env.X}")
    stream = MaskedStream(written)
    for part in (TOKEN[:4], TOKEN[4:], "\nand", f" {TOKEN}"):
        stream.write(part)
    assert written.getvalue() == "${env.X}\n"
    stream.finish()
    assert written.getvalue() == "${env.X}\nand ${env.X}"
