"""What ``flowrunner resume`` does with a run, once it is found."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from flowrunner.cli.exit_status import SUCCEEDED
from flowrunner.cli.output import print_json, say, terminal_width
from flowrunner.cli.run_output import run_here, warn_of
from flowrunner.environment import hardly_hidden
from flowrunner.errors import ConfigurationError, FlowrunnerError
from flowrunner.render.label import counted
from flowrunner.render.run_record import process_text
from flowrunner.resumption import Resumption, differences, resumption
from flowrunner.runs.driven import has_lost_its_process, process_fate

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.plan import Plan
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import RunStore

__all__ = ["resumed"]

#: Differences that are told one by one.
MOST_DIFFERENCES = 10


def resumed(
    project: Project,
    store: RunStore,
    record: RunRecord,
    *,
    dry_run: bool,
    changed: str | None,
    processes: int | None,
    output: str,
) -> int:
    """Run what is left of a run, or print what that is; return the exit code."""
    record = _require_ended(store, record)
    if record.state == "SUCCESS":
        say(f"run {record.run} has succeeded: nothing is left to run", err=True)
        return SUCCEEDED
    plan = _plan(project, record, changed)
    ahead = resumption(record, project.recorded_steps(record), plan)
    if dry_run:
        _print(ahead, output)
        return SUCCEEDED
    least = "at least " if plan.unfolds else ""
    say(
        f"resuming {record.run}, attempt {len(record.attempts) + 1}: "
        f"{counted(len(ahead.attempt.reused), 'result')} used again, "
        f"{least}{counted(len(ahead.why), 'call')} to run",
        err=True,
    )
    with project.engine(processes=processes) as engine:
        engine.check(ahead.rest.plan or plan)
        warn_of([*engine.warnings, *hardly_hidden(plan.env)])
        if record.engine == "celery":  # whatever is left of the attempt before starts no more
            engine.cancel(record.plan, run=record.attempt.id)
        store.begin_attempt(record.run, ahead.attempt, plan=None if plan is record.plan else plan)
        return run_here(store.get(record.run), engine, store, rest=ahead.rest, output=output)


def _require_ended(store: RunStore, record: RunRecord) -> RunRecord:
    """Return the current record of a run without a driver; raise if the run has one."""
    driver = store.driver(record.run)
    if has_lost_its_process(record, now=datetime.now(UTC)):
        if driver is not None:  # the claim of the process that is gone
            store.release(record.run, driver)
        return store.get(record.run)  # the process may have ended the run
    if record.has_ended:
        return record
    if record.engine == "embedded" and driver is None:
        process = record.attempt.process
        if process is None or process.is_this_one or process_fate(record) != "runs":
            return record
        driver = process_text(record)
    who = f"{driver} drives it" if driver else "its tasks may still be running"
    raise FlowrunnerError(
        f"run {record.run} has not ended ({who}): watch or cancel it\n"
        f"  flowrunner watch {record.run}\n"
        f"  flowrunner cancel {record.run}"
    )


def _plan(project: Project, record: RunRecord, changed: str | None) -> Plan:
    """Return the plan that the run goes on with: as recorded, or as its file is now."""
    if changed == "recorded":
        return record.plan
    from flowrunner.app import changed_files

    now = project.planned_again(record.plan)
    if now is None:
        return record.plan
    found = differences(record.plan, now)
    if not found or changed == "changed":
        return now if found else record.plan
    more = len(found) - MOST_DIFFERENCES
    listed = "\n  ".join(
        [*found[:MOST_DIFFERENCES], *([f"… and {more:,} more"] if more > 0 else [])]
    )
    files = changed_files(record.plan)
    raise ConfigurationError(
        f"{', '.join(files)} {'has' if len(files) == 1 else 'have'} changed since the run:\n"
        f"  {listed}\nResume with --as-changed (the changed "
        f"steps and the steps after them run again) or with --as-recorded"
    )


def _print(ahead: Resumption, output: str) -> None:
    from flowrunner.render.resumption import resumption_lines, resumption_to_json

    if output == "json":
        print_json(resumption_to_json(ahead))
        return
    for line in resumption_lines(ahead, columns=terminal_width(sys.stdout)):
        click.echo(line)
