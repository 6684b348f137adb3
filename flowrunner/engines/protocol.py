"""What an engine is: something that takes a plan and runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID, uuid5

from flowrunner.errors import EngineError, Finding
from flowrunner.plan import Call, Plan
from flowrunner.runs.unfolding import Unfolding

__all__ = ["Engine", "RunLostError", "RunStalledError", "RunTimeoutError", "task_id", "task_ids"]


class RunTimeoutError(EngineError):
    """A run took longer than it was given."""


class RunStalledError(EngineError):
    """Nothing is queued or running and yet the run has not ended."""


class RunLostError(EngineError):
    """The result backend has lost what it stored of a run, which therefore cannot go on."""


class Engine(Protocol):
    """Runs plans, any number of them, one after another or side by side.

    An engine is a context manager: it is started on entry and leaves nothing behind on exit.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What has been found so far that runs can do with, until it matters."""

    @property
    def calls_here(self) -> int:
        """How many calls run in this process at a time, at most; 0 where workers run them."""

    def check(self, plan: Plan) -> None:
        """Raise :class:`~flowrunner.errors.WorkflowError` for what this engine cannot run.

        The handlers' calls are looked at as well: what cannot run is told before the run.
        Raises :class:`~flowrunner.errors.BrokerError` for what no worker would run.
        """

    def cancel(self, plan: Plan, *, run: UUID, terminate: bool = False) -> None:
        """Let none of a run's tasks start any more, from any thread.

        Those that have not started end as revoked, and :meth:`run` returns when the others have
        ended. ``terminate`` ends these as well, where the engine can.
        """

    def plain_workers(self, plan: Plan) -> Sequence[str]:
        """Return the workers that may run a plan's calls and keep less of an exception."""

    def run(
        self,
        plan: Plan,
        *,
        run: UUID,
        ledger: Unfolding,
        timeout: float | None,
        patient: bool | None = None,
        queued: bool = False,
        on_queued: Callable[[], None] | None = None,
    ) -> Any:
        """Run a plan's main part to its end, noting every state in the ledger.

        Returns the run's value, or ``None`` when a call has failed: the ledger says which.
        ``timeout`` is in seconds. Raises :class:`RunTimeoutError`, :class:`RunStalledError`,
        :class:`RunLostError` or another :class:`~flowrunner.errors.EngineError`. A
        :class:`KeyboardInterrupt` cancels what is queued, waits for what runs in this process, and
        is raised again; a second one does not wait. ``patient`` asks to wait for what runs
        elsewhere too, because something comes after it, or not to wait at all. ``queued`` says
        that somebody has queued it already; ``on_queued`` is called when it has been queued here.
        """


def task_ids(plan: Plan, run: UUID) -> dict[str, str]:
    """Return the task id of every call, by path."""
    return {call.path: task_id(call, run) for call in plan.calls()}


def task_id(call: Call, run: UUID) -> str:
    """Return the id of a call's task.

    Ids are ``uuid5(run, path)``: the same call of the same run always has the same id. One that is
    made again has another.
    """
    return str(uuid5(run, f"{call.path}~{call.tries}" if call.tries else call.path))
