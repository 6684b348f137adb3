"""One recorded run: for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from flowrunner.duration import shown_duration, shown_moment
from flowrunner.errors import Diagnostic
from flowrunner.process import this_process
from flowrunner.render.label import counted
from flowrunner.render.layout import cut, cut_start, display_width, hanging, with_state, wrapped
from flowrunner.render.outcome import failures, headline, task_counts
from flowrunner.render.progress import RunTree
from flowrunner.render.value import named_values, shown_name
from flowrunner.render.value_json import value_document
from flowrunner.runs.driven import driven_until, process_fate, seconds_driven
from flowrunner.runs.outcome import Outcome, json_text, outcome_to_json
from flowrunner.runs.record import RunRecord
from flowrunner.runs.run_ledger import RunLedger
from flowrunner.runs.step_state import StepState
from flowrunner.runs.store import StepRow

__all__ = ["ShownRun", "call_lines", "failures_so_far", "run_lines", "run_to_json"]

#: Steps that are named where a run stands; the others are counted.
MOST_STEPS: Final = 2
#: What the tasks and the paths of calls are not cut below, in columns.
NARROWEST_TASK: Final = 12
NARROWEST_PATH: Final = 16


class ShownRun(Struct, frozen=True):
    """What is known of a run; ``outcome`` once it has ended, ``driver`` is who follows it.

    An ``abandoned`` run has not ended, and the process that ran it is gone.
    """

    record: RunRecord
    steps: Mapping[str, StepRow]
    ledger: RunLedger
    outcome: Outcome | None
    driver: str | None = None
    abandoned: bool = False

    @property
    def process_is_gone(self) -> bool:
        """Whether nothing of the run can run any more, ended or not."""
        return process_fate(self.record) in ("gone", "rebooted") and (
            self.abandoned or self.outcome is not None
        )

    def seconds(self, now: datetime) -> float:
        """Return how long the run was driven so far."""
        if self.outcome is not None:
            return self.outcome.seconds
        until = driven_until(self.record) if self.abandoned else now
        return seconds_driven(self.record, until or now)


def process_text(record: RunRecord) -> str:
    """Return which process an embedded run was started in, as far as its record says."""
    process = record.attempt.process
    if process is None:
        return "the process that ran it"
    where = "this host" if process.host == this_process().host else process.host
    return f"process {process.number} on {where}"


def run_lines(
    run: ShownRun, *, now: datetime | None = None, width: int | None = None
) -> Iterator[str]:
    """Yield how a run is in one line, what it was given, and its tree with how far each line is.

    On a terminal of ``width`` columns labels are cut and texts broken between words.
    """
    yield from wrapped(_headline(run, now or datetime.now(UTC)), width)
    facts = [(name, text) for name, text in _facts(run) if text]
    names = max(len(name) for name, _ in facts)
    for name, text in facts:
        yield f"  {name:<{names}}  {hanging(text, width, names + 4)}"
    yield ""
    for line in RunTree(run.record.plan).lines(run.ledger, abandoned=run.process_is_gone):
        yield with_state(line.text, str(line.tally or ""), width)


def _headline(run: ShownRun, now: datetime) -> str:
    if run.outcome is not None:
        return headline(run.outcome, run.ledger, abandoned=run.process_is_gone)
    record = run.record
    name = shown_name(record.workflow)
    tasks = task_counts(run.ledger, has_ended=False, abandoned=run.abandoned)
    since = shown_duration(run.seconds(now))
    if run.abandoned:
        return f"{name} was abandoned after {since} · {tasks}"
    if record.state == "PENDING":
        return f"{name} was recorded {since} ago and is not queued yet · {tasks}"
    doing = "is being cancelled, after" if record.cancelled else "has been running for"
    return f"{name} {doing} {since} · {tasks}"


def _facts(run: ShownRun) -> Iterator[tuple[str, str]]:
    record = run.record
    yield "run", str(record.run)
    yield "file", shown_name(record.file)
    yield "engine", record.engine
    yield "created", shown_moment(record.created)
    if len(record.attempts) > 1:
        reused = counted(len(record.attempt.reused), "result")
        yield (
            "attempt",
            f"{len(record.attempts)}, since {shown_moment(record.attempt.started)}; {reused} of "
            f"earlier ones used again",
        )
    yield "inputs", named_values(record.plan.inputs.items())
    yield "timeout", "" if record.timeout is None else f"{record.timeout:g} s"
    if run.abandoned:
        yield "driven by", f"nobody: {process_text(record)} is gone"
        yield "resume", f"flowrunner resume {record.run}"
    elif not record.has_ended:
        yield "driven by", run.driver or "nobody at this moment"
        yield "running", _named([step for step in _open_steps(run) if step.state == "STARTED"])
        yield "next", _named([step for step in _open_steps(run) if step.state != "STARTED"])


def _open_steps(run: ShownRun) -> list[StepState]:
    """Return the calls that run or may start: of the main part, then of a handler."""
    ledger = run.ledger
    if not ledger.main.ended and not run.record.handler_inputs:
        return list(ledger.main.expected())
    return [
        step
        for name, part in ledger.handlers.items()
        if name in run.record.handler_inputs
        for step in part.expected()
    ]


def _named(steps: list[StepState]) -> str:
    paths = ", ".join(step.call.path for step in steps[:MOST_STEPS])
    more = len(steps) - MOST_STEPS
    return paths if more <= 0 else f"{paths} and {more:,} more"


def call_lines(run: ShownRun, *, width: int | None = None) -> Iterator[str]:
    """Yield a line for every call that the workflow's author wrote: what is known of it.

    In ``width`` columns tasks are cut first, then the starts of paths.
    """
    rows = [("path", "task", "state", "ended", "retries", "worker")]
    caught = _caught(run)
    for step in run.ledger.steps.values():
        if not step.call.is_written:
            continue
        row = run.steps.get(step.call.path)
        ended = None if step.ended is None else datetime.fromtimestamp(step.ended, UTC)
        rows.append(
            (
                step.call.path,
                shown_name(step.call.task),
                f"{step.state}, caught" if step.call.path in caught else step.state,
                "" if ended is None else shown_moment(ended),
                str(step.retries or ""),
                (row.worker if row is not None else None) or "",
            )
        )
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        room = width - sum(widths[2:]) - 2 * (len(widths) - 1)
        widths[1] = min(widths[1], max(NARROWEST_TASK, room - widths[0]))
        widths[0] = min(widths[0], max(NARROWEST_PATH, room - widths[1]))
    for path, task, *others in rows:
        cells = (cut_start(path, widths[0]), cut(task, widths[1]), *others)
        padded = (
            cell + " " * (columns - display_width(cell))
            for cell, columns in zip(cells, widths, strict=True)
        )
        yield "  ".join(padded).rstrip()


def run_to_json(run: ShownRun) -> dict[str, Any]:
    """Return what ``show --output json`` prints: what ``apply`` does, and more.

    ``result`` is ``null`` where there is none and where it is no longer kept, which
    ``has_result`` tells apart from the value ``null``.
    """
    record, caught = run.record, _caught(run)
    return {
        **_outcome_to_json(run),
        "has_result": run.outcome is not None and run.outcome.has_result,
        "file": json_text(record.file),
        "engine": record.engine,
        "created": record.created.isoformat(),
        "timeout": record.timeout,
        "inputs": value_document(record.plan.inputs),
        "cancelled": record.cancelled,
        "driver": None if run.abandoned else run.driver,
        "abandoned": run.abandoned,
        "attempts": [
            {
                "id": str(attempt.id),
                "started": attempt.started.isoformat(),
                "reused": sorted(attempt.reused),
                "host": None if attempt.process is None else attempt.process.host,
                "process": None if attempt.process is None else attempt.process.number,
            }
            for attempt in record.attempts
        ],
        "steps": [_step_to_json(step, run, caught) for step in run.ledger.steps.values()],
    }


def _outcome_to_json(run: ShownRun) -> dict[str, Any]:
    data = outcome_to_json(_outcome(run))
    if run.outcome is not None:
        return data
    seconds = round(run.seconds(datetime.now(UTC)), 6)
    return {**data, "state": run.record.state, "ended": None, "seconds": seconds}


def _outcome(run: ShownRun) -> Outcome:
    """Return how a run has ended, or what it would be if it ended now."""
    if run.outcome is not None:
        return run.outcome
    return Outcome(
        run.record.run,
        run.record.workflow,
        "FAILURE",
        run.record.attempt.started,
        datetime.now(UTC),
        errors=tuple(run.ledger.errors),
        skipped=tuple(run.ledger.skipped()),
        caught=tuple(run.ledger.caught),
    )


def failures_so_far(run: ShownRun) -> list[Diagnostic]:
    """Return a diagnostic for each failure, as those of a run that has ended."""
    return failures(_outcome(run))


def _step_to_json(step: StepState, run: ShownRun, caught: set[str]) -> dict[str, Any]:
    row = run.steps.get(step.call.path)
    return {
        "path": step.call.path,
        "task": step.call.task,
        "state": step.state,
        "started": _moment(step.started),
        "ended": _moment(step.ended),
        "retries": step.retries,
        "worker": None if row is None else row.worker,
        "reused": step.call.path in run.record.attempt.reused,
        "caught": step.call.path in caught,
    }


def _caught(run: ShownRun) -> set[str]:
    """Return the paths of the calls that failed and whose failure is none of the run's."""
    return {error.call.path for error in run.ledger.caught}


def _moment(timestamp: float | None) -> str | None:
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC).isoformat()
