"""Which queue a call goes to, as the app's own router says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from celery import Celery

from flowrunner.engines.celery_patches.apps import execution_options
from flowrunner.errors import EngineError
from flowrunner.message_format import message_task
from flowrunner.plan import Call
from flowrunner.raised import described
from flowrunner.tasks import TaskRegistry

__all__ = ["Need", "needs_of_calls", "needs_of_tasks"]

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
    except Exception as error:  # a router is anybody's function
        raise EngineError(
            f"the app cannot say where task '{message}' goes: {described(error)}"
        ) from error
    queue = route.get("queue")
    return str(getattr(queue, "name", queue) or app.amqp.default_queue.name)
