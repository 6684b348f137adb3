"""Lowering: a plan's normal form to Celery's own signatures.

Built explicitly, never with ``|``, whose rewriting depends on what stands on either side. One
lowering serves every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from celery import Celery, chain, chord, group, signature
from celery.canvas import Signature

from flowrunner import plan
from flowrunner.engines.secret_arguments import with_secrets
from flowrunner.engines.whole_numbers import WholeNumbers, whole_numbers
from flowrunner.message_format import message_task

__all__ = ["Canvas", "TaskIds", "header_id", "lower_to_canvas"]

#: Gives a call the id that its task has in this run.
TaskIds: TypeAlias = Callable[[plan.Call], str]


@dataclass(frozen=True)
class Canvas:
    """A plan as Celery runs it: what is published at once, and what continuations publish.

    ``parts`` are by the task id of the continuation.
    """

    start: Signature
    parts: Mapping[str, Signature]


def lower_to_canvas(sequence: plan.Sequence, *, app: Celery, task_ids: TaskIds) -> Canvas:
    """Return the canvas of a plan's normal form; its start is ready for ``apply_async()``.

    Every signature carries its own options (Celery does not hand ``queue``, ``priority`` and
    ``headers`` on) and its own id, so that what is published twice is the same twice.
    """
    lowering = _Lowering(app, task_ids, whole_numbers(app))
    return Canvas(lowering.sequence(sequence), lowering.parts)


@dataclass(frozen=True)
class _Lowering:
    app: Celery
    task_ids: TaskIds
    numbers: WholeNumbers
    parts: dict[str, Signature] = field(default_factory=dict)

    def sequence(self, sequence: plan.Sequence, *, given: bool = False) -> Signature:
        """Return a sequence's canvas; ``given`` says that a result comes before it."""
        parts = list(plan.parts_of(sequence))
        for before, part in pairwise(parts):
            continuation = before[-1]
            assert isinstance(continuation, plan.Call), "BUG: a part ends with a call"  # noqa: S101
            self.parts[self.task_ids(continuation)] = self._part(part, given=True)
        return self._part(parts[0], given=given)

    def _part(self, part: plan.Sequence, *, given: bool) -> Signature:
        steps = [self._item(item, given=given or at > 0) for at, item in enumerate(part)]
        if len(steps) == 1:
            return steps[0]
        # With a keyword argument Celery's chain() takes the steps as they are and folds nothing.
        return chain(*steps, app=self.app)

    def _item(self, item: plan.Item, *, given: bool) -> Signature:
        if isinstance(item, plan.Call):
            return self._call(item, given=given)
        members = [self.sequence(member, given=given) for member in item.members]
        body = self._call(item.join, given=True)
        canvas = chord(members, body, app=self.app)
        # Celery would give the group another id each time that it is published. chord() takes
        # a header's members only.
        canvas.tasks = group(members, app=self.app, task_id=header_id(self.task_ids(item.join)))
        return canvas

    def _call(self, call: plan.Call, *, given: bool) -> Signature:
        call = self.numbers.converted(call, app=self.app, given=given)
        if plan.has_secret((call.args, call.kwargs)):
            call = with_secrets(call)
        message = message_task(call.kind, call.task)
        options = {**_kept(self.app, message), **call.options, "task_id": self.task_ids(call)}
        if message != call.task:
            # Celery's xmap() drops options when it is nested; the task behind it does not.
            items = {"task": signature(call.task, app=self.app), "it": list(call.args)}
            return signature(message, kwargs=items, options=options, immutable=True, app=self.app)
        return signature(
            call.task,
            args=call.args,
            kwargs=dict(call.kwargs),
            options=options,
            immutable=call.immutable,
            app=self.app,
        )


def header_id(body_id: str) -> str:
    """Return the id of the group that is a chord's header, by the id of the chord's body."""
    return str(uuid5(NAMESPACE_OID, body_id))


def _kept(app: Celery, message: str) -> dict[str, Any]:
    """Return the options against a task, or an app, that loses or changes what a step gives.

    They ride in the signature: workers queue most of a run's messages.
    """
    task = app.tasks.get(message)
    options: dict[str, Any] = {}
    if task is not None and task.ignore_result:
        options["ignore_result"] = False
    if task is not None and task.serializer not in (None, "json"):
        options["serializer"] = "json"
    return options
