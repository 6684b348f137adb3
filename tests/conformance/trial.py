"""A trial: one shape through flowrunner's public API on an engine, and what was wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from flowrunner.app import Project, run_plan
from flowrunner.engines.protocol import Engine
from flowrunner.errors import FlowrunnerError
from flowrunner.plan import Plan
from flowrunner.runs.outcome import Outcome
from flowrunner.runs.step_state import StepError
from tests.conformance.counts import Counts
from tests.conformance.meaning import Meaning, meaning
from tests.conformance.shape import Graph, Shape
from tests.conformance.walk import everything_in
from tests.conformance.workflow_file import workflow_files
from tests.conformance.workflow_reader import Place, WorkflowReader

#: Seconds, far longer than any shape takes; a run that needs them hangs.
HANG = 120.0

Verdict: TypeAlias = Literal["right", "failed", "refused", "wrong", "hung"]


@dataclass
class Trial:
    """What came of one shape. ``failed`` is as it should be: its failures are the planned ones."""

    shape: Shape
    key: str
    files: dict[str, str]
    means: Meaning
    verdict: Verdict = "wrong"
    complaints: list[str] = field(default_factory=list)
    executed_twice: bool = False

    @property
    def text(self) -> str:
        """The text of its file, and of those that it uses."""
        first, *others = self.files
        used = (f"# {name}\n{self.files[name]}" for name in others)
        return "".join([self.files[first], *used])

    @property
    def good(self) -> bool:
        return not self.complaints

    @property
    def score(self) -> Verdict:
        """The verdict, once it is known how often each task was executed."""
        ended_well = self.verdict in ("right", "failed")
        return "wrong" if ended_well and self.complaints else self.verdict

    def __str__(self) -> str:
        return "\n".join([f"{self.verdict}: {'; '.join(self.complaints)}", self.text])


@dataclass(frozen=True)
class Laboratory:
    """An engine that is open, and all that trials on it need."""

    name: str
    project: Project
    engine: Engine
    counts: Counts
    folder: Path
    side_by_side: int
    _numbers: Iterator[int] = field(default_factory=count)

    def trial(self, shape: Shape) -> Trial:
        """Return a trial of a shape that has not been run yet."""
        key = f"k{next(self._numbers)}-{uuid4().hex[:6]}"
        return Trial(shape, key, workflow_files(shape, f"{key}/", key), meaning(shape))

    def run(self, shapes: Iterable[Shape]) -> list[Trial]:
        """Run shapes side by side, and then see how often each of their tasks was executed."""
        trials = [self.trial(shape) for shape in shapes]
        with ThreadPoolExecutor(self.side_by_side) as pool:
            list(pool.map(self._run, trials))
        for trial in trials:
            self.see_executions(trial)
        return trials

    def _run(self, trial: Trial) -> None:
        try:
            plan = self.plan(trial)
            self.engine.check(plan)
            outcome = run_plan(plan, self.engine, timeout=HANG)
        except FlowrunnerError as error:
            trial.verdict = "refused"
            trial.complaints.append(f"{type(error).__name__}: {error}")
        except Exception as error:
            trial.verdict = "wrong"
            trial.complaints.append(f"{type(error).__name__}: {error}")
        else:
            judge(trial, outcome)
        finally:
            self.clear(trial)

    def plan(self, trial: Trial) -> Plan:
        """Return the plan of a trial's files, once they are written."""
        for name, text in trial.files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        return self.project.plan(self.folder / f"{trial.key}.yaml")

    def clear(self, trial: Trial) -> None:
        """Remove a trial's files."""
        for name in trial.files:
            (self.folder / name).unlink()

    def see_executions(self, trial: Trial) -> None:
        """Note the tasks that were not executed as often as they should have been."""
        executed, expected = self.counts.of(trial.key), trial.means.executions
        for label in sorted(executed.keys() | expected.keys()):
            times, right = executed.get(label, 0), expected.get(label, 0)
            if times != right:
                trial.complaints.append(f"{label} was executed {times} times, not {right}")
            if times > right:
                trial.executed_twice = True


def judge(trial: Trial, outcome: Outcome) -> None:
    """Compare how a run has ended with what the shape means."""
    if outcome.reason:
        trial.verdict = "hung"
        trial.complaints.append(outcome.reason)
        return
    means = trial.means
    state = "FAILURE" if means.failed else "SUCCESS"
    if outcome.state != state:
        named = "; ".join(f"{e.call.path}: {e.type}: {e.message}" for e in outcome.errors)
        trial.complaints.append(f"ended as {outcome.state}, not {state} ({named})")
    elif means.failed:
        _judge_failure(trial, outcome)
    else:
        reader = WorkflowReader(trial.files, f"{trial.key}/")
        value = with_steps(without_key(outcome.result, trial.key), reader)
        if not same(value, means.value, trial.shape):
            trial.complaints.append(f"gave {value!r}, not {means.value!r}")
    if not trial.complaints:
        trial.verdict = "failed" if means.failed else "right"


def _judge_failure(trial: Trial, outcome: Outcome) -> None:
    reader = WorkflowReader(trial.files, f"{trial.key}/")
    named = sorted(reader.step(error.call.path) for error in outcome.errors)
    if named != sorted(trial.means.failed):
        trial.complaints.append(f"names {named} as failed, not {sorted(trial.means.failed)}")
    skipped = sorted(reader.step(call.path) for call in outcome.skipped)
    if skipped != sorted(trial.means.skipped):
        trial.complaints.append(f"names {skipped} as skipped, not {sorted(trial.means.skipped)}")
    should = {error["step"]: error for error in trial.means.errors}
    for error in outcome.errors:
        place = reader.place(error.call.path)
        if place.step in should:
            trial.complaints += _wrong_in(error, place, should[place.step], trial.key)


def _wrong_in(error: StepError, place: Place, should: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield what is wrong with how a failure is told."""
    location = error.call.location
    if not place.has(Path(location.source.name).name, location.line):
        yield f"{place.step} is not in line {location.line} of {location.source.name}"
    if error.type != should["type"]:
        yield f"{place.step} failed with {error.type}: {error.message}"
    if error.type == "ExpressionError":
        return
    if error.message != should["message"].replace("planned at ", f"planned at {key}/"):
        yield f"{place.step} failed with {error.message!r}"
    if "tasks_plugin.py" not in error.traceback or f"{error.type}: planned" not in error.traceback:
        yield f"{place.step} has no traceback of its own"


def without_key(value: Any, key: str) -> Any:
    """Return a value without the key of its trial in every label."""
    return json.loads(json.dumps(value).replace(f"{key}/", ""))


def same(value: Any, should: Any, shape: Shape) -> bool:
    """Tell whether two values are the same; in what order a graph's errors are told is open."""
    if any(isinstance(each, Graph) for each in everything_in(shape)):
        return bool(_in_any_order(value) == _in_any_order(should))
    return bool(value == should)


def _in_any_order(value: Any) -> Any:
    match value:
        case [{"step": _, "type": _, "message": _}, *_]:
            return sorted(value, key=json.dumps)
        case list():
            return list(map(_in_any_order, value))
        case dict():
            return {key: _in_any_order(each) for key, each in value.items()}
        case _:
            return value


def with_steps(value: Any, reader: WorkflowReader) -> Any:
    """Return a value with the errors in it as :mod:`tests.conformance.meaning` says them."""
    match value:
        case list():
            return [with_steps(each, reader) for each in value]
        case {"path": path, "errors": errors, "left_out": left_out}:
            told = with_steps(errors, reader)
            return {"path": reader.step(path), "errors": told, "left_out": left_out}
        case {"path": path, "type": type_, "message": message}:
            place = reader.place(path)
            line = value.get("line", place.first)
            wrong = "" if place.has(Path(value.get("file", place.file)).name, line) else f":{line}"
            said = "" if type_ == "ExpressionError" else message
            return {"step": f"{place.step}{wrong}", "type": type_, "message": said}
        case dict():
            return {key: with_steps(each, reader) for key, each in value.items()}
        case _:
            return value
