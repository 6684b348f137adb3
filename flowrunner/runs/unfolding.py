"""The ledger of a run that unfolds: of a plan some of which only run time can say.

A driver goes through the plan's tree. The largest pieces that are canvases as they are, *sections*,
are given to the engine; when one has ended, what comes next is decided with the values that it
gave. All that happens follows from the plan and from how its calls have ended: whoever follows
the run later, or resumes it, comes to the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import replace
from queue import Empty
from typing import Any, Final

from flowrunner import plan
from flowrunner.deferred import NO_INPUT, Known, passes_on, resolve, value_or_none
from flowrunner.planner.continuations import sequence_of, with_continuations
from flowrunner.planner.given import given as sequence_given
from flowrunner.planner.normal_form import normal_form
from flowrunner.planner.remaining import rest_of
from flowrunner.runs.activity import Activity, End, Failed, Input, Succeeded, activity_of
from flowrunner.runs.ledger import Ledger
from flowrunner.runs.section import LostResultError, Section
from flowrunner.runs.step_state import (
    FAILURE,
    REVOKED,
    SKIPPED,
    SUCCESS,
    UNNEEDED,
    StepError,
    StepListener,
    StepState,
)

__all__ = ["Unfolding"]


#: The result of a call that has succeeded, which is not stored any more.
LOST: Final = object()


class Unfolding(Ledger):
    """The states of the calls that have come into being so far, and what comes next.

    ``sequence`` is the normal form of a tree that is one canvas: the calls of its only section
    exist before the run begins. ``given`` is what the first steps are given. ``known`` are the
    results that calls of earlier attempts gave, by path, and ``failures`` those of their failures
    that were taken care of: both are used again, unless something before them has run anew.
    ``lost`` are the paths of calls of earlier attempts whose results have expired. Only one thread
    may call :meth:`begin`, :meth:`advance` and :meth:`cancel`.
    """

    def __init__(
        self,
        root: plan.Node,
        sequence: plan.Sequence = (),
        *,
        given: Any = NO_INPUT,
        known: Mapping[str, Any] | None = None,
        failures: Mapping[str, StepError] | None = None,
        lost: Iterable[str] = (),
        on_step: StepListener | None = None,
    ) -> None:
        super().__init__(failures=failures, on_step=on_step)
        #: The paths of the calls whose results, or failures, of earlier attempts are used.
        self.reused: set[str] = set()
        #: Tells whether workers can run these continuations; asked of every section that has some.
        self.can_continue: Callable[[list[plan.Call]], bool] = lambda calls: True
        self._root = root
        self._given = Input(given)
        self._known = known or {}
        if sequence:  # of one canvas, the states are known without the results
            self._known = {**dict.fromkeys(lost, LOST), **self._known}
        self._values: dict[str, Any] = {}
        self._queue: list[plan.Sequence] = []
        self._ends: deque[tuple[Activity | None, int, End]] = deque()
        self._starts: deque[tuple[plan.Node, Input, Activity | None, int]] = deque()
        self._end_of_all: End | None = None
        self._has_begun = False
        self._has_value = True
        self._is_entered = bool(sequence) and not self._failures
        if self._is_entered:
            self._enter_root(sequence)

    def _enter_root(self, sequence: plan.Sequence) -> None:
        if left := self._left(sequence, Input(), None, 0):
            self._root_section = self._entered(left, None, 0, new=True)
        else:
            _, _, end = self._ends.popleft()
            self._finish(end)

    # What engines and observers ask.

    @property
    def ended(self) -> bool:
        """Whether every call has come to its end, and nothing comes after them."""
        root = self._root_section
        return self._end_of_all is not None or (root is not None and not root.open)

    @property
    def failed(self) -> bool:
        """Whether a call has failed or was revoked, and nobody has taken care of that."""
        if self._end_of_all is not None:
            return isinstance(self._end_of_all, Failed)
        return bool(self.errors) or (self._root_section is not None and self._root_section.failed)

    @property
    def value(self) -> Any:
        """The run's value, once it has succeeded."""
        root = self._root_section
        if self._end_of_all is None and root is not None and root.value is not None:
            return root.value()
        assert isinstance(self._end_of_all, Succeeded), "BUG: a run without a value"  # noqa: S101
        return value_or_none(self._end_of_all.value)

    def give(self, value: Any) -> None:
        """Note what its first calls are given."""
        super().give(value)
        self._given = Input(value)

    def begin(self) -> Iterable[plan.Sequence]:
        """Return what an engine is to queue first."""
        self._has_begun = True
        if self._root_section is not None:
            self._as_workers_can(self._root_section.published)
            self._queue.append(self._root_section.published)
        elif not self._is_entered:
            self._starts.append((self._root, self._given, None, 0))
        return self.advance()

    def advance(self) -> Iterable[plan.Sequence]:
        """Return what an engine is to queue now, because of what has ended since."""
        while self._starts or self._ends or self._over:
            while self._starts:
                self._start(*self._starts.popleft())
            while self._over:
                section = self._over.popleft()
                self._ends.append((section.parent, section.slot, self._end_of(section)))
            if self._ends:
                parent, slot, end = self._ends.popleft()
                if parent is None:
                    self._finish(end)
                else:
                    parent.ended(slot, end)
        self._queue += self._due()
        queue, self._queue = self._queue, []
        return queue

    def _end_of(self, section: Section) -> End:
        try:
            return section.end(self.steps)
        except LostResultError:
            if section.parent is not None:
                raise
            self._has_value = False
            return Succeeded(None)

    def cancel(self) -> None:
        """End what is open, and begin nothing more."""
        self.cancelled = True
        if not self._has_begun and self._root_section is None:
            self._finish(Failed((), self.leave([self._root])))
        while not self.ended:
            for step in list(self.expected()):
                self.record(step.call.path, REVOKED)
            self.advance()

    def settle(self) -> None:
        """Note that all has ended well, whatever is kept of it."""
        for step in self.open_steps():
            self.record(step.call.path, SUCCESS)
            step.ended = None
        if not self.ended:
            self._has_value = False
            self._finish(Succeeded(None))

    @property
    def has_value(self) -> bool:
        """Whether it has succeeded with a value that is known."""
        return self._has_value and isinstance(self._end_of_all, Succeeded)

    def leave_out(self) -> None:
        """Note that none of the calls is to run: this is ``on_error``, and there was no error."""
        with self._lock:
            for step in self.steps.values():
                step.state = UNNEEDED
            self._sections.clear()
        self._finish(Succeeded(None))

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds until there may be something to queue, or the end."""
        pause = self.pause
        if not self.ended and not self._over and pause != 0:
            # In C, so that Ctrl-C cannot leave a lock half released, as in a Condition.
            with suppress(Empty):
                self._end.get(timeout=timeout if pause is None else min(timeout, pause))
        return self.ended

    # What activities ask: see runs.activity.Stage.

    def resolve(self, node: plan.Node, given: Input) -> plan.Node:
        """Return a node with everything decided that its beginning needs."""
        return resolve(node, Known(given.value, self._values))

    def start(self, node: plan.Node, given: Input, parent: Activity | None, slot: int) -> None:
        """Begin a node; ``parent`` is told how it has ended."""
        self._starts.append((node, given, parent, slot))

    def end(self, activity: Activity, end: End) -> None:
        """Note how an activity has ended."""
        self._ends.append((activity.parent, activity.slot, end))

    def keep(self, path: str, value: Any) -> None:
        """Keep the value of a step that has a name."""
        self._values[path] = value_or_none(value)

    def leave(self, nodes: Iterable[plan.Node]) -> tuple[str, ...]:
        """Note that nodes will not run, and return the paths of their calls."""
        paths = []
        for node in nodes:
            for call in plan.calls_in(node, certain=True):
                with self._lock:
                    step = StepState(call, (call,), 0, None, state=SKIPPED)
                    self.steps.setdefault(call.path, step)
                paths.append(call.path)
        return tuple(paths)

    def catch(self, failed: Iterable[Failed]) -> None:
        """Note that failures are none of the run's."""
        every = list(failed)
        errors = [error for each in every for error in each.errors]
        caught = {error.call.path for error in errors}
        with self._lock:
            self.caught += errors
            self.errors = [error for error in self.errors if error.call.path not in caught]
            for path in (path for each in every for path in each.skipped):
                self.steps[path].state = UNNEEDED

    # How it unfolds.

    def _start(self, node: plan.Node, given: Input, parent: Activity | None, slot: int) -> None:
        if self.cancelled:
            self._ends.append((parent, slot, Failed((), self.leave([node]))))
            return
        node = self.resolve(node, given)
        while isinstance(node, plan.Given):
            given = replace(given, value=node.value)
            node = node.step
        match node:
            case _ if passes_on(node):
                self._ends.append((parent, slot, given.passed_on))
            case plan.Constant():
                self._ends.append((parent, slot, Succeeded(node.value, new=given.new)))
            case plan.Failing():
                self._fail(node, given, parent, slot)
            case plan.Call():
                self._enter_section((node,), given, parent, slot)
            case _ if plan.is_static(node):
                has_input = given.value is not NO_INPUT
                sequence = (
                    normal_form(node, has_input=has_input)
                    if self._is_whole
                    else sequence_of(node, has_input=has_input).sequence
                )
                self._enter_section(sequence, given, parent, slot)
            case _:
                activity_of(node, given, self, parent, slot).begin()

    def _fail(self, node: plan.Failing, given: Input, parent: Activity | None, slot: int) -> None:
        call = plan.Call(node.path, node.step, node.location)
        error = StepError(call, "ExpressionError", node.message)
        # As new as what it is given: an expression fails in each attempt, if that stays the same.
        self._entered((call,), parent, slot, new=given.new)
        self.record(call.path, FAILURE, error)

    def _enter_section(
        self, sequence: plan.Sequence, given: Input, parent: Activity | None, slot: int
    ) -> None:
        if left := self._left(sequence, given, parent, slot):
            section = self._entered(self._as_workers_can(left), parent, slot, new=True)
            self._queue.append(section.published)

    def _left(
        self, sequence: plan.Sequence, given: Input, parent: Activity | None, slot: int
    ) -> plan.Sequence:
        """Return what is to run of a section; nothing if it ends as in an earlier attempt."""
        if given.value is not NO_INPUT:
            sequence = sequence_given(sequence, given.value)
        if given.new or not (self._known or self._failures):
            return sequence
        whole = plan.without_continuations(sequence)
        calls = list(plan.calls_of(whole))
        if any(call.path in self._failures for call in calls):
            self._fail_again(whole, calls, parent, slot)
            return ()
        rest = rest_of(whole, self._known)
        left = {call.path for call in plan.calls_of(rest.items)}
        self._note_reused(calls, left)
        if not rest.items:
            if rest.value is LOST:
                self._has_value = False
            self._ends.append((parent, slot, Succeeded(rest.value)))
        elif not all(call.path in left for call in calls):
            return rest.items if self._is_whole else with_continuations(rest.items).sequence
        else:
            return sequence
        return ()

    def _as_workers_can(self, sequence: plan.Sequence) -> plan.Sequence:
        """Return a section without its continuations if workers do not know their task."""
        calls = [call for call in plan.calls_of(sequence) if call.kind == "continuation"]
        if not calls or self.can_continue(calls):
            return sequence
        self.leave_out_continuations()
        return plan.without_continuations(sequence)

    def _fail_again(
        self,
        sequence: plan.Sequence,
        calls: Iterable[plan.Call],
        parent: Activity | None,
        slot: int,
    ) -> None:
        """Let a section end as it did in an earlier attempt, which took care of its failure."""
        self._entered(sequence, parent, slot, new=False)
        for call in calls:
            if call.path in self._failures:
                error = replace(self._failures[call.path], call=call)
                self.record(call.path, FAILURE, error)
            elif call.path in self._known:
                self.record(call.path, SUCCESS)
            else:
                continue
            self.reused.add(call.path)

    def _note_reused(self, calls: Iterable[plan.Call], left: Set[str]) -> None:
        with self._lock:
            for call in calls:  # all of them, for the order of the plan
                self.steps[call.path] = StepState(call, (call,), 0, None, state=SUCCESS)
                if call.path not in left and call.path in self._known:
                    self.reused.add(call.path)

    def _finish(self, end: End) -> None:
        self._end_of_all = end
        self._end.put(None)
