"""Lowering: a plan's normal form to Celery's own signatures.

Built explicitly, never with ``|``, whose rewriting depends on what stands on either side. One
lowering serves every engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from celery import Celery, chain, chord, signature
from celery.canvas import Signature

from flowrunner import plan

__all__ = ["TaskIds", "lower_to_canvas"]

#: Gives a call the id that its task has in this run.
TaskIds: TypeAlias = Callable[[plan.Call], str]


def lower_to_canvas(sequence: plan.Sequence, *, app: Celery, task_ids: TaskIds) -> Signature:
    """Return the canvas of a plan's normal form, ready for ``apply_async()``.

    Every signature carries its own options (Celery does not hand ``queue``, ``priority`` and
    ``headers`` on) and its own id.
    """
    steps = [_lower_item(item, app, task_ids) for item in sequence]
    if len(steps) == 1:
        return steps[0]
    # With a keyword argument Celery's chain() takes the steps as they are and folds nothing.
    return chain(*steps, app=app)


def _lower_item(item: plan.Item, app: Celery, task_ids: TaskIds) -> Signature:
    if isinstance(item, plan.Call):
        return _lower_call(item, app, task_ids)
    members = [lower_to_canvas(member, app=app, task_ids=task_ids) for member in item.members]
    return chord(members, _lower_call(item.join, app, task_ids), app=app)


def _lower_call(call: plan.Call, app: Celery, task_ids: TaskIds) -> Signature:
    options: dict[str, Any] = {**call.options, "task_id": task_ids(call)}
    if call.kind in ("map", "starmap"):
        # Celery's xmap() drops options when it is nested; the task behind it does not.
        items = {"task": signature(call.task, app=app), "it": list(call.args)}
        return signature(
            f"celery.{call.kind}", kwargs=items, options=options, immutable=True, app=app
        )
    return signature(
        call.task,
        args=call.args,
        kwargs=dict(call.kwargs),
        options=options,
        immutable=call.immutable,
        app=app,
    )
