"""What each worker says of itself when everything is asked that a run may depend on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from time import time
from typing import Any, Final

from flowrunner.engines.conf import Conf, conf_of
from flowrunner.engines.in_time import in_time
from flowrunner.engines.worker_facts import FACTS, plugins_told
from flowrunner.engines.workers import (
    QUERY_ANSWER,
    WORKER_ANSWER,
    Worker,
    Workers,
    workers_of,
)
from flowrunner.planner.continuations import CONTINUE

__all__ = ["WorkerReport", "ask_reports"]

#: Seconds beyond what workers are given for their answers: connecting takes a while.
SLACK: Final = 2.0

Answers = list[tuple[str, Any]]


@dataclass(frozen=True)
class WorkerReport:
    """A worker; ``None`` is what it did not tell.

    ``ahead`` is how far its clock is ahead of this machine's, at the least and at the most, in
    seconds. ``flowrunner`` is the version that it has. ``same_name`` says how many workers have
    its name: what is told then is one's, and nobody knows whose. ``silent`` names the questions
    that it did not answer; ``prefetch_count`` is how many messages it takes at a time.
    """

    name: str
    worker: Worker
    conf: Conf = field(default_factory=Conf)
    pool: str | None = None
    concurrency: int | None = None
    flowrunner: str | None = None
    ahead: tuple[float, float] | None = None
    same_name: int = 1
    silent: tuple[str, ...] = ()
    prefetch_count: int | None = None

    @property
    def prefetch_multiplier(self) -> float | None:
        """How many messages it takes for each task that it can run; 0 is any number.

        By its command line, which ``conf`` does not tell, or by its configuration. What waits for
        its time counts as well in ``prefetch_count``: that tells too many, never too few.
        """
        told = self.conf.prefetch_multiplier
        if self.prefetch_count is None or not self.concurrency:
            return told
        counted = self.prefetch_count / self.concurrency
        return counted if not told or not counted else min(counted, told)

    @property
    def shares_connections(self) -> bool:
        """Whether its tasks run in one process, and so share one pool of connections."""
        return self.pool is not None and bool(re.search("thread|gevent|eventlet", self.pool))


def ask_reports(workers: Workers) -> tuple[WorkerReport, ...]:
    """Return what all workers say, within some seconds; nothing when none answers.

    Raises what the broker's client raises when it is away.
    """
    if not workers.ask("active_queues", timeout=WORKER_ANSWER, limit=1):
        return ()
    work: dict[str, Callable[[], Answers]] = {
        "active_queues": partial(workers.ask, "active_queues"),
        "registered": partial(workers.ask, "registered"),
        "stats": partial(workers.ask, "stats"),
        "conf": partial(workers.ask, "conf", arguments={"with_defaults": True}),
    }
    found = in_time(QUERY_ANSWER + SLACK, work)
    answers = {name: answer if isinstance(answer, list) else [] for name, answer in found.items()}
    known = workers_of(answers["active_queues"], answers["registered"])
    ours = sorted(name for name, worker in known.items() if CONTINUE in worker.tasks)
    asked_at = time()
    # Others would log that there is no such command.
    facts = workers.ask(FACTS, workers=ours, limit=len(ours)) if ours else []
    told = {"facts": dict(facts), **{name: dict(answer) for name, answer in answers.items()}}
    count = Counter(name for name, _ in answers["active_queues"])
    return tuple(
        _report(
            name,
            worker,
            {kind: _mapping(by_worker.get(name)) for kind, by_worker in told.items()},
            asked_at=asked_at,
            same_name=count[name],
        )
        for name, worker in sorted(known.items())
    )


def _report(
    name: str,
    worker: Worker,
    told: Mapping[str, Mapping[str, Any]],
    *,
    asked_at: float,
    same_name: int,
) -> WorkerReport:
    facts, pool = told["facts"], _mapping(told["stats"].get("pool"))
    clock, now = facts.get("time"), time()
    return WorkerReport(
        name=name,
        worker=replace(worker, plugins=plugins_told(facts)),
        conf=conf_of(told["conf"]),
        pool=pool.get("implementation") or facts.get("pool"),
        concurrency=pool.get("max-concurrency") or facts.get("concurrency"),
        flowrunner=facts.get("flowrunner"),
        ahead=(clock - now, clock - asked_at) if isinstance(clock, (int, float)) else None,
        same_name=same_name,
        prefetch_count=told["stats"].get("prefetch_count"),
        silent=tuple(kind for kind in ("conf", "stats") if not told[kind]),
    )


def _mapping(answer: Any) -> Mapping[str, Any]:
    """Return an answer that is a mapping, and no report of an error; else an empty one."""
    found: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    return {} if set(found) == {"error"} else found
