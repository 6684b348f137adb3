"""What a shape means, said a second time: independent of :mod:`flowrunner.semantics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.conformance.behaviour import error_of, lot
from tests.conformance.expression import CannotEvaluateError, evaluated
from tests.conformance.scope import (
    Scope,
    batch_step,
    certain,
    certain_in_body,
    mapping_name,
    passes_on,
    scope_of_body,
)
from tests.conformance.shape import (
    Chain,
    Chord,
    Document,
    Each,
    Graph,
    Group,
    Items,
    Keyed,
    Limits,
    Node,
    Repeat,
    Shape,
    Switch,
    Task,
    Use,
)

NOTHING: Final = object()  # what the first step is given
NO_LIMITS: Final = Limits()


class AmbiguousError(Exception):
    """Two calls that fail at first cannot be told apart: whose turn it is depends on chance."""


@dataclass(frozen=True)
class Meaning:
    """What has to come of a run.

    ``value`` is ``None`` for a run that fails. A step is the label of a task, the label and the
    index of a repeated one, the label of a map, the label and number of a batch, the label of a
    ``Keyed`` step whose own expression fails; in members of an ``each`` with their numbers.
    ``failed`` and ``skipped`` are the run's: of what was tolerated or handled nothing is left.
    ``executions`` says how often the task of each label runs.
    """

    value: Any
    failed: frozenset[str]
    skipped: frozenset[str]
    executions: dict[str, int]
    errors: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Failed:
    """No value: the errors, as handlers are told them, and the steps that do not run for them."""

    errors: tuple[Mapping[str, Any], ...]
    skipped: tuple[str, ...] = ()


def meaning(shape: Shape) -> Meaning:
    """Return what a shape means."""
    reading = _Reading()
    value = reading.value(shape, NOTHING, Scope())
    failed = value if isinstance(value, Failed) else Failed(())
    return Meaning(
        None if isinstance(value, Failed) or value is NOTHING else value,
        frozenset(error["step"] for error in failed.errors),
        frozenset(failed.skipped),
        dict(reading.executions),
        failed.errors,
    )


class _Reading:
    def __init__(self) -> None:
        self.executions: Counter[str] = Counter()
        self._new: set[tuple[str, int]] = set()

    def value(self, shape: Shape, given: Any, scope: Scope, name: str = "") -> Any:
        """Return the value of a shape; ``name`` is what its own expressions fail as."""
        match shape:
            case Task():
                return self._task(shape, given, scope)
            case Items(kind="map" | "starmap"):
                return self._items(shape, shape.label, shape.items(), scope)
            case Repeat() | Items():
                return _together(self._parallel(shape, given, scope), shape.limits)[0]
            case Chain(steps):
                return self._chain(steps, given, scope)
            case Group(members, limits):
                return self._members(members, limits, given, scope)[0]
            case Chord():
                return self._chord(shape, given, scope)
            case Keyed():
                return self._keyed(shape, given, scope)
            case Each():
                return self._each(shape, given, scope, name)
            case Switch():
                return self._switch(shape, given, scope, name)
            case Use():
                return self._use(shape, given, scope, name)
            case Graph(nodes):
                return self._graph(nodes, given, scope)
            case Document():
                return self._document(shape, given, scope)

    def _chain(self, steps: tuple[Shape, ...], given: Any, scope: Scope) -> Any:
        for position, step in enumerate(steps):
            given = self.value(step, given, scope)
            if not passes_on(step, scope):
                scope = scope.later()
            if isinstance(given, Failed):
                rest = [name for each in steps[position + 1 :] for name in certain(each, scope)]
                return replace(given, skipped=(*given.skipped, *rest))
        return given

    def _members(
        self, members: tuple[Shape, ...], limits: Limits, given: Any, scope: Scope
    ) -> tuple[Any, list[Any]]:
        values = [v for member in members for v in self._parallel(member, given, scope)]
        return _together(values, limits)

    def _parallel(self, member: Shape, given: Any, scope: Scope) -> list[Any]:
        """Return the values that a member puts into its group's list."""
        match member:
            case Repeat():
                return [
                    self._call(
                        f"{member.label}.{index}", member, given, (index,), member.label, scope
                    )
                    for index in range(member.times)
                ]
            case Items(kind="chunks"):
                return [
                    self._items(member, batch_step(member, number), batch, scope)
                    for number, batch in enumerate(member.batches())
                ]
            case _:
                return [self.value(member, given, scope)]

    def _chord(self, chord: Chord, given: Any, scope: Scope) -> Any:
        inner = scope_of_body(chord, scope)
        results, errors = self._members(chord.header, chord.limits, given, scope)
        if isinstance(results, Failed):
            skipped = (*results.skipped, *certain_in_body(chord, scope))
            return replace(results, skipped=skipped)
        outer = scope.names.get("errors")
        if chord.limits.tolerate is not None:
            scope.names["errors"] = errors
        value = self.value(chord.body, results, inner)
        scope.names["errors"] = outer
        return value

    def _keyed(self, keyed: Keyed, given: Any, scope: Scope) -> Any:
        value = self._guarded(keyed, given, scope)
        if not isinstance(value, Failed):
            scope.names[keyed.label] = None if value is NOTHING else value
        return value

    def _guarded(self, keyed: Keyed, given: Any, scope: Scope) -> Any:
        name = mapping_name(keyed)
        if keyed.when is not None:
            holds = _condition(keyed.when, given, scope, name)
            if holds is not True:
                return given if holds is False else holds
        value = self.value(keyed.step, given, scope, name)
        if not isinstance(value, Failed) or keyed.on_error is None:
            return value
        told = {"path": scope.at(name), "errors": list(value.errors), "left_out": 0}
        handled = self.value(keyed.on_error, told, scope.later())
        if isinstance(handled, Failed):
            return Failed(value.errors + handled.errors, value.skipped + handled.skipped)
        return handled

    def _each(self, each: Each, given: Any, scope: Scope, name: str) -> Any:
        items = _expressed(each.items, given, scope, name)
        if isinstance(items, Failed):
            return items
        if not isinstance(items, list):
            return _cannot(scope.at(name))
        known = scope.knows(each.items)
        values = [
            self.value(each.do, item, scope.member(each.variable, number, item, known=known))
            for number, item in enumerate(items)
        ]
        return _together(values, each.limits)[0]

    def _switch(self, switch: Switch, given: Any, scope: Scope, name: str) -> Any:
        for condition, step in switch.branches:
            holds = _condition(condition, given, scope, name)
            if holds is not False:
                return self.value(step, given, scope) if holds is True else holds
        return given if switch.otherwise is None else self.value(switch.otherwise, given, scope)

    def _use(self, use: Use, given: Any, scope: Scope, name: str) -> Any:
        inner = _scope_of_use(use, given, scope, name)
        return inner if isinstance(inner, Failed) else self._document(use.document, given, inner)

    def _document(self, document: Document, given: Any, scope: Scope) -> Any:
        defaults = {f"inputs.{name}": value for name, value in document.inputs}
        known = scope.known | (defaults.keys() - scope.names.keys())
        scope = replace(scope, names={**defaults, **scope.names}, known=known)
        value = self.value(document.step, given, scope)
        if isinstance(value, Failed) or not document.outputs:
            return value
        return _expressed(dict(document.outputs), value, scope, "outputs")

    def _graph(self, nodes: tuple[Node, ...], given: Any, scope: Scope) -> Any:
        ended: dict[str, Any] = {}
        waiting = list(nodes)
        while ready := [node for node in waiting if ended.keys() >= set(node.needs)]:
            waiting = [node for node in waiting if node not in ready]
            for node in ready:
                needs = [ended[need] for need in node.needs]
                if any(isinstance(each, Failed) for each in needs):
                    ended[node.name] = Failed((), tuple(certain(node.step, scope.later())))
                    continue
                several = [None if each is NOTHING else each for each in needs]
                value = self.value(
                    node.step,
                    given if not needs else needs[0] if len(needs) == 1 else several,
                    scope.later() if needs else scope,
                )
                ended[node.name] = value
                if not isinstance(value, Failed):
                    scope.names[node.name] = None if value is NOTHING else value
        failed = [each for node in nodes if isinstance(each := ended[node.name], Failed)]
        (last,) = {node.name for node in nodes} - {need for node in nodes for need in node.needs}
        return _as_one(failed) if failed else ended[last]

    def _task(self, task: Task, given: Any, scope: Scope) -> Any:
        literals = _expressed(list(task.literals), given, scope, task.label)
        if isinstance(literals, Failed):
            return literals
        return self._call(task.label, task, given, tuple(literals), task.label, scope)

    def _call(
        self,
        step: str,
        call: Task | Repeat,
        given: Any,
        first: tuple[Any, ...],
        last: str,
        scope: Scope,
    ) -> Any:
        takes = not call.immutable and given is not NOTHING
        value = [*([given] if takes else []), *first, last]
        return self._attempts(step, call, [(step, value)], scope, value)

    def _items(self, call: Items, step: str, items: list[Any], scope: Scope) -> Any:
        arguments = [item if isinstance(item, list) else [item] for item in items]
        listed = [(each[-1], each) for each in arguments]
        return self._attempts(step, call, listed, scope, [list(each) for each in arguments])

    def _attempts(
        self,
        step: str,
        call: Task | Repeat | Items,
        executions: list[tuple[str, list[Any]]],
        scope: Scope,
        value: Any,
    ) -> Any:
        """Execute a call as often as it takes; return ``value`` when it succeeds."""
        if call.behaviour in ("fail_once", "fail_twice"):
            key = (step, lot(executions[0][1]) if executions else 0)
            if key in self._new:
                raise AmbiguousError(step)
            self._new.add(key)
        attempts = 0
        while True:
            attempts += 1
            error = self._attempt(call, executions, attempts)
            if error is None:
                return value
            if call.retry is None or not call.retry.applies(error[0], attempts):
                said = {"step": scope.at(step), "type": error[0], "message": error[1]}
                return Failed((said,))

    def _attempt(
        self, call: Task | Repeat | Items, executions: list[tuple[str, list[Any]]], attempt: int
    ) -> tuple[str, str] | None:
        for label, arguments in executions:
            self.executions[label] += 2 if call.behaviour == "retry_once" else 1
            error = error_of(call.behaviour, arguments, attempt)
            if error is not None:
                return error, f"planned at {label}"  # what comes behind it is never come to
        return None


def _together(values: list[Any], limits: Limits) -> tuple[Any, list[Any]]:
    """Return the list of values, and the errors of what has failed and is tolerated."""
    failed = [value for value in values if isinstance(value, Failed)]
    if len(failed) > limits.tolerated(len(values)):
        return _as_one(failed), []
    kept = [None if value is NOTHING or isinstance(value, Failed) else value for value in values]
    return kept, [error for each in failed for error in each.errors]


def _as_one(failed: list[Failed]) -> Failed:
    return Failed(
        tuple(error for each in failed for error in each.errors),
        tuple(step for each in failed for step in each.skipped),
    )


def _expressed(value: Any, given: Any, scope: Scope, name: str) -> Any:
    names = dict(scope.names)
    if given is not NOTHING:
        names["prev"] = given
    try:
        return evaluated(value, names)
    except CannotEvaluateError:
        return _cannot(scope.at(name))


def _cannot(step: str) -> Failed:
    return Failed(({"step": step, "type": "ExpressionError", "message": ""},))


def _condition(condition: Any, given: Any, scope: Scope, name: str) -> Any:
    holds = _expressed(condition, given, scope, name)
    return holds if isinstance(holds, bool | Failed) else _cannot(scope.at(name))


def _scope_of_use(use: Use, given: Any, scope: Scope, name: str) -> Any:
    values = _expressed(dict(use.inputs), given, scope, name)
    if isinstance(values, Failed):
        return replace(values, skipped=tuple(certain(use, scope)))
    known = {f"inputs.{key}" for key, value in use.inputs if scope.knows(value)}
    named = {f"inputs.{key}": value for key, value in values.items()}
    return scope.of_file(named, known)
