"""Calls that have ended although their own results are missing: what follows them tells.

A task that replaces itself (``Task.replace``) where results are ignored leaves no result under its
id. Its chord has counted it, and a call that needs its result can only start after it.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from time import monotonic
from typing import Any, Final

from celery import Celery, states
from celery.backends.redis import RedisBackend

from flowrunner.engines.canvas import header_id
from flowrunner.engines.celery_patches.backends import keeps_chords_in_order
from flowrunner.engines.step_errors import stored_error
from flowrunner.engines.stored_results import read_meta, stored_values
from flowrunner.plan import Call, Fork, Item
from flowrunner.runs.step_state import StepState
from flowrunner.runs.unfolding import Unfolding

__all__ = ["ImpliedEnds", "next_calls"]

#: Seconds between looks at what follows calls that have not ended: at most a quarter of the time.
LOOK_EVERY: Final = 0.5
SHARE: Final = 3
#: Values that are read at once.
PAGE: Final = 1_000


class ImpliedEnds:
    """Notes in a ledger the calls that have ended without a result of their own."""

    def __init__(self, app: Celery, ledger: Unfolding, task_id: Callable[[Call], str]) -> None:
        self._backend: Any = app.backend
        self._ledger = ledger
        self._task_id = task_id
        self._waiting: set[str] = set()
        self._due = 0.0
        self._members: dict[int, tuple[Fork, dict[int, int]]] = {}

    def look(self) -> None:
        """Look at what follows the calls that were already open at the last look."""
        began = monotonic()
        if began < self._due:
            return
        steps = list(self._ledger.expected())
        before, self._waiting = self._waiting, {step.call.path for step in steps}
        if self.note([step for step in steps if step.call.path in before], near=True):
            # What comes next may have ended in the same way.
            self._waiting |= {step.call.path for step in self._ledger.expected()}
            return
        ended = monotonic()
        self._due = ended + max(LOOK_EVERY, SHARE * (ended - began))

    def note(self, steps: Iterable[StepState], *, near: bool = False) -> bool:
        """Note those of these calls that have ended; tell whether there are some.

        ``near`` looks at some of the calls that follow, the next ones first, instead of all.
        """
        every = list(steps)
        counted = self._counted(every)
        for step in every:
            if step.call.path in counted:
                self._note_counted(step, *counted[step.call.path])
        rest = [step for step in every if step.call.path not in counted]
        following = {
            step.call.path: list(_near(step) if near else self._ledger.needing(step))
            for step in rest
        }
        metas = self._metas({call.path: call for calls in following.values() for call in calls})
        found = bool(counted)
        for step in rest:
            known = [metas[call.path] for call in following[step.call.path] if call.path in metas]
            if known:
                found = True
                self._note_followed(step, known)
        return found

    def _metas(self, calls: Mapping[str, Call]) -> dict[str, dict[str, Any]]:
        """Return what the result backend has of calls, by path."""
        found: dict[str, dict[str, Any]] = {}
        every = list(calls.values())
        for start in range(0, len(every), PAGE):
            page = every[start : start + PAGE]
            keys = [self._backend.get_key_for_task(self._task_id(call)) for call in page]
            for call, value in zip(page, stored_values(self._backend, keys), strict=True):
                if value is not None:
                    found[call.path] = read_meta(self._backend, value)
        return found

    def _note_followed(self, step: StepState, following: Iterable[Mapping[str, Any]]) -> None:
        """Note a call's success, unless its chord says that it failed."""
        ids = [self._task_id(step.call), self._task_id(_last_call(step))]
        for meta in following:
            error = stored_error(step.call, meta) if meta["status"] == states.FAILURE else None
            if error is None or error.type != "ChordError":
                continue
            told = next((found for each in ids if (found := _raised(error.message, each))), None)
            if told is not None:
                error = replace(error, type=told[0], message=told[1], traceback="")
                self._ledger.record(step.call.path, states.FAILURE, error)
                return
        self._ledger.record(step.call.path, states.SUCCESS)

    def _note_counted(self, step: StepState, state: str, result: Any) -> None:
        path = step.call.path
        if state == states.SUCCESS:
            is_last = _last_call(step).path == path
            self._ledger.record(path, state, result=(lambda: result) if is_last else None)
        else:
            error = stored_error(step.call, {"result": result})
            self._ledger.record(path, states.FAILURE, error)

    def _counted(self, steps: Iterable[StepState]) -> dict[str, tuple[str, Any]]:
        """Return the state and the result of the members that a chord in Redis has counted.

        The chord keeps them until it queues its body, and longer if a member has failed. They are
        those of the last call of each member; all calls before it have ended.
        """
        backend = self._backend
        if not isinstance(backend, RedisBackend) or not keeps_chords_in_order(backend):
            return {}
        members = {step.call.path: place for step in steps if (place := self._place(step))}
        if not members:
            return {}
        with backend.client.pipeline(transaction=False) as pipeline:
            for join, number in members.values():
                group = header_id(self._task_id(join))
                pipeline.zrangebyscore(backend.get_key_for_group(group, ".j"), number, number)
            entries = pipeline.execute()
        found = {}
        for path, entry in zip(members, entries, strict=True):
            if entry:
                _, _, state, result = backend.decode(entry[0])
                found[path] = (state, result)
        return found

    def _place(self, step: StepState) -> tuple[Call, int] | None:
        """Return the join of the fork that a call is a member of, and the member's number."""
        outer = step.outer
        if outer is None:
            return None
        fork = outer.sequence[outer.position]
        assert isinstance(fork, Fork), "BUG: a call's outer step joins members"  # noqa: S101
        known = self._members.get(id(fork))
        if known is None or known[0] is not fork:
            numbers = {id(member): number for number, member in enumerate(fork.members)}
            known = self._members[id(fork)] = (fork, numbers)
        return fork.join, known[1][id(step.sequence)]


def next_calls(step: StepState) -> Iterator[Call]:
    """Yield what is queued once a call has ended: the next call, some of a fork, or the join."""
    following = step.sequence[step.position + 1 : step.position + 2]
    if following:
        yield from _some_calls(following[0])
    elif step.outer is not None:
        yield step.outer.call


def _last_call(step: StepState) -> Call:
    last = step.sequence[-1]
    return last.join if isinstance(last, Fork) else last


def _near(step: StepState) -> Iterator[Call]:
    """Yield some of the calls that need a call's result: the next ones, fewer the further away."""
    place: StepState | None = step
    while place is not None:
        items, distance = place.sequence[place.position + 1 :], 1
        while distance <= len(items):
            yield from _some_calls(items[distance - 1])
            distance *= 2
        if items:
            yield from _some_calls(items[-1])
        place = place.outer
        if place is not None:
            yield place.call


def _some_calls(item: Item) -> Iterator[Call]:
    """Yield a call, or of a fork the first calls of some members and the call that joins them."""
    if isinstance(item, Call):
        yield item
        return
    for number in {0, len(item.members) // 2, len(item.members) - 1}:
        yield from islice(_some_calls(item.members[number][0]), 1)
    yield item.join


def _raised(text: str, task_id: str) -> tuple[str, str] | None:
    """Return type and message of the error that a chord names, if it is this task's."""
    _, found, error = text.partition(f"Dependency {task_id} raised ")
    if not found:
        return None
    kind, _, arguments = error.partition("(")
    with suppress(ValueError, SyntaxError):
        value = literal_eval(f"({arguments.removesuffix(')')},)")
        if len(value) == 1 and isinstance(value[0], str):
            return kind, value[0]
    return kind, arguments.removesuffix(")")
