"""A message as flowrunner's own workers have it: what Celery forgets when a process is killed."""

from __future__ import annotations

from typing import Any

from celery import states
from celery.utils.log import get_logger

from flowrunner.engines.celery_patches.workers import PatchedRequest
from flowrunner.engines.message_secrets import learn_of_message
from flowrunner.engines.messages import message_of
from flowrunner.engines.run_flags import is_task_of_a_run
from flowrunner.engines.secret_arguments import SECRETS
from flowrunner.masking import masked_data
from flowrunner.planner.continuations import CONTINUE

__all__ = ["Request"]

logger = get_logger(__name__)


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
