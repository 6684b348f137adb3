"""Whole floats among a call's arguments, which a function hinted ``int`` gets as integers.

They are converted before they are queued: plain workers convert nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from celery import Celery

from flowrunner import plan
from flowrunner.hints.adapter import Adapter, ValidationError
from flowrunner.tasks import signature_of

__all__ = ["WholeNumbers", "whole_numbers"]


class WholeNumbers:
    """Converts the arguments of an app's tasks, as far as their functions are at hand."""

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
