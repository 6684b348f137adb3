"""What ``flowrunner cancel`` does with a run, once it is found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from flowrunner.cli.exit_status import FAILED, SUCCEEDED
from flowrunner.cli.output import print_json, say
from flowrunner.cli.watching import followed_to_the_end
from flowrunner.driver import is_abandoned
from flowrunner.errors import ConfigurationError
from flowrunner.render.value import shown_name
from flowrunner.runs.driven import driven_until
from flowrunner.runs.journal import note_end
from flowrunner.runs.outcome import Outcome
from flowrunner.runs.recorded import recorded_ledger

if TYPE_CHECKING:
    from flowrunner.app import Project
    from flowrunner.runs.record import RunRecord
    from flowrunner.runs.store import RunStore

__all__ = ["cancelled"]


#: What a run that has ended did.
WORDS: Final = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "cancelled"}


def cancelled(
    project: Project,
    store: RunStore,
    record: RunRecord,
    *,
    terminate: bool,
    wait: bool,
    output: str,
) -> int:
    """Cancel a run, print what became of it and return the exit code."""
    if record.has_ended:
        _tell(record, f"had already ended: {WORDS[record.state]}", output)
        return FAILED
    if terminate and record.engine == "embedded":
        raise ConfigurationError(
            "--terminate ends tasks on a cluster's workers: to end an embedded run, end its process"
        )
    store.cancel(record.run)
    if record.engine == "celery":
        with project.celery_engine() as engine:
            engine.cancel(record.plan, run=record.attempt.id, terminate=terminate)
    elif is_abandoned(record, store.driver(record.run)):
        record = store.get(record.run)  # it may have ended just before its process did
        if not record.has_ended:
            _note_cancelled(project, store, record)
    if not wait and not (now := store.get(record.run)).has_ended:
        _tell(now, "is being cancelled", output)
        return SUCCEEDED
    ended = followed_to_the_end(project, store, store.get(record.run))
    is_cancelled = ended.state == "REVOKED"
    _tell(ended, "was cancelled" if is_cancelled else f"had ended: {WORDS[ended.state]}", output)
    return SUCCEEDED if is_cancelled else FAILED


def _note_cancelled(project: Project, store: RunStore, record: RunRecord) -> None:
    """End an embedded run whose process is gone: nothing of it runs."""
    ledger = recorded_ledger(record, project.recorded_steps(record))
    ledger.main.cancel()
    outcome = Outcome(
        record.run,
        record.workflow,
        "REVOKED",
        record.attempt.started,
        driven_until(record) or datetime.now(UTC),  # no process has driven it since
        errors=tuple(ledger.errors),
        skipped=tuple(ledger.skipped()),
        reason="the process that ran it was gone",
        seconds_before=record.attempt.seconds_before,
    )
    note_end(store, outcome)


def _tell(record: RunRecord, what: str, output: str) -> None:
    if output == "json":
        print_json({"run": str(record.run), "workflow": record.workflow, "state": record.state})
    else:
        say(f"run {record.run} of {shown_name(record.workflow)} {what}")
