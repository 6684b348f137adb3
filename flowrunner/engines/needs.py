"""What a plan, or whatever workflows can call, needs of a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from celery import Celery

from flowrunner.engines.app_fitness import nesting_in_workers
from flowrunner.engines.routing import Need, needs_of_calls, needs_of_tasks
from flowrunner.message_format import ACCUMULATE
from flowrunner.plan import Call, Plan
from flowrunner.tasks import TaskRegistry

__all__ = ["Lasting", "Needs", "needs_of_plan", "needs_of_registry"]


@dataclass(frozen=True)
class Lasting:
    """A task and the seconds that its message is held for."""

    task: str
    seconds: float


@dataclass(frozen=True)
class Needs:
    """The queues and the tasks, and how long messages may be held.

    ``continuing`` is what continuations need. ``countdown`` is the longest one; ``limit`` the
    longest time limit, ``late_limit`` that of a task which says itself that it acknowledges late.
    ``waiting`` are the queues of the calls that have a countdown.
    ``nesting`` is how many headers a worker queues one inside another. ``one_canvas`` is what the
    plan costs without continuations, in bytes.
    """

    calls: tuple[Need, ...] = ()
    continuing: tuple[Need, ...] = ()
    of_plan: bool = False
    timeout: float | None = None
    countdown: Lasting | None = None
    limit: Lasting | None = None
    late_limit: Lasting | None = None
    waiting: tuple[Need, ...] = ()
    nesting: int = 0
    one_canvas: int = 0


def needs_of_plan(app: Celery, plan: Plan) -> Needs:
    """Return what a plan needs, with its handlers."""
    calls = list(plan.every_call())
    delayed = [call for call in calls if call.options.get("countdown")]
    waits = [Lasting(call.task, call.options["countdown"]) for call in delayed]
    names = {(call.task, _own_limit(call)) for call in calls}
    return Needs(
        calls=tuple(needs_of_calls(app, (call for call in calls if call.kind != "continuation"))),
        continuing=tuple(
            needs_of_calls(app, (call for call in calls if call.kind == "continuation"))
        ),
        of_plan=True,
        timeout=plan.timeout,
        countdown=_longest(waits),
        limit=_longest(_limits(app, names, late=None)),
        late_limit=_longest(_limits(app, names, late=True)),
        waiting=tuple(needs_of_calls(app, delayed)),
        nesting=nesting_in_workers(plan),
        one_canvas=max(
            canvas.bytes
            for canvas in (plan.one_canvas, *(handler.one_canvas for handler in plan.handlers))
        ),
    )


def needs_of_registry(app: Celery, registry: TaskRegistry) -> Needs:
    """Return what workflows may need: every task that they can call, or the default queue."""
    names = {(definition.name, None) for definition in registry}
    calls = needs_of_tasks(app, registry)
    return Needs(
        calls=tuple(calls or [(str(app.amqp.default_queue.name), ACCUMULATE)]),
        limit=_longest(_limits(app, names, late=None)),
        late_limit=_longest(_limits(app, names, late=True)),
    )


def _own_limit(call: Call) -> Any:
    return call.options.get("time_limit") or call.options.get("soft_time_limit")


def _limits(
    app: Celery, names: Iterable[tuple[str, Any]], *, late: bool | None
) -> Iterable[Lasting]:
    for name, own in names:
        task = app.tasks.get(name)
        limit = own or getattr(task, "time_limit", None) or getattr(task, "soft_time_limit", None)
        limit = limit or app.conf.task_time_limit or app.conf.task_soft_time_limit
        if limit and (late is None or bool(getattr(task, "acks_late", False)) is late):
            yield Lasting(name, float(limit))


def _longest(lasting: Iterable[Lasting]) -> Lasting | None:
    return max(lasting, key=lambda each: (each.seconds, each.task), default=None)
