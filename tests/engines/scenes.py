"""Clusters that are made up, for the checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowrunner import __version__
from flowrunner.engines.checks import Scene
from flowrunner.engines.conf import Conf
from flowrunner.engines.needs import Needs
from flowrunner.engines.server import RedisFacts, Server
from flowrunner.engines.worker_report import WorkerReport
from flowrunner.engines.workers import Worker

INFO = {
    "redis_version": "7.2.4",
    "maxmemory": 0,
    "maxmemory_policy": "noeviction",
    "used_memory": 90,
    "aof_enabled": 1,
    "role": "master",
}
CONF = Conf(acks_late=False, pool_limit=1_000, prefetch_multiplier=1, result_expires=86_400.0)
KNOWN = Worker(frozenset({"celery"}), frozenset({"tag"}))
REPORT = WorkerReport(
    "one@here",
    KNOWN,
    conf=CONF,
    pool="celery.concurrency.prefork:TaskPool",
    concurrency=8,
    flowrunner=__version__,
    ahead=(-0.1, 0.1),
)


def redis(**info: Any) -> RedisFacts:
    return RedisFacts({**INFO, **info}, save="", ahead=(-0.001, 0.001))


def scene(
    *reports: WorkerReport,
    broker: RedisFacts | None = None,
    backend: RedisFacts | None = None,
    **changes: Any,
) -> Scene:
    """Return a cluster where nothing is wrong but what is said."""
    known = reports or (REPORT,)
    return Scene(
        Server("broker", "redis://b/0", "redis", redis=broker or redis(run_id="b")),
        Server("result backend", "redis://r/0", redis=backend or redis(run_id="r")),
        conf=changes.pop("conf", CONF),
        needs=changes.pop("needs", Needs(calls=(("celery", "tag"),), of_plan=True)),
        workers={report.name: report.worker for report in known},
        reports=known,
        by_default=frozenset({"celery"}),
        thorough=True,
        **changes,
    )


def report(name: str = "one@here", **changes: Any) -> WorkerReport:
    conf = {key: changes.pop(key) for key in list(changes) if hasattr(CONF, key)}
    return replace(REPORT, name=name, conf=replace(CONF, **conf), **changes)


def needs(**changes: Any) -> Needs:
    return Needs(calls=(("celery", "tag"),), of_plan=True, **changes)


THREADS = "celery.concurrency.thread:TaskPool"
