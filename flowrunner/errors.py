"""The errors that flowrunner raises, and the diagnostics and findings that they carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from flowrunner.budget import BudgetUsedUpError
from flowrunner.source import Location

__all__ = [
    "BrokerError",
    "ConfigurationError",
    "Diagnostic",
    "EngineError",
    "Finding",
    "FlowrunnerError",
    "PluginError",
    "PublishingError",
    "SecondInterrupt",
    "Severity",
    "UnfinishedRunError",
    "UnfitClusterError",
    "WorkflowError",
    "count_interrupts",
    "is_first_interrupt",
    "used_up",
]


@dataclass(frozen=True)
class Diagnostic:
    """One problem, its place and its cure.

    ``message`` says what is wrong, ``location`` where (``None`` when it has no place in
    any text), ``label`` stands beside the caret, ``notes`` follow the excerpt.
    """

    message: str
    location: Location | None = None
    label: str = ""
    notes: tuple[str, ...] = ()


def used_up(error: BudgetUsedUpError) -> Diagnostic:
    """Return what to say of a file whose budget is used up."""
    return Diagnostic(
        "the file takes too much work to check",
        error.location,
        "the limit was reached here" if error.location is not None else "",
        ("do the work in a task, or pass the data to a task without an expression",),
    )


class FlowrunnerError(Exception):
    """The root of every error that flowrunner raises on purpose."""


class WorkflowError(FlowrunnerError):
    """A workflow, or the inputs given to it, cannot be run.

    ``diagnostics`` holds every problem that was found, in the order of the file.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("; ".join(_summary(each) for each in self.diagnostics))


def _summary(diagnostic: Diagnostic) -> str:
    if diagnostic.location is None:
        return diagnostic.message
    return f"{diagnostic.location}: {diagnostic.message}"


class ConfigurationError(FlowrunnerError):
    """A setting is wrong; the message names the setting, its origin and the cure."""


class PluginError(FlowrunnerError):
    """A plugin cannot be loaded or used; the message names the plugin."""


class EngineError(FlowrunnerError):
    """An engine cannot run a plan; the message says why and what to do."""


class BrokerError(EngineError):
    """The broker or the result backend cannot be reached or cannot run workflows."""


class PublishingError(BrokerError):
    """The broker has gone while a run was being queued: some of it may be there."""


class UnfinishedRunError(BrokerError):
    """A server has gone after a run was queued, some of it or all.

    ``state`` is what is recorded of the run: ``STARTED`` where another driver may go on with it.
    """

    def __init__(self, message: str, *, run: str, workflow: str, state: str) -> None:
        super().__init__(message)
        self.run = run
        self.workflow = workflow
        self.state = state


class SecondInterrupt(KeyboardInterrupt):
    """The second Ctrl-C during a run: leave without waiting for the tasks that run.

    It has a class of its own because it can replace the first :class:`KeyboardInterrupt` while
    that still propagates.
    """


def count_interrupts(error: KeyboardInterrupt) -> int:
    """Return how many times Ctrl-C was pressed, as far as an exception and its context tell."""
    if isinstance(error, SecondInterrupt):
        return 2
    count, earlier = 1, error.__context__
    while earlier is not None:
        count += isinstance(earlier, KeyboardInterrupt)
        earlier = earlier.__context__
    return count


def is_first_interrupt(error: BaseException) -> bool:
    """Return whether an exception is a Ctrl-C that asks to wait for the tasks that run."""
    return isinstance(error, KeyboardInterrupt) and count_interrupts(error) == 1


class UnfitClusterError(BrokerError):
    """What is checked before a run is not as it has to be: ``findings`` say what, with the cure."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(
            "; ".join(f"{each.what}; {each.cure}" for each in self.findings).replace("\n", " ")
        )

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings as diagnostics, which have no place in a file."""
        return tuple(
            Diagnostic(each.what, notes=tuple(filter(None, (each.why, each.cure_with_commands))))
            for each in self.findings
        )


Severity: TypeAlias = Literal["error", "warning", "ok"]


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and how it is.

    ``what`` says that; of an error or a warning ``why`` says why it matters and ``cure`` what to
    do. The lines of a cure after its first one are commands, to be typed as they are.
    """

    severity: Severity
    check: str
    what: str
    why: str = ""
    cure: str = ""

    @property
    def cure_with_commands(self) -> str:
        """The cure, each command on a line of its own that begins with two blanks."""
        return self.cure.replace("\n", "\n  ")
