"""Patches of Celery's apps, tasks and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from celery import Celery
from celery._state import _set_task_join_will_block, task_join_will_block
from celery.app.task import Task

__all__ = [
    "change_backends",
    "change_replacements",
    "execution_options",
    "forget_connections",
    "pin_settings",
    "restoring_join_rule",
    "wrap_task",
    "wrapped_method",
]

_Function = Callable[..., Any]
#: Takes a task and a function of it; returns the function that runs instead.
_Wrapper = Callable[[Any, _Function], _Function]

#: Marks an ``on_replace`` that is changed already.
_CHANGED: Final = "flowrunner_changes_replacements"


def wrap_task(task: Any, wrap: _Wrapper, attributes: Mapping[str, Any]) -> None:
    """Put ``wrap`` around the function of a task, and these attributes into its class.

    Changes: the class of the task, ``celery.app.task.Task.run``, ``celery.app.task.Task.__call__``.
    Reason: Celery reads ``__call__``, ``Request`` and ``before_start`` from a task's class when it
    builds the tracer, and an app's tasks are instances of classes that other apps may share.
    Checked: Celery 5.7.0. Issue: none known.
    """
    kind = type(task)
    own = {"__module__": kind.__module__, **attributes}
    if kind.__call__ is Task.__call__:
        task.run = wrap(task, task.run)
    else:  # Celery calls the task itself, which may do anything before its function
        own["__call__"] = wrapped_method(kind.__call__, wrap)
    task.__class__ = type(kind.__name__, (kind,), own)


def wrapped_method(method: _Function, wrap: _Wrapper) -> _Function:
    """Return a method of tasks with ``wrap`` around it, for :func:`wrap_task`.

    Changes: nothing by itself.
    Reason: a method belongs to a class, and ``wrap`` needs the task.
    Checked: Celery 5.7.0. Issue: none known.
    """

    @wraps(method)
    def wrapped(task: Any, /, *args: Any, **kwargs: Any) -> Any:
        return wrap(task, lambda *a, **k: method(task, *a, **k))(*args, **kwargs)

    return wrapped


def change_replacements(task: Any, change: Callable[[Any, Any], None]) -> None:
    """Let ``change`` see a task and the signature that is to replace it, before it is queued.

    Changes: ``celery.app.task.Task.on_replace``.
    Reason: ``Task.replace`` gives the replacement the task's id, and not its ``ignore_result``.
    Checked: Celery 5.7.0. Issue: none known.
    """
    if hasattr(task.on_replace, _CHANGED):
        return
    on_replace = task.on_replace

    @wraps(on_replace)
    def changed(replacement: Any) -> Any:
        change(task, replacement)
        return on_replace(replacement)

    setattr(changed, _CHANGED, True)
    task.on_replace = changed


def execution_options(task: Any) -> dict[str, Any]:
    """Return the options with which a task is queued unless the call says otherwise.

    Uses: ``celery.app.task.Task._get_exec_options``.
    Reason: ``apply_async`` hands these to the router; no public method returns them.
    Checked: Celery 5.7.0. Issue: none known.
    """
    options: dict[str, Any] = task._get_exec_options()
    return options


def pin_settings(app: Celery, pinned: Mapping[str, Any]) -> None:
    """Let these settings win, whatever the environment's ``CELERY_…`` variables say.

    Changes: the class of ``celery.app.base.Celery.conf``, with attributes in place of the
    properties of ``celery.app.utils.Settings``.
    Reason: those properties read the environment at each look, before the configuration.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/celery/issues/4284
    """
    app.conf.update(pinned)
    kind = type(app.conf)
    object.__setattr__(app.conf, "__class__", type(kind.__name__, (kind,), dict(pinned)))
    forget_connections(app)


def forget_connections(app: Celery) -> None:
    """Let an app connect anew, with the settings that it has now.

    Changes: ``celery.app.base.Celery._backend_cache``, ``celery.app.base.Celery._local``,
    ``celery.app.base.Celery._pool``, ``celery.app.amqp.AMQP._producer_pool``.
    Reason: an app keeps what it has connected, whatever is changed in its configuration later;
    ``Celery.close()`` would also forget the app's tasks.
    Checked: Celery 5.7.0. Issue: none known.
    """
    app._backend_cache = app._local.backend = app._pool = app.amqp._producer_pool = None


def change_backends(app: Celery, change: Callable[[Any], Any]) -> None:
    """Let ``change`` return what an app gets in place of each result backend that it makes.

    Changes: ``celery.app.base.Celery._get_backend``, ``celery.app.base.Celery._backend_cache``,
    ``celery.app.base.Celery._local``.
    Reason: an app makes one for each thread, unless it is said to be safe for threads.
    Checked: Celery 5.7.0. Issue: none known.
    """
    make = app._get_backend
    app._get_backend = lambda: change(make())
    app._backend_cache = app._local.backend = None


def restoring_join_rule() -> Callable[[], None]:
    """Return what undoes that a worker of this process forbids ``result.get()`` everywhere in it.

    Uses: ``celery._state._set_task_join_will_block``.
    Reason: the rule is a variable of the whole process, which a worker sets and never resets.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/celery/issues/3189
    """
    before = task_join_will_block()
    return lambda: _set_task_join_will_block(before)
