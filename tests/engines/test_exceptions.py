"""What a task raises is what the run tells, on every engine that has flowrunner's own workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.embedded import EmbeddedEngine
from flowrunner.engines.processes import ProcessPoolEngine
from flowrunner.engines.protocol import Engine
from flowrunner.loader import load_workflow, parse_value
from flowrunner.node import Mapping
from flowrunner.plan import Plan
from flowrunner.planner import plan_workflow
from flowrunner.plugins import PluginReference, load_plugins
from flowrunner.runs.outcome import errors_to_json
from flowrunner.runs.run_ledger import ledger_of
from flowrunner.source import Source
from flowrunner.tasks import TaskRegistry
from tests.engines.plans import HANG, Ran, call, run
from tests.engines.rabbitmq import RabbitMQ
from tests.engines.services import ClusterAddress, OwnWorker, Redis

PLUGIN = PluginReference(str(Path(__file__).with_name("raising_plugin.py")), "the tests")


def tasks() -> TaskRegistry:
    return load_plugins([PLUGIN]).tasks()


def _embedded() -> Engine:
    return EmbeddedEngine(tasks(), configure=lambda app: None)


def _processes() -> Engine:
    return ProcessPoolEngine(tasks(), configure=lambda app: None, references=[PLUGIN], processes=2)


@pytest.fixture(scope="module", params=["embedded", "processes", "threads", "prefork", "rabbitmq"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Each engine, and each pool of ``flowrunner worker``."""
    made = {"embedded": _embedded, "processes": _processes}.get(request.param)
    if made is not None:
        with made() as running:
            yield running
        return
    redis: Redis = request.getfixturevalue("redis")
    broker = redis.url(6)
    if request.param == "rabbitmq":
        rabbitmq: RabbitMQ = request.getfixturevalue("rabbitmq")
        broker = rabbitmq.url()
    address = ClusterAddress(broker, redis.url(7))
    options = ["--pool", "threads"] if request.param == "threads" else []
    queue = f"raising-{request.param}"
    with ExitStack() as stack:
        stack.enter_context(
            OwnWorker(
                address,
                tmp_path_factory.mktemp("raising"),
                *options,
                environment={"FLOWRUNNER_PLUGINS": PLUGIN.name, "RAISING_QUEUE": queue},
            )
        )
        yield stack.enter_context(
            CeleryEngine(
                tasks(),
                configure=lambda app: None,
                broker=address.broker,
                backend=address.backend,
                given={"task_default_queue": queue},
            )
        )


def planned(text: str, **inputs: Any) -> Plan:
    given = parse_value(Source("inputs", json.dumps(inputs)))
    assert isinstance(given, Mapping)
    return plan_workflow(load_workflow(Source("w.yaml", text)), tasks(), given)


def applied(engine: Engine, text: str, **inputs: Any) -> Ran:
    plan = planned(text, **inputs)
    ledger = ledger_of(plan)
    return Ran(engine.run(plan, run=uuid4(), ledger=ledger, timeout=HANG), ledger)


RAISED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "http_error": ("HTTPError", "HTTP Error 503: Busy", ()),
    "payment_error": ("PaymentError", "card declined", ()),
    "keyword_error": ("KeywordError", "code 7", ()),
    "order_error": ("OrderError", "order 7 was refused: no stock", ()),
    "frozen_error": ("FrozenError", "order 7 is closed", ()),
    "lock_error": ("LockError", "held", ()),
    "lossy_error": ("LossyError", "the true text", ()),
    "speechless_error": (
        "SpeechlessError",
        "(no message: SpeechlessError.__str__ raises RuntimeError)",
        (),
    ),
    "group_of_errors": ("ExceptionGroup", "both (2 sub-exceptions)", ()),
    "chained_error": ("KeywordError", "code 9", ()),
    "noted_error": ("PaymentError", "card declined", ("order 7", "first line\nsecond line")),
    "oddly_noted_error": (
        "PaymentError",
        "card declined",
        ("7", "(a note whose text raises RuntimeError)", "plain"),
    ),
    "surrogate_error": ("OrderError", "order 7 was refused: half of a pair: \udcff", ()),
    "nested_error": ("DoesNotExist", "no order 7", ()),
    "legacy.retries_itself": ("PaymentError", "declined 3 times", ()),
    "legacy.prepared": ("PaymentError", "not yet", ()),
    "legacy.called": ("KeywordError", "code 402", ()),
}


@pytest.mark.parametrize(("task", "expected"), RAISED.items(), ids=RAISED.keys())
def test_type_message_and_notes_are_those_that_were_raised(
    engine: Engine, task: str, expected: tuple[str, str, tuple[str, ...]]
) -> None:
    (error,) = run(engine, call(task)).ledger.errors
    assert (error.type, error.message, error.notes) == expected
    assert "raising_plugin.py" in error.traceback


def test_a_long_message_comes_whole(engine: Engine) -> None:
    (error,) = run(engine, call("long_error")).ledger.errors
    assert error.message == f"order 7 was refused: {'x' * 3_000_000}"


TRACEBACKS = {
    "group_of_errors": ("PaymentError: card declined", "order 8 was refused: gone"),
    "chained_error": (
        "PaymentError: card declined",
        "The above exception was the direct cause",
        "in payment_error",
    ),
    "error_on_the_way": ("order 7 was refused", "During handling of the above exception"),
    "noted_error": ("order 7\nfirst line\nsecond line",),
}


@pytest.mark.parametrize(("task", "words"), TRACEBACKS.items(), ids=TRACEBACKS.keys())
def test_a_traceback_shows_causes_groups_and_notes(
    engine: Engine, task: str, words: tuple[str, ...]
) -> None:
    (error,) = run(engine, call(task)).ledger.errors
    for each in words:
        assert each in error.traceback


def test_what_is_no_json_is_told_without_frames_of_flowrunner(engine: Engine) -> None:
    (error,) = run(engine, call("gives_object")).ledger.errors
    assert (error.type, error.traceback) == ("NotJSONError", "")
    assert "the result[0] is a raising_plugin.Order; " in error.message


def test_what_fits_no_model_is_told_without_frames_of_flowrunner(engine: Engine) -> None:
    (error,) = run(engine, call("takes_parcel", {"weight": "heavy"})).ledger.errors
    assert (error.type, error.traceback) == ("ValidationError", "")
    assert "weight" in error.message


def test_celerys_own_retries_know_the_exception(engine: Engine, tmp_path: Path) -> None:
    (error,) = run(engine, call("legacy.retried", str(tmp_path))).ledger.errors
    assert (error.type, error.message) == ("PaymentError", "declined 3 times")


def test_a_retry_knows_the_exceptions_by_their_own_names(engine: Engine, tmp_path: Path) -> None:
    text = """
    inputs: {folder: {type: string}}
    group:
      - {task: download, args: ["${inputs.folder}"], retry: {max: 3, only: [HTTPError]}}
      - {task: pay, args: ["${inputs.folder}"], retry: {max: 3, only: [PaymentError]}}
    """
    ran = applied(engine, text, folder=str(tmp_path))
    assert ran.value == ["downloaded", "paid"]


def test_a_retry_leaves_out_what_never_names(engine: Engine, tmp_path: Path) -> None:
    text = """
    inputs: {folder: {type: string}}
    task: pay
    args: ["${inputs.folder}"]
    retry: {max: 3, never: [shop.PaymentError]}
    """
    ran = applied(engine, text, folder=str(tmp_path))
    assert [error.type for error in ran.ledger.errors] == ["PaymentError"]


@pytest.mark.parametrize("name", ["DoesNotExist", "Order.DoesNotExist", "shop.Order.DoesNotExist"])
def test_an_exception_inside_a_class_is_known_by_the_last_part_of_its_name(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    text = f"""
    inputs: {{folder: {{type: string}}}}
    task: nested_sometimes
    args: ["${{inputs.folder}}"]
    retry: {{max: 3, only: [{name}]}}
    """
    assert applied(engine, text, folder=str(tmp_path)).value == "order 7"


def test_an_exception_of_ones_own_is_not_known_by_its_base_class(
    engine: Engine, tmp_path: Path
) -> None:
    text = """
    inputs: {folder: {type: string}}
    task: nested_sometimes
    args: ["${inputs.folder}"]
    retry: {max: 3, only: [LookupError]}
    """
    ran = applied(engine, text, folder=str(tmp_path))
    assert [error.type for error in ran.ledger.errors] == ["DoesNotExist"]


def test_a_handler_is_given_type_message_and_notes(engine: Engine) -> None:
    text = """
    chain:
      - {task: noted_error, on_error: {chain: []}}
    outputs:
      type: ${prev.errors[0].type}
      message: ${prev.errors[0].message}
      notes: ${prev.errors[0].notes}
    """
    assert applied(engine, text).value == {
        "type": "PaymentError",
        "message": "card declined",
        "notes": ["order 7", "first line\nsecond line"],
    }


@pytest.mark.usefixtures("continued_everywhere")
def test_a_plan_with_continuations_tells_the_same(engine: Engine) -> None:
    text = "chain: [catches_its_own, catches_its_own, order_error, catches_its_own]"
    plan = planned(text)
    assert any(each.kind == "continuation" for each in plan.every_call())
    ledger = ledger_of(plan)
    engine.run(plan, run=uuid4(), ledger=ledger, timeout=HANG)
    (error,) = ledger.errors
    assert (error.type, error.message) == ("OrderError", "order 7 was refused: no stock")


def test_no_worker_of_flowrunner_is_a_plain_one(engine: Engine) -> None:
    assert list(engine.plain_workers(planned("group: [http_error, order_error]"))) == []


def test_json_has_the_notes(engine: Engine) -> None:
    (error,) = run(engine, call("noted_error")).ledger.errors
    (told,) = errors_to_json([replace(error, notes=(*error.notes, "\udcff"))])
    assert told["notes"] == ["order 7", "first line\nsecond line", "\\udcff"]
