"""Lowering: a plan's normal form to Celery's own signatures.

Built explicitly, never with ``|``, whose rewriting depends on what stands on either side. One
lowering serves every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import NAMESPACE_OID, uuid5
from weakref import WeakKeyDictionary

from celery import Celery, chain, chord, group, signature
from celery.canvas import Signature

from flowrunner import plan
from flowrunner.engines.secret_arguments import with_secrets
from flowrunner.hints.adapter import Adapter, ValidationError
from flowrunner.message_format import message_task
from flowrunner.tasks import signature_of

__all__ = ["Canvas", "TaskIds", "WholeNumbers", "header_id", "lower_to_canvas", "whole_numbers"]

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


class WholeNumbers:
    """Converts whole floats among arguments where a function's hints want integers.

    They are converted before they are queued, as far as the functions are at hand: plain workers
    convert nothing.
    """

    def __init__(self) -> None:
        self._adapters: dict[str, Adapter | None] = {}

    def converted(self, call: plan.Call, *, app: Celery, given: bool) -> plan.Call:
        """Return a call with its whole numbers as its function's hints want them.

        ``given`` says that a result comes before the call's own arguments. A number that does not
        fit stays: the worker refuses it.
        """
        adapter = self._adapter(call.task, app)
        if adapter is None or call.kind in ("builtin", "continuation"):
            return call
        try:
            if call.kind == "map":
                return replace(call, args=tuple(adapter.args((item,))[0] for item in call.args))
            if call.kind == "starmap":
                return replace(call, args=tuple(list(adapter.args(item)) for item in call.args))
            before = int(given and not call.immutable)
            args, kwargs = adapter.args(call.args, before), adapter.kwargs(call.kwargs)
        except (ValidationError, TypeError):
            return call
        return replace(call, args=args, kwargs=kwargs)

    def _adapter(self, name: str, app: Celery) -> Adapter | None:
        if name not in self._adapters:
            task = app.tasks.get(name)
            found = None if task is None else Adapter(task.run, signature_of(task.run))
            self._adapters[name] = found if found is not None and found.converts else None
        return self._adapters[name]


_OF_APPS: WeakKeyDictionary[Any, WholeNumbers] = WeakKeyDictionary()


def whole_numbers(app: Celery) -> WholeNumbers:
    """Return what converts the arguments of an app's tasks; it is made once for each app."""
    return _OF_APPS.setdefault(app, WholeNumbers())
