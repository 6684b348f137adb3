"""What takes messages for flowrunner's own workers: Celery's, but for one way to die."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer as CeleryConsumer

__all__ = ["Consumer"]

logger = get_logger(__name__)


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Outlives a message that comes from a connection that has gone.

    With Celery 5.7 and Redis a late acknowledgement of one ends the worker: ``'NoneType' object
    has no attribute 'hostname'``.
    """

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Acknowledge or reject a message, soon."""
        return super().call_soon_ack(_Reply(p), *args, **kwargs)


class _Reply:
    """A message's own method; Celery tells an acknowledgement by ``__self__`` and ``__name__``."""

    def __init__(self, method: Any) -> None:
        self.__self__ = method.__self__
        self.__name__ = method.__name__
        self._method = method

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._method(*args, **kwargs)
        except AttributeError:
            channel = self.__self__.channel
            if getattr(channel, "connection", None) is not None:
                raise
            logger.warning(
                "Message %s is of a connection that has gone. It comes again, and its task is "
                "not run again if it has ended well.",
                self.__self__.delivery_tag,
            )
            return None
