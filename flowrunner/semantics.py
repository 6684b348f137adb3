"""What a plan means: the reference that every engine is tested against.

A pure evaluator with no Celery in it (DESIGN section 3):

- task: its function, called with the previous result first (unless ``immutable``)
- chain: fold; an empty chain passes its input through
- group: every member with the same input, the list of their values in the order written
- chord: the group of the header, then the body with that list
- a failing member fails the run once every sibling has ended; what comes after is skipped
- handlers: ``on_error`` once when the main part has failed, then ``finally`` once; the first
  calls of each are given the outcome so far. A run succeeds when every part of it that ran has,
  and its value is that of the main part.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from flowrunner import plan
from flowrunner.values import require_json

__all__ = ["Failure", "TaskFunction", "evaluate", "evaluate_run", "evaluate_sequence"]

#: Calls the task of that name with positional and keyword arguments.
TaskFunction: TypeAlias = Callable[[str, tuple[Any, ...], dict[str, Any]], Any]


@dataclass(frozen=True)
class Failure:
    """The run fails: the calls that raised, by path, and what each raised."""

    causes: tuple[tuple[str, Exception], ...]

    @property
    def paths(self) -> frozenset[str]:
        """The paths of the calls that failed."""
        return frozenset(path for path, _ in self.causes)


class _NoInput:
    """What the first step of a workflow is given: nothing at all."""


_NO_INPUT: Final = _NoInput()


def evaluate(root: plan.Node, call_task: TaskFunction) -> Any:
    """Return the value of a plan's ``root`` as JSON data, or a :class:`Failure`."""
    return _without_sentinel(_evaluate(root, _NO_INPUT, call_task))


def evaluate_run(
    ready: plan.Plan, call_task: TaskFunction, outcome: Callable[[Any, Failure], Any]
) -> tuple[Any, Failure]:
    """Return the value of a plan's main part and what failed: it first, then the handlers.

    The value is ``None`` where the main part failed. ``outcome`` makes of both, as they are so
    far, what a handler is given.
    """
    value = evaluate(ready.root, call_task)
    failure = value if isinstance(value, Failure) else Failure(())
    if failure.causes:
        value = None
    due = ready.handlers if failure.causes else [h for h in ready.handlers if h.name == "finally"]
    for handler in due:
        ended = _evaluate(handler.root, outcome(value, failure), call_task)
        if isinstance(ended, Failure):
            failure = Failure(failure.causes + ended.causes)
    return value, failure


def evaluate_sequence(sequence: plan.Sequence, call_task: TaskFunction) -> Any:
    """Return the value of a plan's normal form, or a :class:`Failure`.

    Equal to :func:`evaluate` of the root that the sequence was made from: that is what the
    normal form promises.
    """
    return _without_sentinel(_fold(sequence, _NO_INPUT, call_task))


def _without_sentinel(value: Any) -> Any:
    return None if value is _NO_INPUT else value


def _evaluate(node: plan.Node, given: Any, call_task: TaskFunction) -> Any:
    match node:
        case plan.Call():
            return _call(node, given, call_task)
        case plan.Chain():
            for step in node.steps:
                given = _evaluate(step, given, call_task)
                if isinstance(given, Failure):
                    break
            return given
        case plan.Group():
            return _joined([_evaluate(member, given, call_task) for member in node.flat()])
        case plan.Chord():
            results = _evaluate(node.header, given, call_task)
            if isinstance(results, Failure):
                return results
            return _evaluate(node.body, results, call_task)


def _fold(sequence: plan.Sequence, given: Any, call_task: TaskFunction) -> Any:
    for item in sequence:
        if isinstance(item, plan.Fork):
            given = _joined([_fold(member, given, call_task) for member in item.members])
            if not isinstance(given, Failure):
                given = _call(item.join, given, call_task)
        else:
            given = _call(item, given, call_task)
        if isinstance(given, Failure):
            break
    return given


def _joined(values: list[Any]) -> Any:
    failures = [value for value in values if isinstance(value, Failure)]
    if failures:
        return Failure(tuple(cause for failure in failures for cause in failure.causes))
    return [_without_sentinel(value) for value in values]


def _call(call: plan.Call, given: Any, call_task: TaskFunction) -> Any:
    ignores_input = call.immutable or given is _NO_INPUT
    previous = () if ignores_input else (given,)
    try:
        if call.kind == "map":
            value: Any = [call_task(call.task, (item,), {}) for item in call.args]
        elif call.kind == "starmap":
            value = [call_task(call.task, tuple(item), {}) for item in call.args]
        elif call.kind == "continuation":
            value = given
        elif call.kind == "builtin":
            value = accumulate(*previous, *call.args, **call.kwargs)
        else:
            value = call_task(call.task, (*previous, *call.args), dict(call.kwargs))
        require_json(value)
    except Exception as error:  # a task may raise anything: that is its failure, not ours
        return Failure(((call.path, error),))
    return json.loads(json.dumps(value))


def accumulate(*args: Any, index: int | None = None) -> Any:
    """Do what Celery's built-in task ``celery.accumulate`` does (``celery/app/builtins.py``)."""
    return args[index] if index is not None else args
