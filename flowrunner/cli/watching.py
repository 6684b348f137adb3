"""Following a recorded run to its end: one that another process drives, or that nobody does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import click

from flowrunner.cli.exit_status import FAILED, INTERRUPTED, SUCCEEDED
from flowrunner.cli.output import say
from flowrunner.cli.run_output import following, print_outcome, warn
from flowrunner.driver import Drive, DrivenElsewhereError, driver_name
from flowrunner.errors import EngineError
from flowrunner.runs.driven import process_fate
from flowrunner.runs.outcome import Outcome
from flowrunner.runs.recorded import recorded_ledger, recorded_outcome
from flowrunner.watching import Watch

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import RunStore

__all__ = ["followed_to_the_end", "watched_to_the_end"]


def watched_to_the_end(project: Project, store: RunStore, record: RunRecord, *, output: str) -> int:
    """Show a run until it has ended, print how, and return the exit code.

    Ctrl-C leaves the run alone. Where nobody drives it any more, this process does.
    """
    try:
        record = followed_to_the_end(project, store, record)
    except KeyboardInterrupt:
        click.echo(err=True)
        say(f"the run continues; follow it with\n  flowrunner watch {record.run}", err=True)
        return INTERRUPTED
    steps = project.recorded_steps(record)
    ledger = recorded_ledger(record, steps)
    outcome = recorded_outcome(record, ledger)
    assert outcome is not None, "BUG: a run that has ended has an outcome"  # noqa: S101
    print_outcome(outcome, record.plan, ledger, output)
    return SUCCEEDED if outcome.state == "SUCCESS" else FAILED


def followed_to_the_end(project: Project, store: RunStore, record: RunRecord) -> RunRecord:
    """Show a run until it has ended, and return what is recorded of it then."""
    while not record.has_ended:
        watch = Watch(project, store, record)
        with following(record.plan, watch):
            ended = watch.until_ended_or_abandoned()
        record = watch.record
        if not ended and record.engine == "embedded":
            raise EngineError(_abandoned(record))
        if not ended:
            with suppress(DrivenElsewhereError):
                _drive(project, store, record)
            record = store.get(record.run)
    return record


def _abandoned(record: RunRecord) -> str:
    """Return why an embedded run has no driver, and the command that continues it."""
    from flowrunner.render.run_record import process_text

    command = f"\n  flowrunner resume {record.run}"
    process = record.attempt.process
    if process_fate(record) != "unknown" or process is None:
        return (
            f"run {record.run} was abandoned: {process_text(record)} is gone; continue it:{command}"
        )
    return (
        f"run {record.run} was started by {process_text(record)}, which has sent no sign of life "
        f"lately; if that process is gone, continue the run:{command}"
    )


def _drive(project: Project, store: RunStore, record: RunRecord) -> None:
    """Drive a run here, in a thread of its own: Ctrl-C must leave the run alone."""
    rest = project.rest(record)
    with (
        project.celery_engine() as engine,
        Drive(record, engine, store, rest=rest, name=driver_name("watch"), warn=warn) as drive,
        following(record.plan, drive.ledger),
    ):
        _in_thread(drive.to_the_end)


def _in_thread(work: Callable[[], Outcome]) -> Outcome:
    done: list[Any] = []

    def note() -> None:
        try:
            done.append(work())
        except BaseException as error:
            done.append(error)

    thread = Thread(target=note, name="flowrunner-drive", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)  # so that Ctrl-C comes through
    (found,) = done
    if isinstance(found, BaseException):
        raise found
    return cast(Outcome, found)
