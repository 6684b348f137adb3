"""The checks of things that are hard to plant, on clusters that are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowrunner import __version__
from flowrunner.duration import exact_duration, seconds_of
from flowrunner.engines.checks import CHECKS, Scene, Stage, look
from flowrunner.engines.checks.scene import listed
from flowrunner.engines.conf import conf_of
from flowrunner.engines.needs import Lasting, Needs, needs_of_plan
from flowrunner.engines.server import RedisFacts, Server
from flowrunner.engines.worker_command import WorkerCommand
from flowrunner.engines.workers import Worker, workers_of
from flowrunner.plugin_code import PluginDigest
from flowrunner.plugins import PluginReference
from flowrunner.settings import AppReference, Settings
from tests.engines.plans import call, chain, chord, planned
from tests.engines.scenes import CONF, KNOWN, THREADS, needs, redis, report, scene


@pytest.mark.parametrize(
    ("found", "expected", "what"),
    [
        (scene(), None, ""),
        (
            scene(broker=redis(redis_version="6.0.16")),
            ("error", "redis version"),
            "kombu needs 6.2",
        ),
        (
            scene(backend=redis(redis_version="6.0.16")),
            ("warning", "redis version"),
            "flowrunner is tested on 6.2",
        ),
        (
            scene(backend=redis(maxmemory=100, maxmemory_policy="volatile-lru")),
            ("error", "memory policy"),
            "and it nearly is",
        ),
        (scene(backend=redis(maxmemory=100)), ("warning", "memory policy"), "more than 80%"),
        (scene(broker=redis(maxmemory=1_000, maxmemory_policy="volatile-lru")), None, ""),
        (
            scene(broker=replace(redis(), write_error="MISCONF Redis is configured to save")),
            ("error", "writes"),
            "takes no writes: MISCONF",
        ),
        (scene(broker=replace(redis(), write_error="NOPERM no key")), None, ""),
        (
            scene(report(result_expires=60.0), needs=needs(timeout=90.0)),
            ("error", "result expiry"),
            "result_expires is 1 min, and the run may take 90 s",
        ),
        (
            scene(conf=replace(CONF, chord_expires=600.0)),
            ("warning", "result expiry"),
            "result_chord_expires is 10 min",
        ),
        (
            scene(report(chord_expires=60.0), needs=needs(timeout=90.0)),
            ("error", "result expiry"),
            "result_chord_expires is 1 min, and the run may take 90 s",
        ),
        (scene(conf=replace(CONF, result_expires=0.0)), None, ""),
        (
            scene(report(retry_on_worker_lost=True)),
            ("warning", "lost workers"),
            "task_retry_on_worker_lost is on at one@here",
        ),
        (scene(report(retry_on_worker_lost=False)), None, ""),
        (
            scene(report(acks_late=True, soft_shutdown=0.0)),
            ("warning", "soft shutdown"),
            "worker_soft_shutdown_timeout is 0 at one@here",
        ),
        (scene(report(acks_late=True, soft_shutdown=20.0)), None, ""),
        (scene(report(acks_late=False, soft_shutdown=0.0)), None, ""),
        (
            scene(
                report(visibility_timeout=60.0, acks_late=True),
                conf=replace(CONF, visibility_timeout=60.0),
                needs=needs(limit=Lasting("slow", 120)),
            ),
            ("error", "redelivery"),
            "task 'slow' may run (late acks) for 2 min, and the broker redelivers messages",
        ),
        (scene(needs=needs(limit=Lasting("slow", 7_200))), None, ""),
        (
            scene(needs=needs(late_limit=Lasting("slow", 7_200))),
            ("error", "redelivery"),
            "task 'slow' may run (late acks) for 2 h",
        ),
        (
            scene(report("a@b", same_name=2)),
            ("warning", "node names"),
            "several workers are called a@b",
        ),
        (
            scene(report(pool=THREADS, pool_limit=10), needs=needs(nesting=3)),
            ("error", "connections"),
            "nested 3 deep from 8 tasks at a time, and has 10 connections",
        ),
        (scene(report(pool=THREADS, pool_limit=10), needs=needs(nesting=2)), None, ""),
        (scene(report(pool=THREADS, pool_limit=None), needs=needs(nesting=9)), None, ""),
        (scene(report(pool_limit=10), needs=needs(nesting=10)), None, ""),
        (
            scene(report(pool_limit=10), needs=needs(nesting=11)),
            ("error", "connections"),
            "nested 11 deep from 1 task at a time",
        ),
        (
            scene(report(pool=THREADS, pool_limit=8), needs=Needs(calls=(("celery", "tag"),))),
            ("warning", "connections"),
            "runs 8 tasks in one process, and has 8 connections",
        ),
        (
            scene(report(prefetch_multiplier=4)),
            ("warning", "prefetch"),
            "worker_prefetch_multiplier is 4 on one@here",
        ),
        (scene(report(prefetch_multiplier=4, prefetch_count=8)), None, ""),
        (scene(report(prefetch_multiplier=1, prefetch_count=80)), None, ""),
        (
            scene(report(flowrunner="0.0.1")),
            ("warning", "versions"),
            f"flowrunner is {__version__} here, and 0.0.1 on one@here",
        ),
        (scene(report(flowrunner=None, ahead=None)), None, ""),
        (scene(report(ahead=(59.0, 60.0))), ("warning", "clocks"), "of one@here is 59 s ahead"),
        (scene(report(ahead=(-60.0, -59.0))), ("warning", "clocks"), "one@here is 59 s behind"),
        (scene(report(ahead=(-60.0, 2.0))), None, ""),
        (
            scene(report(silent=("conf",))),
            ("warning", "settings"),
            "one@here did not answer every question",
        ),
        (
            scene(report(), report("two@here", worker=Worker(KNOWN.queues, frozenset()))),
            ("error", "tasks"),
            "two@here may get but not know the task 'tag'",
        ),
        (
            scene(needs=needs(continuing=(("celery", "flowrunner.continue"),), one_canvas=10**7)),
            ("warning", "continuations"),
            "workers do not know flowrunner's continuations: one@here",
        ),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else(
    found: Scene, expected: tuple[str, str] | None, what: str
) -> None:
    wrong = [each for each in look(found) if each.severity != "ok"]
    assert [(each.severity, each.check) for each in wrong] == ([expected] if expected else [])
    assert all(what in each.what and each.why and each.cure for each in wrong)


MINE = PluginDigest("plugins", "abc", "", frozenset({"tag"}))


@pytest.mark.parametrize(
    ("mine", "theirs", "what"),
    [
        (MINE, MINE, None),
        (MINE, replace(MINE, name="/srv/plugins"), None),
        (MINE, replace(MINE, digest="def", tasks=frozenset({"other"})), None),
        (MINE, replace(MINE, digest="def"), "two@here has loaded other code of the plugin plugins"),
        (
            replace(MINE, version="1.1"),
            replace(MINE, digest="def", version="1.0"),
            "the plugin plugins (1.0 there, 1.1 here)",
        ),
    ],
    ids=["same", "same elsewhere", "of no task of the run", "changed", "another version"],
)
@pytest.mark.parametrize("thorough", [True, False])
def test_a_worker_whose_plugin_is_not_as_here_is_named(
    mine: PluginDigest, theirs: PluginDigest, what: str | None, thorough: bool
) -> None:
    there = replace(KNOWN, plugins=(theirs,))
    found = scene(report(), report("two@here", worker=there), plugins=(mine,))
    wrong = [each for each in look(replace(found, thorough=thorough)) if each.severity != "ok"]
    assert [(each.severity, each.check) for each in wrong] == (
        [("warning", "worker plugins")] if what else []
    )
    assert all(what is not None and what in each.what for each in wrong)


def test_a_run_is_warned_of_a_worker_that_lacks_a_task_and_not_refused() -> None:
    found = scene(report(), report("two@here", worker=Worker(KNOWN.queues, frozenset())))
    (only,) = (each for each in look(replace(found, thorough=False)) if each.severity != "ok")
    assert (only.severity, only.check) == ("warning", "tasks")
    assert "two@here may get but not know the task 'tag'" in only.what


def test_rabbitmq_leaves_workers_that_acknowledge_nothing() -> None:
    found = scene(needs=needs(countdown=Lasting("tag", 3_600)))
    on_rabbitmq = replace(found, broker=Server("broker", "amqp://b", "amqp"))
    (only,) = (each for each in look(on_rabbitmq) if each.severity != "ok")
    assert (only.severity, only.check) == ("warning", "redelivery")
    assert "RabbitMQ leaves a worker that acknowledges nothing for 30 min" in only.what


def test_nothing_more_is_asked_of_a_cluster_that_is_of_no_use() -> None:
    broken = replace(scene(), broker=Server("broker", "redis://b", failure="refused"))
    assert {each.check for each in look(broken) if each.severity == "error"} == {"broker"}
    assert "workers" not in {each.check for each in look(broken)}


def test_what_a_server_does_not_tell_is_said() -> None:
    silent = RedisFacts(untold={"info": "NOPERM", "save": "no CONFIG", "time": "no TIME"})
    found = [each for each in look(scene(backend=silent)) if each.severity != "ok"]
    assert {(each.severity, each.check, each.what.partition(": ")[2]) for each in found} == {
        ("warning", "memory policy", "NOPERM"),
        ("warning", "redis version", "NOPERM"),
        ("warning", "persistence", "no CONFIG"),
        ("warning", "clocks", "no TIME"),
    }


def test_a_run_makes_the_quick_checks_only() -> None:
    """They come first in the list, in the order in which a run can make them."""
    stages = [check.stage for check in CHECKS]
    assert stages == sorted(stages)
    assert {check.look.__name__ for check in CHECKS if check.stage == Stage.QUEUING} == {
        *("expiry", "redelivery", "countdowns", "alive", "queues", "tasks", "same_plugins")
    }


def test_a_run_is_not_warned_of_what_redis_does_not_tell() -> None:
    silent = RedisFacts(untold={"info": "NOPERM", "save": "NOPERM", "time": "NOPERM"})
    found = replace(scene(broker=silent, backend=silent), thorough=False)
    assert {each.severity for each in look(found, [Stage.CONNECTING])} == {"ok"}


def test_a_plan_says_how_long_its_messages_are_held() -> None:
    from celery import Celery

    app = Celery("shop", set_as_current=False, task_time_limit=30)
    app.task(name="late", acks_late=True, shared=False)(look)
    app.finalize()
    inner = chord([call("tag"), call("tag")], call("tag"))
    nested = chord([inner, call("tag")], call("tag", time_limit=50))
    needed = needs_of_plan(app, planned(chain(call("late"), call("tag", countdown=9), nested)))
    assert (needed.countdown, needed.limit) == (Lasting("tag", 9), Lasting("tag", 50.0))
    assert (needed.late_limit, needed.nesting) == (Lasting("late", 30.0), 2)


def test_of_two_workers_with_one_name_only_what_both_know_is_known() -> None:
    queues = [("a", [{"name": "q"}]), ("a", [{"name": "p"}]), ("b", {"error": "busy"})]
    tasks = [("a", ["one", "two [rate_limit=1/s]"]), ("a", ["two"])]
    assert workers_of(queues, tasks) == {"a": Worker(frozenset({"p", "q"}), frozenset({"two"}))}


def plugin(name: str, origin: str) -> PluginReference:
    return PluginReference(name, origin)


@pytest.mark.parametrize(
    ("settings", "queues", "lines"),
    [
        (Settings(), [], ["flowrunner worker"]),
        (
            Settings(broker="redis://b/0", backend="redis://b/1"),
            ["a", "b c"],
            ["flowrunner worker --broker redis://b/0 --backend redis://b/1 -Q 'a,b c'"],
        ),
        (
            Settings(broker="redis://:secret@b/0", backend="redis://b/1"),
            [],
            [
                "flowrunner worker --backend redis://b/1  # with FLOWRUNNER_BROKER set: what "
                "stands in them holds a password"
            ],
        ),
        (
            Settings(
                broker="redis://b/0",
                backend="redis://b/1",
                origins={"broker": "/srv/flowrunner.toml", "backend": "FLOWRUNNER_BACKEND"},
            ),
            [],
            ["flowrunner worker --backend redis://b/1"],
        ),
        (
            Settings(app=AppReference("proj", "-A")),
            ["gpu"],
            ["flowrunner worker -A proj -Q gpu", "celery -A proj worker -Q gpu"],
        ),
        (
            Settings(
                app=AppReference("proj", "pyproject.toml"),
                plugins=(plugin("a.py", "--plugin"), plugin("plugins", "pyproject.toml")),
            ),
            [],
            ["flowrunner worker --plugin a.py", "celery -A proj worker"],
        ),
        (
            Settings(namespace="shop", origins={"namespace": "FLOWRUNNER_NAMESPACE"}),
            ["shop.heavy"],
            ["FLOWRUNNER_NAMESPACE=shop flowrunner worker -Q shop.heavy"],
        ),
        (
            Settings(namespace="shop", origins={"namespace": "/srv/flowrunner.toml"}),
            [],
            ["flowrunner worker"],
        ),
    ],
)
def test_the_line_to_type_is_what_a_worker_here_needs(
    settings: Settings, queues: list[str], lines: list[str]
) -> None:
    assert WorkerCommand.of(settings).line(queues).split("\n") == lines


def test_an_apps_own_workers_are_not_named_for_tasks_of_plugins() -> None:
    settings = Settings(app=AppReference("proj", "-A"), plugins=(plugin("a.py", "--plugin"),))
    command = replace(WorkerCommand.of(settings), foreign=frozenset({"power"}))
    ours = "flowrunner worker -A proj --plugin a.py"
    assert command.line([], ["proj.tag"]).split("\n") == [ours, "celery -A proj worker"]
    assert command.line([], ["proj.tag", "power"]) == ours


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(60, 60.0), ("1 day, 0:00:00", 86_400.0), ("0:20:00", 1_200.0), ("<x>", None), (None, None)],
)
def test_times_are_read_as_workers_tell_them(value: Any, seconds: float | None) -> None:
    assert seconds_of(value) == seconds
    assert conf_of({"result_expires": value}).result_expires == seconds


def test_words() -> None:
    assert [exact_duration(each) for each in (1, 60, 90, 120, 3_600, 86_400, 172_800, 2.5)] == [
        *("1 s", "1 min", "90 s", "2 min", "1 h", "1 day", "2 days", "2.5 s")
    ]
    assert [listed("a"), listed("ab"), listed("abc"), listed("abcde")] == [
        *("'a'", "'a' and 'b'", "'a', 'b' and 'c'", "'a', 'b', 'c' and 2 more")
    ]
