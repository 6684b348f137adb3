"""What a plan means: the reference that every engine is tested against.

A pure evaluator with no Celery in it (DESIGN section 3):

- task: its function, called with the previous result first (unless ``immutable``); arguments and
  results are JSON, which becomes what its hints want (:mod:`flowrunner.hints`)
- chain: fold; an empty chain passes its input through
- group: every member with the same input, the list of their values in the order written
- chord: the group of the header, then the body with that list
- a failing member fails the run once every sibling has ended; what comes after is skipped
- each: the step once per item, each given its item, the list of their values
- switch, when: the step of the first condition that holds, else the input passes through
- graph: each step with the values of those that it needs; the value of the last one
- on_error of a step: when the step fails, the handler's value given the failure
- tolerate: so many members of a group may fail; they give ``None``
- retry: a call is made again while it fails and its policy says so
- handlers: ``on_error`` once when the main part has failed, then ``finally`` once; the first
  calls of each are given the outcome so far. A run succeeds when every part of it that ran has,
  and its value is that of the main part.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never

from flowrunner import plan
from flowrunner.deferred import NO_INPUT, Known, resolve, value_or_none
from flowrunner.environment import revealed
from flowrunner.template import bind
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


#: Makes of a failed step's path and its failure what a handler of the step is given.
Describe: TypeAlias = Callable[[str, "Failure"], Any]


def _described(path: str, failure: Failure) -> Any:
    errors = [
        {"path": each, "type": type(error).__name__, "message": str(error)}
        for each, error in failure.causes
    ]
    return {"path": path, "errors": errors}


def evaluate(root: plan.Node, call_task: TaskFunction, *, describe: Describe = _described) -> Any:
    """Return the value of a plan's ``root`` as JSON data, or a :class:`Failure`."""
    return value_or_none(_Evaluation(call_task, describe).value(root, NO_INPUT))


def evaluate_run(
    ready: plan.Plan,
    call_task: TaskFunction,
    outcome: Callable[[Any, Failure], Any],
    *,
    describe: Describe = _described,
) -> tuple[Any, Failure]:
    """Return the value of a plan's main part and what failed: it first, then the handlers.

    The value is ``None`` where the main part failed. ``outcome`` makes of both, as they are so
    far, what a handler is given.
    """
    evaluation = _Evaluation(call_task, describe)
    value = value_or_none(evaluation.value(ready.root, NO_INPUT))
    failure = value if isinstance(value, Failure) else Failure(())
    if failure.causes:
        value = None
    due = ready.handlers if failure.causes else [h for h in ready.handlers if h.name == "finally"]
    for handler in due:
        ended = evaluation.value(handler.root, outcome(value, failure))
        if isinstance(ended, Failure):
            failure = Failure(failure.causes + ended.causes)
    return value, failure


def evaluate_sequence(sequence: plan.Sequence, call_task: TaskFunction) -> Any:
    """Return the value of a plan's normal form, or a :class:`Failure`.

    Equal to :func:`evaluate` of the root that the sequence was made from: that is what the
    normal form promises.
    """
    return value_or_none(_fold(sequence, NO_INPUT, call_task))


class ExpressionError(Exception):
    """What a step raises of which an expression fails; runs tell it by this name."""


class _Evaluation:
    """One evaluation, and the values of the steps that have a name, by their paths."""

    def __init__(self, call_task: TaskFunction, describe: Describe) -> None:
        self._call_task = call_task
        self._describe = describe
        self._steps: dict[str, Any] = {}

    def value(self, node: plan.Node, given: Any) -> Any:
        node = resolve(node, Known(given, self._steps))
        match node:
            case plan.Call():
                return self._call(node, given)
            case plan.Chain():
                return self._chain(node, given)
            case plan.Group():
                return self._group(node, given)[0]
            case plan.Chord():
                assert isinstance(node.header, plan.Group), "BUG: it was resolved"  # noqa: S101
                results, failed = self._group(node.header, given)
                if isinstance(results, Failure):
                    return results
                body = node.body
                if node.header.tolerate:
                    body = bind(body, {"errors": self._describe(node.path, failed)["errors"]})
                return self.value(body, results)
            case plan.Rescue():
                value = self.value(node.step, given)
                return self._rescued(node, value) if isinstance(value, Failure) else value
            case plan.Named():
                value = self.value(node.step, given)
                self._steps[node.path] = value_or_none(value)
                return value
            case plan.Given():
                return self.value(node.step, node.value)
            case plan.Constant():
                return node.value
            case plan.Skipped():
                return given
            case plan.Graph():
                return self._graph(node, given)
            case plan.Failing():
                return Failure(((node.path, ExpressionError(node.message)),))
            case plan.Each() | plan.Switch() | plan.Used():
                raise AssertionError("BUG: it was resolved")
            case _:
                assert_never(node)

    def _call(self, call: plan.Call, given: Any) -> Any:
        attempt = 0
        while True:
            attempt += 1
            value = _call(call, given, self._call_task)
            if not isinstance(value, Failure) or call.retry is None:
                return value
            ((_, error),) = value.causes
            if not call.retry.applies(type(error).__name__, attempt):
                return value

    def _chain(self, chain: plan.Chain, given: Any) -> Any:
        for step in chain.steps:
            given = self.value(step, given)
            if isinstance(given, Failure):
                break
        return given

    def _group(self, group: plan.Group, given: Any) -> tuple[Any, Failure]:
        """Return a group's value, and what failed of it that it tolerates."""
        values = [self.value(member, given) for member in group.flat()]
        failed = [value for value in values if isinstance(value, Failure)]
        if not failed or group.tolerate is None or len(failed) > group.tolerate.most(len(values)):
            return _joined(values), Failure(())
        causes = tuple(cause for failure in failed for cause in failure.causes)
        kept = [None if isinstance(value, Failure) else value for value in values]
        return _joined(kept), Failure(causes)

    def _rescued(self, rescue: plan.Rescue, failure: Failure) -> Any:
        value = self.value(rescue.handler, self._describe(rescue.path, failure))
        return Failure(failure.causes + value.causes) if isinstance(value, Failure) else value

    def _graph(self, graph: plan.Graph, given: Any) -> Any:
        values: dict[str, Any] = {}
        failed: dict[str, Any] = {}
        waiting = list(graph.steps)
        while ready := [step for step in waiting if values.keys() >= set(step.needs)]:
            waiting = [step for step in waiting if step not in ready]
            for step in ready:
                needs = [values[name] for name in step.needs]
                value = self.value(
                    step.step,
                    given
                    if not needs
                    else needs[0]
                    if len(needs) == 1
                    else list(map(value_or_none, needs)),
                )
                (failed if isinstance(value, Failure) else values)[step.name] = value
        return _joined(list(failed.values())) if failed else values[graph.result]


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
    return [value_or_none(value) for value in values]


def _call(call: plan.Call, given: Any, call_task: TaskFunction) -> Any:
    call = replace(call, args=revealed(call.args), kwargs=revealed(call.kwargs))
    ignores_input = call.immutable or given is NO_INPUT
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
