"""The calls of a run that are nowhere any more: neither queued nor at a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from itertools import islice
from threading import Thread
from typing import Any, Final

from celery import states

from flowrunner.engines.cluster import Cluster
from flowrunner.engines.implied_ends import ImpliedEnds, next_calls
from flowrunner.engines.protocol import RunStalledError
from flowrunner.engines.run_flags import COMES_AGAIN
from flowrunner.engines.whereabouts import Whereabouts, whereabouts
from flowrunner.plan import Call
from flowrunner.runs.step_state import PENDING, RETRY, STARTED, StepError, StepState
from flowrunner.runs.unfolding import Unfolding

__all__ = ["LostCalls", "Question"]

#: Seconds without any change after which the workers are asked what they run.
LOST_AFTER: Final = 5.0
#: Seconds within which a worker may answer that has answered before (it may be busy), and within
#: which flowrunner's workers bring back what a dead one had; its claim on a chord holds a minute.
COMES_AGAIN_WITHIN: Final = 120.0
#: The same for one that has never answered: it may have been busy all the time.
STRANGER_SILENT_FOR: Final = 300.0
#: Calls that workers are asked for at once, of those that would be next.
MOST_ASKED: Final = 1_000
#: Paths and workers that a message names.
MOST_NAMED: Final = 3

_OPEN: Final = frozenset({PENDING, STARTED, RETRY})


class LostCalls:
    """Finds the calls of a run that no worker will end, and notes in the ledger that they failed.

    ``acks_late`` names the tasks whose messages come again when their worker dies.
    """

    def __init__(
        self,
        cluster: Cluster,
        ledger: Unfolding,
        task_id: Callable[[Call], str],
        acks_late: Set[str],
        implied: ImpliedEnds,
    ) -> None:
        self._cluster = cluster
        self._ledger = ledger
        self._task_id = task_id
        self._acks_late = acks_late
        self._implied = implied
        self._suspects: set[str] = set()
        self._seen = cluster.workers
        self._solo: frozenset[str] = frozenset()
        self._workers: dict[str, str] = {}
        self._come_again: set[str] = set()  # paths of calls that late acks bring again

    def note(self, path: str, meta: Mapping[str, Any]) -> None:
        """Note where a call has started, if the result backend says so."""
        result = meta["result"]
        if meta["status"] != STARTED or not isinstance(result, dict) or "hostname" not in result:
            return
        self._workers[path] = result["hostname"]
        if result.get(COMES_AGAIN):
            self._come_again.add(path)
        else:
            self._come_again.discard(path)

    def worker_of(self, path: str) -> str | None:
        """Return the worker on which a call has started; it is forgotten here."""
        return self._workers.pop(path, None)

    def ask(self) -> Question:
        """Ask, in the background, where the calls are that would be next."""
        steps = {self._task_id(step.call): step for step in self._ledger.expected()}
        some = dict(islice(steps.items(), MOST_ASKED))
        following = {task_id: list(next_calls(step)) for task_id, step in some.items()}
        calls = [step.call for step in some.values()]
        calls += {call.path: call for each in following.values() for call in each}.values()
        ids = {task_id: set(map(self._task_id, each)) for task_id, each in following.items()}
        queues = {queue for queue, _ in self._cluster.needs(calls)}
        return Question(self._cluster, some, ids, queues, self._ledger.changes)

    def judge(self, question: Question, unchanged: float) -> None:
        """Note what is lost, when nothing has happened for ``unchanged`` seconds.

        A call is lost if two questions in a row find it neither queued nor at a worker. It fails
        if it had started and its worker does not know it: the worker was restarted, or the task
        raised Celery's ``Ignore`` or ``Reject``. Raises
        :class:`~flowrunner.engines.protocol.RunStalledError` if every call that would be next is
        lost, since then nothing can change any more.
        """
        found = question.found
        before, self._suspects = self._suspects, set()
        if found is None or question.changes != self._ledger.changes:
            return
        steps = question.steps
        self._seen |= found.answered
        self._solo |= found.solo
        gone = self._seen - self._solo
        if unchanged >= STRANGER_SILENT_FOR:
            gone |= set(self._workers.values()) - self._solo
        nowhere = steps.keys() - found.at_workers - found.queued
        # A call that needs its result is queued, or at a worker: so it has ended.
        somewhere = found.at_workers | found.queued
        nowhere -= {task_id for task_id in nowhere if question.following[task_id] & somewhere}
        if self._implied.note(steps[task_id] for task_id in nowhere):
            return
        self._suspects = {
            task_id
            for task_id in nowhere
            if self._is_at_one_of(steps[task_id], found.answered)
            and self._is_lost_for_good(steps[task_id])
        }
        if unchanged >= COMES_AGAIN_WITHIN:
            self._suspects |= {
                task_id
                for task_id in nowhere
                if (
                    self._is_at_one_of(steps[task_id], found.answered | gone)
                    if steps[task_id].state == states.STARTED
                    else unchanged >= COMES_AGAIN_WITHIN + self._cluster.held_for(steps[task_id])
                )
            }
        lost = self._suspects & before
        for task_id in lost:
            step, worker = steps[task_id], self._workers.get(steps[task_id].call.path)
            if worker in found.answered and self._is_lost_for_good(step):
                self._ledger.record(step.call.path, states.FAILURE, _lost_error(step.call, worker))
        still = {task_id for task_id, step in steps.items() if step.state in _OPEN}
        if still and still <= lost:
            raise RunStalledError(self._stalled([steps[task_id] for task_id in still], found))

    def _is_at_one_of(self, step: StepState, workers: frozenset[str]) -> bool:
        return self._workers.get(step.call.path) in workers

    def _is_lost_for_good(self, step: StepState) -> bool:
        """Tell whether a call runs that no message brings again."""
        comes_again = step.call.task in self._acks_late or step.call.path in self._come_again
        return step.state == states.STARTED and not comes_again

    def _stalled(self, steps: list[StepState], found: Whereabouts) -> str:
        paths = sorted(step.call.path for step in steps)
        workers = {self._workers[path] for path in paths if path in self._workers}
        silent = self._seen - found.answered
        why = [f"last seen on {_some(workers)}"] if workers else []
        if silent:
            why.append(f"not answering: {_some(silent)}")
        if found.held:
            why.append("delivered to a worker that is gone")
        because = f" ({'; '.join(why)})" if why else ""
        return (
            f"the run has stalled: nothing of it is queued or running any more, and no result has "
            f"come from {_some(paths)}{because}"
        )


class Question:
    """Where tasks are, asked in a thread: workers are given a second or two to answer.

    ``following`` are the ids of tasks that need the result of each. ``found`` is ``None`` until
    ``answered``, and where the broker is away.
    """

    def __init__(
        self,
        cluster: Cluster,
        steps: Mapping[str, StepState],
        following: Mapping[str, set[str]],
        queues: set[str],
        changes: int,
    ) -> None:
        self.steps = steps
        self.following = following
        self.changes = changes
        self.found: Whereabouts | None = None
        self._cluster = cluster
        self._queues = queues
        self._thread = Thread(target=self._ask, name="flowrunner-whereabouts", daemon=True)
        self._thread.start()

    @property
    def answered(self) -> bool:
        """Whether all has been asked."""
        return not self._thread.is_alive()

    def _ask(self) -> None:
        with suppress(*self._cluster.connection_errors):
            ids = set(self.steps).union(*self.following.values())
            self.found = whereabouts(self._cluster, ids, self._queues)


def _some(names: Iterable[str]) -> str:
    first, rest = sorted(names)[:MOST_NAMED], len(set(names)) - MOST_NAMED
    return ", ".join(first) + (f" and {rest:,} more" if rest > 0 else "")


def _lost_error(call: Call, worker: str | None) -> StepError:
    return StepError(
        call,
        "TaskLostError",
        f"the task started on {worker}, which does not run it any more, and left no result: the "
        f"worker was restarted, the task raised Celery's Ignore or Reject, or it replaced itself "
        f"by a task that stores no result (ignore_result)",
        worker=worker,
    )
