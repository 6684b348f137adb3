"""Projects that share a broker and a result backend and see nothing of each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from uuid import UUID

import pytest
from celery import Celery
from kombu import Exchange, Queue  # type: ignore[attr-defined]
from redis import Redis as RedisClient

from flowrunner.app import Project
from flowrunner.driver import Drive, driver_name, new_record
from flowrunner.engines.application import build_app
from flowrunner.engines.celery import CeleryEngine
from flowrunner.engines.cluster import Cluster
from flowrunner.engines.cluster_settings import producer_settings
from flowrunner.engines.redelivery import OWNER, Redelivery
from flowrunner.engines.whereabouts import whereabouts
from flowrunner.engines.workers import Workers
from flowrunner.plan import Plan
from flowrunner.plugins import PluginReference
from flowrunner.runs.store import RunStore
from flowrunner.settings import Settings
from tests.conftest import without
from tests.engines.plans import tasks
from tests.engines.rabbitmq import RabbitMQ
from tests.engines.services import ClusterAddress, Redis, Worker, redis_executable
from tests.engines.workplace import GONE, TASK

#: Of one name in every project; ``OWNER`` is a line before it.
PLUGIN = """
import flowrunner

def whose(n):
    with open(JOURNAL, "a") as journal:
        journal.write("ran\\n")
    return [OWNER, n]

def joined(members):
    return [OWNER, *members]

@flowrunner.hookimpl
def flowrunner_register_tasks(registry):
    registry.add(whose)
    registry.add(joined, queue="heavy")
"""
WORKFLOW = """
inputs: {n: {type: integer}}
chord:
  header: [{task: whose, args: ["${inputs.n}"]}, {task: whose, args: ["${inputs.n}"]}]
  body: joined
finally: whose
"""


@dataclass(frozen=True, eq=False)
class Owner:
    """A project on a cluster, with a worker of its own."""

    name: str
    folder: Path
    project: Project
    engine: CeleryEngine
    store: RunStore

    def run(self, n: int) -> tuple[UUID, object]:
        plan = self._plan(n)
        record = new_record(plan, cluster=True, timeout=None)
        self.store.create(record)
        name = driver_name("a test")
        with Drive(record, self.engine, self.store, name=name, warn=print) as drive:
            outcome = drive.to_the_end()
        return record.run, outcome.result

    def _plan(self, n: int) -> Plan:
        return self.project.plan(self.folder / "workflow.yaml", inputs=[f"n={n}"])

    def executions(self) -> int:
        return len((self.folder / "journal").read_text().splitlines())


@contextmanager
def owner(
    name: str, namespace: str | None, address: ClusterAddress, tmp_path: Path
) -> Iterator[Owner]:
    folder = tmp_path / name
    folder.mkdir()
    journal = folder / "journal"
    plugin = f"OWNER, JOURNAL = {name!r}, {str(journal)!r}\n{PLUGIN}"
    (folder / "theirs.py").write_text(plugin, encoding="utf-8")
    (folder / "workflow.yaml").write_text(WORKFLOW, encoding="utf-8")
    project = Project(
        Settings(
            plugins=(PluginReference("theirs.py", "the test", folder),),
            broker=address.broker,
            backend=address.backend,
            namespace=namespace,
        )
    )
    environment = {"FLOWRUNNER_PLUGINS": "theirs.py", "FLOWRUNNER_NAMESPACE": namespace or ""}
    options = ("-Q", "celery,heavy", "-n", f"{name}@here")
    with (
        Worker(address, folder, *options, environment=environment),
        project.celery_engine() as engine,
    ):
        store = project.run_store()
        assert store is not None
        yield Owner(name, folder, project, engine, store)


def assert_apart(owners: dict[Owner, int]) -> None:
    """Run so many workflows of each project at once, and look whether anything crosses."""
    with ThreadPoolExecutor(8) as threads:
        ran = {each: [threads.submit(each.run, n) for n in range(owners[each])] for each in owners}
    for each, futures in ran.items():
        ended = [future.result() for future in futures]
        assert [result for _, result in ended] == [
            [each.name, [each.name, n], [each.name, n]] for n in range(len(ended))
        ]
        assert each.executions() == 3 * len(ended)
        assert {summary.run for summary in each.store.list(limit=10_000)} == {
            run for run, _ in ended
        }
        assert list(Workers(each.engine.app).known({"celery"})) == [f"{each.name}@here"]
    first, *others = owners
    Workers(first.engine.app).revoke(["unwanted"])
    assert Workers(first.engine.app).ask("revoked") == [(f"{first.name}@here", ["unwanted"])]
    for each in others:
        assert Workers(each.engine.app).ask("revoked") == [(f"{each.name}@here", [])]


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Redis]:
    """A Redis server that has nothing in it."""
    if redis_executable() is None:
        without("redis-server")
    with Redis(tmp_path) as running:
        yield running


def test_nothing_crosses_between_projects_on_one_redis(shared: Redis, tmp_path: Path) -> None:
    address = ClusterAddress(shared.url(0), shared.url(0))
    with ExitStack() as stack:
        shop, bank, old = (
            stack.enter_context(owner(name, namespace, address, tmp_path))
            for name, namespace in (("shop", "shop"), ("bank", "bank"), ("old", None))
        )
        assert_apart({shop: 100, bank: 100, old: 20})
        keys = {key.decode() for key in RedisClient.from_url(address.broker).scan_iter()}
    named = {key for key in keys if key.startswith(("shop:", "bank:"))}
    assert {"shop:flowrunner:runs", "bank:flowrunner:runs", "flowrunner:runs"} < keys
    # What flowrunner without a namespace has always called its keys.
    usual = ("_kombu.", "celery-task", "flowrunner:", "unacked")
    assert not [key for key in keys - named if not key.startswith(usual) and "pidbox" not in key]
    assert not [key for key in keys - named if "shop" in key or "bank" in key]


def test_nothing_crosses_between_projects_on_one_rabbitmq(
    rabbitmq: RabbitMQ, shared: Redis, tmp_path: Path
) -> None:
    address = ClusterAddress(rabbitmq.url(), shared.url(0))
    with (
        owner("shop", "shop", address, tmp_path) as shop,
        owner("bank", "bank", address, tmp_path) as bank,
    ):
        assert_apart({shop: 20, bank: 20})


def test_messages_under_a_prefix_are_found_while_they_wait_and_when_their_worker_has_died(
    shared: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowrunner.engines.workers.QUERY_ANSWER", 0.01)
    client, task_id = RedisClient.from_url(shared.url(0)), TASK
    with CeleryEngine(
        tasks(),
        configure=lambda app: None,
        broker=shared.url(0),
        backend=shared.url(0),
        namespace="shop",
    ) as engine:
        cluster, app = Cluster(engine.app), engine.app
        app.send_task("tag", task_id=task_id)
        found = whereabouts(cluster, [task_id], ["shop.celery"])
        assert (found.queued, found.held) == ({task_id}, set())
        waiting = client.lrange("shop:shop.celery", 0, -1)
        client.delete("shop:shop.celery")
        message = json.loads(waiting[0])
        message["headers"][OWNER] = f"{GONE} {time()}"
        client.hset("shop:unacked", "a tag", json.dumps([message, "", "shop.celery"]))
        client.zadd("shop:unacked_index", {"a tag": time()})
        found = whereabouts(cluster, [task_id], ["shop.celery"])
        assert (found.queued, found.held) == (set(), {task_id})
        assert Redelivery(app, every=10).look() == 1
        assert client.llen("shop:shop.celery") == 1


def test_plugins_cannot_leave_the_namespace() -> None:
    def configure(app: Celery) -> None:
        app.conf.update(
            task_default_queue="jobs",
            broker_transport_options={"visibility_timeout": 60, "global_keyprefix": "all:"},
            control_exchange="theirs",
            task_queues=[
                Queue("jobs", Exchange("jobs"), routing_key="jobs"),
                Queue("logs", Exchange("logs", type="topic"), routing_key="logs.#"),
            ],
        )

    settings = producer_settings("redis://", "redis://")
    app = build_app(tasks(), settings, configure=configure, namespace="shop")
    assert app.conf.broker_transport_options["global_keyprefix"] == "all:shop:"
    assert app.conf.control_exchange == "shop.theirs"
    queues = {
        queue.name: (queue.exchange.name, queue.exchange.type, queue.routing_key)
        for queue in app.amqp.queues.values()
    }
    assert queues == {
        "shop.jobs": ("shop.jobs", "direct", "shop.jobs"),
        "shop.logs": ("shop.logs", "topic", "logs.#"),
    }
    assert app.amqp.default_queue.name == "shop.jobs"
    assert app.amqp.router.route({"queue": "logs"}, "tag")["queue"].name == "shop.logs"
    assert app.amqp.queues["shop.jobs"] is app.amqp.queues["jobs"]


def test_without_a_namespace_everything_is_called_as_ever() -> None:
    settings = producer_settings("redis://", "redis://")
    app = build_app(tasks(), settings, configure=lambda app: None)
    assert app.conf.control_exchange == "celery"
    assert app.amqp.default_queue.name == "celery"
    assert "global_keyprefix" not in app.conf.broker_transport_options
    assert not app.conf.result_backend_transport_options
