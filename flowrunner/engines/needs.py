"""What a plan, or a task that workflows can call, needs of a cluster: queues, tasks and time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from celery import Celery

from flowrunner.engines.app_fitness import nesting_in_workers
from flowrunner.engines.celery_patches.apps import execution_options
from flowrunner.errors import EngineError
from flowrunner.message_format import ACCUMULATE, message_task
from flowrunner.plan import Call, Plan
from flowrunner.raised import described
from flowrunner.tasks import TaskRegistry

__all__ = [
    "Lasting",
    "Need",
    "Needs",
    "needs_of_calls",
    "needs_of_plan",
    "needs_of_registry",
    "needs_of_tasks",
]


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


#: Options of a call that decide which queue it goes to.
_ROUTING: Final = ("queue", "exchange", "routing_key")

#: A queue, and a task that is to come from it.
Need = tuple[str, str]


def needs_of_calls(app: Celery, calls: Iterable[Call]) -> list[Need]:
    """Return the queues that calls use, each with the tasks that are to come from it."""
    examples: dict[tuple[Any, ...], tuple[str, Call]] = {}
    for call in calls:
        # Celery's own map task goes to a queue as itself and then calls the plan's task.
        message = message_task(call.kind, call.task)
        routing = tuple(call.options.get(option) for option in _ROUTING)
        examples.setdefault((message, call.task, routing), (message, call))
    return sorted(
        {
            (_queue(app, message, call.options, call.args, dict(call.kwargs)), call.task)
            for message, call in examples.values()
        }
    )


def needs_of_tasks(app: Celery, registry: TaskRegistry) -> list[Need]:
    """Return the same for every task that workflows can call, without a call's own options."""
    return sorted(
        (_queue(app, definition.name, definition.routing, (), {}), definition.name)
        for definition in registry
    )


def _queue(app: Celery, message: str, options: Any, args: Any, kwargs: Any) -> str:
    task = app.tasks.get(message)
    own = {} if task is None else execution_options(task)
    given = {name: value for name, value in own.items() if value is not None}
    try:
        route = app.amqp.router.route({**given, **options}, message, args, kwargs, task)
    except Exception as error:  # the router is the app's own function
        raise EngineError(
            f"the app cannot say where task '{message}' goes: {described(error)}"
        ) from error
    queue = route.get("queue")
    return str(getattr(queue, "name", queue) or app.amqp.default_queue.name)
