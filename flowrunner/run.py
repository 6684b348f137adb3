"""One run of a plan: its main part, then ``on_error`` and ``finally``, each exactly once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from flowrunner.errors import BrokerError, FlowrunnerError
from flowrunner.plan import Handler, Plan
from flowrunner.planner.handlers import handler_plan

if TYPE_CHECKING:
    from flowrunner.engines.protocol import Engine
    from flowrunner.runs.outcome import Outcome, RunState
    from flowrunner.runs.run_ledger import RunLedger

__all__ = ["InterruptedRunError", "run_plan"]


class InterruptedRunError(KeyboardInterrupt):
    """Ctrl-C, after what was queued was cancelled and what ran has ended."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("interrupted")
        self.outcome = outcome


def run_plan(
    plan: Plan,
    engine: Engine,
    *,
    ledger: RunLedger | None = None,
    run: UUID | None = None,
    timeout: float | None = None,
) -> Outcome:
    """Run a plan on an engine that has been started, and return how it ended.

    ``ledger`` follows the run while it goes on. ``timeout`` is in seconds and wins over the
    plan's own; each handler is given as much again. Raises :class:`InterruptedRunError` for
    Ctrl-C and :class:`~flowrunner.errors.EngineError` when the engine cannot run it.
    """
    from flowrunner.runs.run_ledger import RunLedger

    limit = timeout if timeout is not None else plan.timeout
    return _Run(plan, engine, ledger or RunLedger(plan), run or uuid4(), limit).to_its_end()


class _Run:
    """What has become of a run so far."""

    def __init__(
        self, plan: Plan, engine: Engine, ledger: RunLedger, run: UUID, timeout: float | None
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._ledger = ledger
        self._run = run
        self._timeout = timeout
        self._started = datetime.now(UTC)
        self._state: RunState = "SUCCESS"
        self._result: Any = None
        self._has_result = False
        self._reasons: list[str] = []
        self._interrupts = 0

    def to_its_end(self) -> Outcome:
        """Run every part that is due and return how it all ended."""
        self._run_main()
        for handler in self._plan.handlers:
            if handler.name == "on_error" and self._state != "FAILURE":
                self._ledger.handlers["on_error"].leave_out()
            elif self._interrupts > 1:
                self._reasons.append(f"'{handler.name}' did not run")
            else:
                self._run_handler(handler)
        outcome = self._outcome()
        if self._interrupts:
            raise InterruptedRunError(outcome)
        return outcome

    def _run_main(self) -> None:
        from flowrunner.engines.protocol import RunStalledError, RunTimeoutError

        ledger = self._ledger.main
        try:
            result = self._engine.run(
                self._plan,
                run=self._run,
                ledger=ledger,
                timeout=self._timeout,
                patient=True if self._plan.handlers else None,
            )
        except (RunTimeoutError, RunStalledError) as error:
            self._end("FAILURE", str(error))
        except BrokerError as error:
            if not self._plan.handlers:
                raise
            names = " and ".join(f"'{handler.name}'" for handler in self._plan.handlers)
            raise BrokerError(f"{error}; so {names} did not run") from error
        except KeyboardInterrupt as error:
            self._interrupted(error, "interrupted")
        else:
            if ledger.failed:
                self._end("FAILURE")
            else:
                self._result, self._has_result = result, True

    def _run_handler(self, handler: Handler) -> None:
        from flowrunner.engines.messages import message_of
        from flowrunner.engines.protocol import RunTimeoutError
        from flowrunner.runs.outcome import handler_input

        ledger = self._ledger.handlers[handler.name]
        last = handler is self._plan.handlers[-1]
        try:
            self._engine.run(
                handler_plan(self._plan, handler, handler_input(self._outcome())),
                run=self._run,
                ledger=ledger,
                timeout=self._timeout,
                patient=False if self._interrupts else None if last else True,
            )
        except RunTimeoutError:
            self._end("FAILURE", f"'{handler.name}' took longer than {self._timeout:g} s")
        except FlowrunnerError as error:
            self._end("FAILURE", f"'{handler.name}': {error}")
        except KeyboardInterrupt as error:
            self._interrupted(error, f"'{handler.name}' was interrupted")
        except Exception as error:  # whatever it is, how the main part ended is told
            said = f"{type(error).__name__}: {message_of(error)}"
            self._end("FAILURE", f"BUG: '{handler.name}' did not run: {said}")
        else:
            if ledger.failed:
                self._end("FAILURE")

    def _interrupted(self, error: KeyboardInterrupt, reason: str) -> None:
        self._end("REVOKED", reason)
        self._interrupts += 1
        # A second Ctrl-C comes while the engine is about to leave because of the first.
        earlier = error.__context__
        while earlier is not None:
            self._interrupts += isinstance(earlier, KeyboardInterrupt)
            earlier = earlier.__context__

    def _end(self, state: RunState, reason: str = "") -> None:
        """Note that a part did not succeed: the first that did not decides the run's state."""
        if self._state == "SUCCESS":
            self._state = state
        if reason:
            self._reasons.append(reason)

    def _outcome(self) -> Outcome:
        from flowrunner.runs.outcome import Outcome

        return Outcome(
            self._run,
            self._plan.name,
            self._state,
            self._started,
            datetime.now(UTC),
            self._result,
            tuple(self._ledger.errors),
            tuple(self._ledger.skipped()),
            "; ".join(self._reasons),
            self._has_result,
        )
