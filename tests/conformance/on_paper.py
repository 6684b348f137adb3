"""Trials without an engine: what flowrunner plans, by its own reference semantics."""

from __future__ import annotations

from typing import Any

from flowrunner.errors import FlowrunnerError
from flowrunner.semantics import Failure, evaluate, evaluate_sequence
from tests.conformance import tasks_plugin
from tests.conformance.behaviour import error_of
from tests.conformance.trial import Laboratory, Trial, same, with_steps, without_key
from tests.conformance.workflow_reader import WorkflowReader


def try_on_paper(laboratory: Laboratory, trial: Trial) -> None:
    """Plan a trial's files and see what the plan means."""
    try:
        plan = laboratory.plan(trial)
        value = evaluate(plan.root, call_task, describe=_described)
        if not plan.unfolds:
            canvas = evaluate_sequence(plan.sequence, _call_task_uncounted)
            if _comparable(canvas) != _comparable(value):
                trial.complaints.append(f"its normal form gives {canvas!r}, not {value!r}")
    except FlowrunnerError as error:
        trial.verdict = "refused"
        trial.complaints.append(f"{type(error).__name__}: {error}")
        return
    except Exception as error:
        trial.complaints.append(f"{type(error).__name__}: {error}")
        return
    finally:
        laboratory.clear(trial)
    reader = WorkflowReader(trial.files, f"{trial.key}/")
    means = trial.means
    if isinstance(value, Failure):
        named = sorted((reader.step(path), _type(error)) for path, error in value.causes)
        should = sorted((error["step"], error["type"]) for error in means.errors)
        if named != should:
            trial.complaints.append(f"fails in {named}, not in {should}")
    elif means.failed:
        trial.complaints.append(f"gives {value!r}, and should fail in {sorted(means.failed)}")
    else:
        found = with_steps(without_key(value, trial.key), reader)
        if not same(found, means.value, trial.shape):
            trial.complaints.append(f"gives {found!r}, not {means.value!r}")
    laboratory.see_executions(trial)
    trial.verdict = "wrong" if trial.complaints else "failed" if means.failed else "right"


def call_task(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    label = kwargs.get("label")
    if name == "retry_once":
        tasks_plugin.count(args, label)
    return tasks_plugin.behave(name, args, label)


def _call_task_uncounted(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    value = [*args, *kwargs.values()]
    error = error_of(name, value, 1)
    if error is not None:
        raise tasks_plugin.ERRORS[error]
    return value


def _comparable(value: Any) -> Any:
    return sorted(path for path, _ in value.causes) if isinstance(value, Failure) else value


def _type(error: Exception) -> str:
    return type(error).__name__


def _described(path: str, failure: Failure) -> Any:
    errors = [
        {"path": each, "type": _type(error), "message": str(error)}
        for each, error in failure.causes
    ]
    return {"path": path, "errors": errors, "left_out": 0}
