"""What ``apply`` shows while a run goes on and when it has ended."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from queue import SimpleQueue
from threading import Thread, main_thread
from time import sleep
from types import FrameType
from typing import TYPE_CHECKING, Literal

import click

from flowrunner.cli.exit_status import FAILED, INTERRUPTED, SUCCEEDED
from flowrunner.cli.output import (
    print_diagnostics,
    print_json,
    say,
    terminal_width,
    wants_colour,
    wants_unicode,
    write_to_stderr,
)
from flowrunner.environment import without_secrets
from flowrunner.errors import Finding, SecondInterrupt
from flowrunner.plan import Plan, may_run_in_parallel
from flowrunner.render.outcome import failures, headline, result_text
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.run_ledger import RunLedger, RunProgress

if TYPE_CHECKING:
    from flowrunner.engines.protocol import Engine
    from flowrunner.planner.remaining import Remainder
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import RunStore

__all__ = ["announcing_interrupts", "following", "print_outcome", "run_here", "warn", "warn_of"]


@contextmanager
def announcing_interrupts(plan: Plan) -> Iterator[None]:
    """Say on the first Ctrl-C what happens now, and what another one does."""

    told: SimpleQueue[Literal["first", "again", "over"]] = SimpleQueue()
    has_finally = any(handler.name == "finally" for handler in plan.handlers)
    then = ", then running 'finally'" if has_finally else ""

    def announce() -> None:
        while (what := told.get()) != "over":
            if what == "first":
                sys.stderr.write(
                    f"\ncancelling queued tasks, waiting for running tasks{then}; "
                    "Ctrl-C leaves now\n"
                )
            else:
                sleep(0.05)
                signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, leave)
        told.put("first")  # another thread writes: here a second Ctrl-C would be lost
        raise KeyboardInterrupt

    def leave(number: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code is not interrupt.__code__:
            frame = frame.f_back
        if frame is None:
            raise SecondInterrupt
        told.put("again")  # the first has not been raised yet: of both, one would be left

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # somebody handles it already, or it is ignored
        return
    signal.signal(signal.SIGINT, interrupt)
    Thread(target=announce, name="flowrunner-interrupts", daemon=True).start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        told.put("over")


@contextmanager
def following(plan: Plan, ledger: RunProgress, *, calls_here: int = 0) -> Iterator[None]:
    """Show a run's progress on a terminal; what tasks print goes to stderr.

    Where more than one of ``calls_here`` can run at a time, each line says which call printed it.
    """
    is_terminal = sys.stderr.isatty()
    has_labels = calls_here > 1 and runs_in_parallel(plan)
    if not is_terminal and not has_labels and not (calls_here and plan.env):
        with redirect_stdout(sys.stderr):  # stdout is for the result
            yield
        return
    from flowrunner.render.call_label import CallLabels
    from flowrunner.task_output import TaskOutput

    with TaskOutput(
        sys.stderr,
        label=CallLabels(plan, bar="│" if wants_unicode(sys.stderr) else "|")
        if has_labels
        else None,
        masked=without_secrets if plan.env else None,
    ) as output:
        if not is_terminal:
            yield
            return
        from flowrunner.cli.live import LiveTree

        with LiveTree(plan, ledger, output):
            yield


def runs_in_parallel(plan: Plan) -> bool:
    """Tell whether two calls of a plan, of its main part or of a handler, can run side by side."""
    return any(map(may_run_in_parallel, (plan.root, *(each.root for each in plan.handlers))))


def warn_of(findings: Sequence[Finding]) -> None:
    """Say on stderr what has been found that runs can do with, until it matters."""
    if findings:
        from flowrunner.render.findings import format_warnings

        text = format_warnings(
            findings, colour=wants_colour(sys.stderr), width=terminal_width(sys.stderr)
        )
        write_to_stderr(f"{text}\n")


def warn(text: str) -> None:
    """Tell, on stderr, what goes wrong beside a run."""
    write_to_stderr(f"warning: {text}\n")


def run_here(
    record: RunRecord,
    engine: Engine,
    store: RunStore | None,
    *,
    rest: Remainder | None = None,
    output: str,
) -> int:
    """Drive a run from this process to its end, showing it; return the exit code.

    Ctrl-C cancels it.
    """
    from flowrunner.driver import Drive, driver_name
    from flowrunner.run import InterruptedRunError

    plan, interrupted = record.plan, False
    with (
        Drive(record, engine, store, rest=rest, name=driver_name("apply"), warn=warn) as drive,
        announcing_interrupts(plan),
        following(plan, drive.ledger, calls_here=engine.calls_here),
    ):
        try:
            outcome = drive.to_the_end()
        except InterruptedRunError as error:
            outcome, interrupted = error.outcome, True
    print_outcome(outcome, plan, drive.ledger, output)
    if interrupted:
        return INTERRUPTED
    return SUCCEEDED if outcome.state == "SUCCESS" else FAILED


def print_outcome(outcome: Outcome, plan: Plan, ledger: RunLedger, output: str) -> None:
    """Print the result on stdout, and on stderr how the run ended where that needs words.

    A run that failed only after its main part has a result too.
    """
    if output == "json":
        print_json(outcome_to_json(outcome))
        return
    if outcome.state == "SUCCESS":
        if sys.stderr.isatty() or outcome.caught:
            say(headline(outcome, ledger), err=True)
        _print_result(outcome)
        return
    if not sys.stderr.isatty():  # on a terminal the live tree has just said it
        _print_tree(plan, ledger)
    click.echo(err=True)
    found = failures(outcome)
    if found:
        print_diagnostics(found)
        click.echo(err=True)
    say(headline(outcome, ledger), err=True, before="error: ")
    if outcome.has_result:
        _print_result(outcome)


def _print_result(outcome: Outcome) -> None:
    text = result_text(outcome.result, terminal=sys.stdout.isatty())
    sys.stdout.write(f"{text}\n")  # click.echo would drop escapes


def _print_tree(plan: Plan, ledger: RunLedger) -> None:
    from flowrunner.render.layout import with_state
    from flowrunner.render.progress import RunTree

    tree, width = RunTree(plan), terminal_width(sys.stderr)
    say(tree.title, err=True)
    for line in tree.lines(ledger):
        click.echo(with_state(line.text, str(line.tally or ""), width), err=True)
