"""Shapes the way a person writes them by hand in Celery; for the comparison only."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, chain, chord, group
from celery.canvas import Signature

from tests.conformance import tasks_plugin
from tests.conformance.shape import Chain, Chord, Group, Items, Repeat, Shape, Task


def literal_app(broker: str, backend: str) -> Celery:
    """Return a plain Celery app with the tasks of the shapes; workers start ``app``."""
    celery = Celery("literal", broker=broker, backend=backend, set_as_current=False)
    # With Celery's own 10 many runs side by side would wait for each other without end: the
    # comparison is of canvases, not of that.
    celery.conf.broker_pool_limit = 1000
    for function in (tasks_plugin.tag, tasks_plugin.fail):
        celery.task(function, name=function.__name__, shared=False)
    celery.task(tasks_plugin.retry_once.run.__func__, name="retry_once", bind=True, shared=False)
    return celery


def by_hand(shape: Shape, app: Celery) -> Signature:
    """Return the canvas that says the same as the shape."""
    match shape:
        case Task():
            return _call(app, shape, (*shape.literals, shape.label), {})
        case Repeat():
            return group(*_repeated(shape, app))
        case Items(kind="map"):
            return app.tasks[shape.behaviour].map(shape.items())
        case Items(kind="starmap"):
            return app.tasks[shape.behaviour].starmap(shape.items())
        case Items():
            return app.tasks[shape.behaviour].chunks(shape.items(), shape.size).group()
        case Chain(steps):
            return chain(*(by_hand(step, app) for step in steps))
        case Group(members):
            return group(*_members(members, app))
        case Chord(header, body):
            return chord(_members(header, app), by_hand(body, app))
        case _:
            raise TypeError(shape)


def _members(shapes: tuple[Shape, ...], app: Celery) -> list[Signature]:
    members: list[Signature] = []
    for shape in shapes:
        if isinstance(shape, Repeat):
            members += _repeated(shape, app)
        else:
            members.append(by_hand(shape, app))
    return members


def _repeated(call: Repeat, app: Celery) -> list[Signature]:
    return [_call(app, call, (index,), {"label": call.label}) for index in range(call.times)]


def _call(
    app: Celery, call: Task | Repeat, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Signature:
    task = app.tasks[call.behaviour]
    return task.si(*args, **kwargs) if call.immutable else task.s(*args, **kwargs)


app = literal_app(
    os.environ.get("FLOWRUNNER_BROKER", "memory://"), os.environ.get("FLOWRUNNER_BACKEND", "rpc://")
)
