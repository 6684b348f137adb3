"""One message's turn to run its task: taken, waited for, or given up.

On a Redis backend it keeps a message that comes twice from running twice (:mod:`.lease`);
elsewhere it knows what was cancelled and what has succeeded.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, Final, NoReturn
from weakref import WeakKeyDictionary

from celery import states
from celery.app.trace import get_actual_ignore_result
from celery.backends.redis import RedisBackend
from celery.exceptions import Ignore, Reject, Retry
from celery.utils.log import get_task_logger

from flowrunner.engines.continuation import leave_to_its_part
from flowrunner.engines.lease import LEASE_LIFE, Answer, Leases
from flowrunner.engines.process_identity import Holder, is_dead, new_holder
from flowrunner.engines.run_flags import cancelled_key, known_key
from flowrunner.engines.stored_results import stored_values
from flowrunner.planner.continuations import CONTINUE

__all__ = ["TaskLostError", "Turn"]

#: Seconds between looks at whether another execution of the same task goes on.
POLL: Final = 0.5
#: How many times a task may come again after its worker died with it.
REDELIVERIES: Final = 3
#: Seconds after which a message that has given way to another execution looks again.
LATER: Final = 60
#: The header of such a message.
AGAIN: Final = "flowrunner_again"

logger = get_task_logger(__name__)


class TaskLostError(RuntimeError):
    """A task killed its worker each time that it was run."""


class Turn:
    """One message's turn, asked for and then taken."""

    def __init__(self, backend: Any, request: Any) -> None:
        self._backend = backend
        self._request = request
        self._leases = _leases_of(backend)
        self._me = new_holder()
        self._answer: Answer | None = None

    def ask(self, *, started: str = "", dead: Holder | None = None) -> bool:
        """Ask the backend, in one round trip; tell whether ``started`` need not be kept any more.

        It is kept, or the task does not start here and now.
        """
        request = self._request
        if self._leases is None:
            self._answer = _answer_without_leases(self._backend, request)
            return False
        self._answer = self._leases.take(
            request.id,
            root=request.root_id,
            me=self._me,
            attempt=request.retries or 0,
            dead=dead,
            started=started,
        )
        if self._answer.verdict == "taken":
            return not self._answer.stored
        return self._answer.verdict != "unknown"

    def take(self, task: Any, run: Callable[[], Any]) -> Any:
        """Run the task's function, or return what it has given before.

        Raises Celery's ``Ignore`` where it is not to run, and :class:`TaskLostError`.
        """
        answer = self._await(task)
        if answer.verdict == "unknown":
            return run()
        if answer.stored and (meta := self._meta(answer))["status"] in states.READY_STATES:
            self._release()
            if meta["status"] != states.SUCCESS:
                raise Ignore(f"the task has ended before, as {meta['status']}")
            self._pass_on_once(task)
            return meta["result"]
        if answer.lost > REDELIVERIES:
            raise TaskLostError(
                f"the task killed its worker {answer.lost} times: it is not run again"
            )
        return self._run(task, run)

    def _await(self, task: Any) -> Answer:
        """Return what the backend says once no other execution of the task runs."""
        began, dead, waited = monotonic(), None, False
        while True:
            if self._answer is None:
                self._ask_patiently(dead)
            answer, self._answer = self._answer, None
            assert answer is not None, "BUG: it was asked for"  # noqa: S101
            self._heed_flags(answer)
            if answer.verdict != "held" or self._has_ended(answer):
                if waited and answer.verdict == "taken" and task.track_started:
                    self._tell_started()
                return answer
            waited = True
            holder = answer.holder
            if holder is not None and holder != dead and is_dead(holder):
                dead = holder
                continue
            if monotonic() - began > LEASE_LIFE:  # so it has been renewed
                self._give_way(task, answer)
            sleep(POLL)

    def _ask_patiently(self, dead: Holder | None) -> None:
        backend = self._backend
        if self._leases is None:
            self.ask()
            return
        try:
            backend.ensure(lambda: self.ask(dead=dead), ())
        except backend.connection_errors as error:
            # Nothing is known of the run, and nothing could be kept of what the task gives.
            raise Reject(f"the result backend is away: {error}", requeue=True) from error

    def _heed_flags(self, answer: Answer) -> None:
        match answer.verdict:
            case "cancelled":
                # Stored, and no more: no part of a chord is given back, nothing is called.
                self._backend.mark_as_revoked(self._request.id, "the run was cancelled")
                raise Ignore("the run was cancelled")
            case "cancelled-held":
                raise Ignore("the run was cancelled; the task runs elsewhere")
            case "outdated":
                raise Ignore("a later try of the task is on its way")

    def _give_way(self, task: Any, answer: Answer) -> NoReturn:
        """Leave the task to the execution that goes on.

        This may have been the only message that would bring the task back, should that execution
        die: it is queued once more, for later, and takes no place in the pool until then.
        """
        request = self._request
        leases = self._leases
        if leases is not None and leases.first_since(f"again-{request.id}", seconds=LATER):
            task.signature_from_request(
                request,
                request.args,
                request.kwargs,
                countdown=LATER,
                retries=request.retries,
                headers={**(request.headers or {}), AGAIN: True},
            ).apply_async()
        raise Ignore(f"the task runs already: {answer.holder}")

    def _tell_started(self, **more: Any) -> None:
        """Say where the task runs now, in place of what was said before."""
        request = self._request
        told = {"pid": self._me.process, "hostname": request.hostname, **more}
        self._backend.store_result(request.id, told, states.STARTED, request=request)

    def _meta(self, answer: Answer) -> dict[str, Any]:
        meta: dict[str, Any] = self._backend.decode_result(answer.stored)
        return meta

    def _has_ended(self, answer: Answer) -> bool:
        return bool(answer.stored) and self._meta(answer)["status"] in states.READY_STATES

    def _pass_on_once(self, task: Any) -> None:
        """Let Celery go on with a value that the task has given before.

        What comes next has the same ids again, and was queued before the value was kept. It is
        queued once more only for a message that somebody has queued on purpose.
        """
        request = self._request
        logger.info("Task %s[%s] has succeeded before.", task.name, request.id)
        if (request.delivery_info or {}).get("redelivered") or getattr(request, AGAIN, False):
            request.chain = request.callbacks = None
        if task.name == CONTINUE:
            leave_to_its_part(request)

    def _run(self, task: Any, run: Callable[[], Any]) -> Any:
        """Run the function; the lease goes with the result that is kept of it."""
        try:
            value = run()
        except Retry:
            self._release(next_attempt=(self._request.retries or 0) + 1)
            raise
        except Reject:
            self._release()
            raise
        except Ignore as error:
            self._release()
            # What replaces itself does so under the same id (celery/app/task.py, on_replace).
            if task.track_started and str(error) != "Replaced by new task":
                self._tell_started(comes_again=False)
            raise
        if get_actual_ignore_result(task, self._request):
            self._release()
        return value

    def _release(self, next_attempt: int | None = None) -> None:
        leases = self._leases
        if leases is not None:
            self._backend.ensure(
                lambda: leases.release(self._request.id, self._me, next_attempt=next_attempt), ()
            )


_leases: WeakKeyDictionary[Any, Leases] = WeakKeyDictionary()


def _leases_of(backend: Any) -> Leases | None:
    """Return the leases of a result backend; ``None`` for one that is not Redis."""
    if not isinstance(backend, RedisBackend):
        return None
    found = _leases.get(backend)
    if found is None:
        found = _leases[backend] = Leases(backend)
    return found


def _answer_without_leases(backend: Any, request: Any) -> Answer:
    if not hasattr(backend, "mget"):
        return Answer("unknown", None, None, 0)
    keys = [
        known_key(backend, request.root_id),
        cancelled_key(backend, request.root_id),
        backend.get_key_for_task(request.id),
    ]
    known, cancelled, stored = stored_values(backend, keys)
    if known is None:
        return Answer("unknown", None, None, 0)
    return Answer("cancelled" if cancelled else "taken", stored, None, 0)
