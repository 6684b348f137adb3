"""Continuations: the task that publishes the next part of a plan, and where the parts are kept.

A worker of an existing Celery app knows the task when it includes this module::

    celery -A package.module worker --include flowrunner.engines.continuation
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from celery import shared_task, states
from celery.canvas import Signature, maybe_signature

from flowrunner.engines import worker_facts  # noqa: F401  # its workers tell of themselves
from flowrunner.planner.continuations import CONTINUE

__all__ = ["GUARDED", "PartLostError", "forget_parts", "leave_to_its_part", "store_parts"]

#: What the guard of flowrunner's own workers marks a request with that it has looked at.
GUARDED: Final = "guarded_by_flowrunner"


class PartLostError(RuntimeError):
    """The next part of a plan is not where it was stored."""


def store_parts(backend: Any, parts: Mapping[str, Signature]) -> None:
    """Keep in a result backend what continuations will publish, by their task ids."""
    for task_id, canvas in parts.items():
        text = json.dumps(canvas, separators=(",", ":"))
        # As text: some backends keep nothing else.
        backend.set(_key(backend, task_id), b64encode(zlib.compress(text.encode())).decode())


def forget_parts(backend: Any, task_ids: Iterable[str]) -> None:
    """Delete what was kept for these continuations."""
    for task_id in task_ids:
        backend.delete(_key(backend, task_id))


def _key(backend: Any, task_id: str) -> Any:
    return backend.get_key_for_task(f"flowrunner-part-{task_id}")


# Shared: every Celery app of the process can have it, it needs nothing of any of them.
@shared_task(name=CONTINUE, bind=True, ignore_result=False, trail=False)  # type: ignore[untyped-decorator]
def continue_run(self: Any, *given: Any) -> None:
    """Publish the part of a plan that comes after this task, with what this task was given.

    A message that a broker delivers once more, after the part was published, changes nothing.
    """
    guarded = getattr(self.request, GUARDED, False)
    if not guarded and self.backend.get_state(self.request.id) == states.SUCCESS:
        leave_to_its_part(self.request)
        return
    stored = self.backend.get(_key(self.backend, self.request.id))
    if stored is None:
        raise PartLostError(
            "the rest of the workflow is no longer in the result backend: it has expired "
            "(result_expires), or the backend was emptied or restarted without persistence"
        )
    canvas = maybe_signature(json.loads(zlib.decompress(b64decode(stored))), app=self.app)
    request = self.request
    if not request.chord:
        canvas.apply_async(given)
        return
    canvas.apply_async(
        given, chord=request.chord, group_id=request.group, group_index=request.group_index
    )
    leave_to_its_part(request)


def leave_to_its_part(request: Any) -> None:
    """Let the chord that a continuation is a member of wait for its part's last call instead."""
    request.chord = None
