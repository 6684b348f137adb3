"""How flowrunner's own workers receive messages: the consumer, and the request for a message.

The consumer is Celery's, and outlives a restart of Redis. It logs no body of a message: one that
cannot be read, or whose task is unknown, may hold secrets.

When a connection to Redis drops, kombu closes it and would queue again whatever is not
acknowledged, over the connection that has gone; with Celery 5.7 that ends the worker (``'NoneType'
object has no attribute 'hostname'``). But what runs goes on, and Redis keeps what was delivered by
tags that hold on every connection. So what runs is acknowledged over the next connection, and what
was only waiting is queued again there.
"""

from __future__ import annotations

from typing import Any, Final
from warnings import catch_warnings, simplefilter

from celery import states
from celery.exceptions import CPendingDeprecationWarning
from celery.utils.log import get_logger
from celery.worker import state
from celery.worker.consumer import Consumer as CeleryConsumer

from flowrunner.engines.celery_patches.brokers import acknowledge_tag, unacknowledged_tags
from flowrunner.engines.celery_patches.workers import PatchedRequest
from flowrunner.engines.message_secrets import learn_of_message
from flowrunner.engines.redelivery import stamp_messages
from flowrunner.engines.run_flags import is_task_of_a_run
from flowrunner.engines.secret_arguments import SECRETS
from flowrunner.masking import masked_data
from flowrunner.planner.continuations import CONTINUE
from flowrunner.raised import message_of

__all__ = ["Consumer", "Request"]

logger = get_logger(__name__)

#: What the log has in place of a message's body.
NOT_SHOWN: Final = "not shown: it may hold secrets"


class Consumer(CeleryConsumer):  # type: ignore[misc]
    """Keeps what runs when its connection to Redis drops; shows no message's body."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # By delivery tag, whether it is to be queued again: what the next connection has to say.
        self._unsaid: dict[str, bool] = {}
        super().__init__(*args, **options)

    @property
    def is_on_redis(self) -> bool:
        """Whether delivery tags hold on every connection."""
        return bool(self.conninfo.transport.driver_type == "redis")

    def call_soon_ack(self, p: Any, *args: Any, **options: Any) -> Any:
        """Acknowledge or reject a message, soon."""
        return super().call_soon_ack(_Reply(self, p) if self.is_on_redis else p, *args, **options)

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        """Let go of a connection that has dropped."""
        if self.is_on_redis:
            self._keep_what_runs()
        with catch_warnings():  # that Celery 6 would end what runs unless it is told not to
            simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)

    def _keep_what_runs(self) -> None:
        running = {request.message.delivery_tag for request in tuple(state.active_requests)}
        for channel in list(self.connection.transport.channels):
            channel.do_restore = False
            waiting = unacknowledged_tags(channel.qos) - running
            self._unsaid |= dict.fromkeys(waiting, True)

    def on_ready(self) -> None:
        """Say what could not be said before, over a connection that is new."""
        super().on_ready()
        if self.is_on_redis:
            stamp_messages(self.task_consumer.channel.qos)
        while self._unsaid:
            tag, requeue = next(iter(self._unsaid.items()))
            self._settle(tag, requeue)
            del self._unsaid[tag]

    def reply_later(self, tag: str, *, requeue: bool) -> None:
        """Acknowledge a message of a connection that has gone, or queue it again."""
        try:
            self._settle(tag, requeue)
        except (*self.connection_errors, AttributeError):  # there is no new one yet
            logger.info("Message %s is answered when the broker is back.", tag)
            self._unsaid[tag] = requeue

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Log a message that is no task's, and reject it."""
        super().on_unknown_message(NOT_SHOWN, message)

    def on_unknown_task(self, body: Any, message: Any, exc: BaseException) -> None:
        """Log a message of a task that is not known here, and fail it."""
        super().on_unknown_task(NOT_SHOWN, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: BaseException) -> None:
        """Log a message that is no right one of a task, and reject it."""
        super().on_invalid_task(NOT_SHOWN, message, exc)

    def on_decode_error(self, message: Any, exc: BaseException) -> None:
        """Log a message that cannot be decoded, and acknowledge it; the error has its body too."""
        logger.critical(
            "Can't decode message body: %s [type:%r encoding:%r] (%s bytes, %s)",
            type(exc.__cause__ or exc).__name__,
            message.content_type,
            message.content_encoding,
            len(message.body),
            NOT_SHOWN,
        )
        message.ack()

    def _settle(self, tag: str, requeue: bool) -> None:
        qos = self.task_consumer.channel.qos
        if requeue:
            qos.restore_by_tag(tag)
        else:
            acknowledge_tag(qos, tag)


class _Reply:
    """A message's own method; Celery tells an acknowledgement by ``__self__`` and ``__name__``."""

    def __init__(self, consumer: Consumer, method: Any) -> None:
        self.__self__ = method.__self__
        self.__name__ = method.__name__
        self._consumer = consumer

    def __call__(self, _logger: Any, errors: Any, requeue: bool = False, **_: Any) -> None:
        message = self.__self__
        try:
            if self.__name__ == "ack_log_error":
                message.ack()
            else:
                message.reject(requeue=requeue)
        except (*errors, AttributeError) as error:
            if isinstance(error, AttributeError) and message.channel.connection is not None:
                raise
            self._consumer.reply_later(message.delivery_tag, requeue=requeue)


class Request(PatchedRequest):
    """Learns the secrets of its message, and tells a chord of a member that Celery forgets."""

    def __init__(self, message: Any, *args: Any, **options: Any) -> None:
        super().__init__(message, *args, **options)
        learn_of_message(*self.message_data)

    def info(self, safe: bool = False) -> Any:
        """Return what ``inspect`` shows: of a message with secrets the names, not the values."""
        return super().info(safe=safe or SECRETS in self.message_data[0])

    def send_event(self, kind: str, **fields: Any) -> None:
        """Send an event of the task, without secrets."""
        super().send_event(kind, **masked_data(fields))

    def after_stored_success(self, meta: dict[str, Any]) -> bool:
        """Tell the chord of a member, and whether the message is done then."""
        context = self.task_context
        if not context.chord or not is_task_of_a_run(self.id):
            return True
        if self.task.name == CONTINUE:  # its part has taken its place in the chord
            return True
        try:
            self.task.backend.on_chord_part_return(context, states.SUCCESS, meta["result"])
        except Exception as error:
            logger.warning("Task %s comes again to tell its chord: %s", self.id, message_of(error))
            return False
        return True
