"""What ``apply`` shows while a run goes on and when it has ended."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from queue import SimpleQueue
from threading import Thread
from types import FrameType

import click

from flowrunner.cli.output import print_diagnostics, print_json, wants_colour, write_to_stderr
from flowrunner.finding import Finding
from flowrunner.plan import Plan
from flowrunner.render.outcome import failures, headline, result_text
from flowrunner.runs.outcome import Outcome, outcome_to_json
from flowrunner.runs.run_ledger import RunLedger

__all__ = ["announcing_interrupts", "following", "print_outcome", "warn"]


@contextmanager
def announcing_interrupts(plan: Plan) -> Iterator[None]:
    """Say on the first Ctrl-C what happens now, and what another one does."""

    interrupts: SimpleQueue[bool] = SimpleQueue()
    has_finally = any(handler.name == "finally" for handler in plan.handlers)
    then = ", then running 'finally'" if has_finally else ""

    def announce() -> None:
        if interrupts.get():
            sys.stderr.write(
                f"\ncancelling what is queued, waiting for what runs{then}; Ctrl-C leaves now\n"
            )

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupts.put(True)  # another thread writes: here a second Ctrl-C would be lost
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # somebody handles it already, or it is ignored
        return
    signal.signal(signal.SIGINT, interrupt)
    Thread(target=announce, name="flowrunner-interrupts", daemon=True).start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupts.put(False)


@contextmanager
def following(plan: Plan, ledger: RunLedger) -> Iterator[None]:
    """Show a run's progress on a terminal; what tasks print goes to stderr."""
    with redirect_stdout(sys.stderr):  # stdout is for the result
        if not sys.stderr.isatty():
            yield
            return
        from flowrunner.cli.live import LiveTree

        with LiveTree(plan, ledger):
            yield


def warn(findings: Sequence[Finding]) -> None:
    """Say on stderr what has been found that runs can do with, until it matters."""
    if findings:
        from flowrunner.render.findings import format_warnings

        text = format_warnings(findings, colour=wants_colour(sys.stderr))
        write_to_stderr(f"{text}\n")


def print_outcome(outcome: Outcome, plan: Plan, ledger: RunLedger, output: str) -> None:
    """Print the result on stdout, and on stderr how the run ended where that needs words.

    A run that failed only after its main part has a result too.
    """
    if output == "json":
        print_json(outcome_to_json(outcome))
        return
    if outcome.state == "SUCCESS":
        if sys.stderr.isatty():
            click.echo(headline(outcome, ledger), err=True)
        sys.stdout.write(f"{result_text(outcome.result)}\n")  # click.echo would drop escapes
        return
    if not sys.stderr.isatty():  # on a terminal the live tree has just said it
        _print_tree(plan, ledger)
    click.echo(err=True)
    found = failures(outcome)
    if found:
        print_diagnostics(found)
        click.echo(err=True)
    click.echo(f"error: {headline(outcome, ledger)}", err=True)
    if outcome.has_result:
        sys.stdout.write(f"{result_text(outcome.result)}\n")


def _print_tree(plan: Plan, ledger: RunLedger) -> None:
    from flowrunner.render.progress import RunTree

    tree = RunTree(plan)
    click.echo(tree.title, err=True)
    for line in tree.lines(ledger):
        click.echo(f"{line.text}   {line.tally}" if line.tally else line.text, err=True)
