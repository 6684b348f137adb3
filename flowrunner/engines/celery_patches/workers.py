"""Patches of Celery's workers: requests, pools, and what they log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.utils.log import LoggingProxy
from celery.worker.request import Request

__all__ = [
    "PatchedRequest",
    "has_terminal",
    "hide_bodies",
    "is_logging_itself",
    "receive_first",
    "redirect_prints",
]


class PatchedRequest(Request):  # type: ignore[misc]
    """A worker's request, with public names for what flowrunner's own request needs.

    Changes: ``celery.worker.request.Request._success_was_stored``; uses
    ``celery.worker.request.Request._request_dict``, ``celery.worker.request.Request._body``,
    ``celery.worker.request.Request._payload``, ``celery.worker.request.Request._context``.
    Reason: when the process of a chord's member is killed after its result was stored, Celery
    acknowledges the message and the chord never counts the member. And secrets have to be known
    before a message is logged.
    Checked: Celery 5.7.0. Issue: none known.
    """

    @property
    def message_data(self) -> tuple[dict[str, Any], Any, Any]:
        """The mapping that the pool is given, the message's body, and the body decoded."""
        return self._request_dict, self._body, self._payload

    @property
    def task_context(self) -> Any:
        """The request as the task sees it."""
        return self._context

    def after_stored_success(self, meta: dict[str, Any]) -> bool:
        """Tell whether a message is done whose process died after it had stored its result."""
        return True

    def _success_was_stored(self) -> Any:
        meta = super()._success_was_stored()
        return meta if not meta or self.after_stored_success(meta) else False


def hide_bodies(pool: Any) -> None:
    """Keep a worker's pool from logging the bodies of messages at the level ``DEBUG``.

    Changes: ``celery.concurrency.base.BasePool._does_debug``.
    Reason: bodies may hold secrets.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/celery/issues/3113
    """
    pool._does_debug = False


def has_terminal(worker: Any) -> bool:
    """Tell whether a worker writes to a terminal, whose ``SIGHUP`` then ends it.

    Uses: ``celery.apps.worker.Worker._isatty``.
    Reason: Celery installs its handlers of signals after the same look.
    Checked: Celery 5.7.0. Issue: none known.
    """
    return bool(worker._isatty)


def redirect_prints(app: Celery, redirect: Callable[..., Any]) -> None:
    """Let ``redirect`` put something in the places of a worker's stdout and stderr.

    Changes: ``celery.app.log.Logging.redirect_stdouts_to_logger``.
    Reason: Celery logs each ``write``, and ``print("a", "b")`` writes four times.
    Checked: Celery 5.7.0. Issue: https://github.com/celery/celery/issues/9721
    """
    app.log.redirect_stdouts_to_logger = redirect


def is_logging_itself(proxy: LoggingProxy) -> bool:
    """Tell whether a stream that is logged is written to by the logger itself.

    Uses: ``celery.utils.log.LoggingProxy._thread``.
    Reason: what a logger says of its own errors would be logged without end.
    Checked: Celery 5.7.0. Issue: none known.
    """
    return bool(getattr(proxy._thread, "recurse_protection", False))


def receive_first(signal: Any, receive: Callable[..., Any]) -> None:
    """Connect a receiver to one of Celery's signals, before every other receiver.

    Changes: the order of ``celery.utils.dispatch.signal.Signal.receivers``.
    Reason: receivers are called in the order in which they were connected, and any other may
    print arguments before secrets are known.
    Checked: Celery 5.7.0. Issue: none known.
    """
    name = receive.__name__
    signal.connect(receive, weak=False, dispatch_uid=name)
    signal.receivers.sort(key=lambda receiver: receiver[0][0] != name)
