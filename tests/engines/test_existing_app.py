"""The engine on an existing app: what plain workers give, and what is known of their failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from flowrunner import plan
from flowrunner.app import Project
from flowrunner.engines.app_engine import AppEngine
from flowrunner.engines.app_fitness import unfit_nesting, unfit_tasks
from flowrunner.engines.application import pin_addresses
from flowrunner.engines.existing_app import load_app, register_app_tasks
from flowrunner.engines.protocol import Engine
from flowrunner.errors import EngineError
from flowrunner.settings import AppReference, Settings
from flowrunner.tasks import TaskRegistry
from flowrunner.values import NotJSONError
from tests.engines.plain import PROJECT, PlainWorker, project_environment
from tests.engines.plans import (
    PLUGIN,
    await_file,
    await_state,
    call,
    chain,
    chord,
    group,
    planned,
    run,
    watched,
)
from tests.engines.services import ClusterAddress, Redis
from tests.engines.test_json_values import ARRIVES, REFUSED, as_it_arrives

REFERENCE = AppReference("proj.celery_app", "the tests", PROJECT)


def proj(task: str, *args: Any) -> Any:
    return call(f"proj.tasks.{task}", *args)


@pytest.fixture(scope="module")
def project() -> Iterator[Celery]:
    """The project's app, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project_environment(ClusterAddress("", "")).items():
            patch.setenv(name, value)
        yield load_app(REFERENCE)


def engine_of(app: Celery, address: ClusterAddress) -> AppEngine:
    return AppEngine(app, TaskRegistry(), REFERENCE, broker=address.broker, backend=address.backend)


@pytest.fixture
def plain_engine(plain_worker: PlainWorker, project: Celery) -> Iterator[Engine]:
    with engine_of(project, plain_worker.address) as engine:
        yield engine


#: What a plain worker's JSON has made something else of where nobody could see it.
CHANGED_UNSEEN: dict[str, Any] = {
    "number keys": {"by number": {"1": "one"}},
    "own json": [{"own": 1}],
}

#: Where Celery's own words, or what is seen of the value, differ from flowrunner's.
OTHER_WORDS = {
    "set": "set is not JSON serializable",
    "object": "object is not JSON serializable",
    "dataclass": "Order is not JSON serializable",
    "model": "Model is not JSON serializable",
    "generator": "generator is not JSON serializable",
    "giant": "4300 digits",
    "abyss": "recursion",
    "mark": "the result[0] is a datetime.date; return a string",
}


@pytest.mark.parametrize("kind", [*ARRIVES, *CHANGED_UNSEEN])
def test_what_json_carries_arrives(plain_engine: Engine, kind: str) -> None:
    value = CHANGED_UNSEEN.get(kind) or as_it_arrives(kind)
    ran = run(plain_engine, group(proj("gives", kind), chain(proj("gives", kind), proj("tag"))))
    assert ran.errors == {}
    assert repr(ran.value) == repr([value, [value]])


@pytest.mark.parametrize("kind", [kind for kind in REFUSED if kind not in CHANGED_UNSEEN])
def test_what_json_would_change_fails_where_it_was_made(plain_engine: Engine, kind: str) -> None:
    ran = run(plain_engine, group(proj("gives", kind), chain(proj("gives", kind), proj("tag"))))
    assert set(ran.errors) == {"root.0", "root.1.0"}
    assert ran.states["root.1.1"] == "SKIPPED"
    for error in ran.errors.values():
        assert OTHER_WORDS.get(kind, REFUSED[kind]) in error.message


def test_a_run_ends_when_the_last_sibling_has_ended_and_not_before(
    plain_engine: Engine, tmp_path: Path
) -> None:
    here, until = tmp_path / "here", tmp_path / "until"
    root = chord([proj("fail"), proj("waits_for", str(here), str(until))], proj("tag"))
    with watched(plain_engine, root) as (ledger, result):
        await_state(ledger, "root.header.0", "FAILURE")
        await_file(here)
        assert not ledger.ended
        until.touch()
        ran = result()
    assert list(ran.states.values()) == ["FAILURE", "SUCCESS", "SKIPPED"]


@pytest.mark.parametrize("setting", ["result_extended", "task_track_started"])
def test_the_worker_of_a_failure_is_named_where_celery_tells(
    plain_python: Path, redis: Redis, project: Celery, tmp_path: Path, setting: str
) -> None:
    address = ClusterAddress(redis.url(12), redis.url(13))
    here, until = tmp_path / "here", tmp_path / "until"
    with (
        PlainWorker(plain_python, address, **{setting: True}),
        engine_of(project, address) as engine,
        watched(engine, proj("waits_and_fails", str(here), str(until))) as (ledger, result),
    ):
        await_file(here)
        if setting == "task_track_started":
            await_state(ledger, "root", "STARTED")
        until.touch()
        (error,) = result().ledger.errors
    assert error.type == "ValueError"
    assert str(error.worker).startswith("plain@")


def has_nothing_to_do() -> None:
    pass


def test_a_task_whose_message_would_vanish_is_refused() -> None:
    app = Celery("shop", broker="amqp://", set_as_current=False)
    for name, expires in (("expires", 60), ("stays", None)):
        app.task(name=name, expires=expires, shared=False)(has_nothing_to_do)
    (problem,) = unfit_tasks(app, planned(group(call("expires"), call("stays"))))
    assert problem.startswith("task 'expires' has expires=60, and the broker drops a message")
    pin_addresses(app, broker="redis://")
    assert list(unfit_tasks(app, planned(call("expires")))) == []


@pytest.mark.parametrize(
    "options", [{}, {"bind": True}, {"bind": True, "autoretry_for": [OSError]}]
)
def test_a_plugin_may_register_a_task_that_the_app_shares(options: dict[str, Any]) -> None:
    first, second = (Celery(name, set_as_current=False) for name in ("first", "second"))
    for app in (first, second):
        app.task(name="shared", shared=False, **options)(takes_anything)
        app.finalize()
    registry = TaskRegistry()
    registry.for_plugin("the plugin").add(first.tasks["shared"], queue="own")
    register_app_tasks(registry, second, REFERENCE)
    definition = registry.get("shared")
    assert definition is not None
    assert (definition.plugin, definition.options) == ("the plugin", {"queue": "own"})


def takes_anything(*_: Any) -> None:
    pass


def test_flowrunners_own_worker_of_an_app_has_the_plugins_tasks_too(project: Celery) -> None:
    addresses = {"broker": "redis://here/0", "backend": "redis://here/1"}
    app = Project(Settings(plugins=(PLUGIN,), app=REFERENCE, **addresses)).worker_app()  # type: ignore[arg-type]
    assert app is project
    assert {"proj.tasks.power", "power", "legacy.bound"} <= set(app.tasks)
    with pytest.raises(NotJSONError):
        app.tasks["gives_set"]()
    assert app.tasks["proj.tasks.gives"]("set")  # the app's own stay as they are


def test_flowrunners_own_worker_goes_where_flowrunners_settings_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere/0")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://elsewhere/1")
    app = Project(Settings(broker="redis://here/0", backend="redis://here/1")).worker_app()
    assert app.connection_for_read().hostname == app.connection_for_write().hostname == "here"
    assert app.backend.url == "redis://here/1"


def nested_headers(depth: int) -> plan.Node:
    inner = nested_headers(depth - 1) if depth > 1 else call("tag")
    return chord([inner, call("tag")], call("tag"))


@pytest.mark.parametrize(
    ("root", "connections", "refused"),
    [
        (chain(call("tag"), nested_headers(10)), 10, False),
        (chain(call("tag"), nested_headers(11)), 10, True),
        (chain(call("tag"), nested_headers(11)), 0, False),
        (chain(call("tag"), nested_headers(11)), None, False),
        (nested_headers(11), 10, False),  # queued by flowrunner, which has connections enough
        (chord([chain(call("tag"), nested_headers(11)), call("tag")], call("tag")), 10, True),
        (group(*[chain(call("tag"), nested_headers(3))] * 20), 10, False),
    ],
)
def test_headers_nested_deeper_than_workers_have_connections_are_refused(
    root: plan.Node, connections: int | None, refused: bool
) -> None:
    problems = list(unfit_nesting(planned(root), connections))
    assert len(problems) == refused
    assert all("nested 11 deep, and broker_pool_limit is 10" in each for each in problems)


def test_every_engine_on_an_app_knows_what_connections_its_workers_have(redis: Redis) -> None:
    app = Celery("shop", broker=redis.url(0), backend=redis.url(1), set_as_current=False)
    app.conf.broker_pool_limit = 4
    for _ in range(2):
        engine = AppEngine(app, TaskRegistry(), REFERENCE)
        assert app.conf.broker_pool_limit > 100
        with pytest.raises(EngineError, match="nested 5 deep, and broker_pool_limit is 4"):
            engine.check(planned(chain(call("celery.ping"), nested_headers(5))))
