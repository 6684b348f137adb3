"""A call's arguments: resolved once, and again for each index where they use it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from flowrunner import model, plan
from flowrunner.node import Node
from flowrunner.planner.calls import CallProblem, check_call, positional_names
from flowrunner.planner.defaults import giving_way
from flowrunner.planner.options import resolve_options
from flowrunner.planner.policies import resolve_retry, retry_nodes
from flowrunner.planner.problems import Problems
from flowrunner.planner.resolver import Resolver
from flowrunner.planner.scope import LATE, Inputs, Scope
from flowrunner.planner.texts import texts_in
from flowrunner.source import Location
from flowrunner.tasks import TaskDefinition

__all__ = ["STEPS_PER_CALL", "CallTemplate"]

#: Steps of the budget for a call: to make it, check it, order it, and count its message.
STEPS_PER_CALL: Final = 10


class _Values(Struct, frozen=True):
    """What a call is given; ``open`` says that some of it is deferred."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    retry: plan.Retry | None
    open: bool


class CallTemplate:
    """What the calls of one written step have in common.

    ``keys`` are the step's own with the document's defaults beneath them.
    """

    def __init__(
        self,
        call: model.TaskCall,
        keys: model.CallKeys,
        definition: TaskDefinition,
        resolver: Resolver,
        problems: Problems,
        scope: Scope,
    ) -> None:
        self._call = call
        self._may_be_given = scope.may_be_given
        self._given = None if keys.immutable else scope.given
        indexed = call.times is not None and keys.args is None
        self._arguments = int(indexed) if keys.args is None else len(keys.args.items)
        filled = self._arguments + (self._given is not None)
        by_position = positional_names(definition)[:filled]
        self._keys = giving_way(keys, call.keys, by_position)
        self._resolver = resolver
        self._problems = problems
        self._definition = definition

    def check(self) -> None:
        """Report what does not fit the task's signature."""
        found = self._misfits(self._given)
        if self._may_be_given and not self._misfits(None):
            return
        for problem in found:
            self._problems.report(problem.message, self._place(problem), problem.label)

    def _misfits(self, given: str | None) -> list[CallProblem]:
        keywords = () if self._keys.kwargs is None else self._keys.kwargs.names()
        return check_call(self._definition, given=given, args=self._arguments, keywords=keywords)

    def _place(self, problem: CallProblem) -> Location:
        kwargs = self._keys.kwargs
        if problem.keyword is None or kwargs is None:
            return self._call.location
        key = kwargs.key(problem.keyword)
        return self._call.location if key is None else key.location

    def call(self, path: str, scope: Scope) -> plan.Call:
        """Return the one call; ``scope`` is given what the template's was."""
        values = self._values(scope, {}) if self._fixed is None else self._fixed
        self._resolver.budget.spend_on_part(STEPS_PER_CALL)
        for value in (values.args, values.kwargs, values.options):
            if value:
                self._resolver.budget.spend_on_value(value)
        return self._planned(path, values)

    def repeat(self, path: str, times: int, scope: Scope) -> plan.Repeat:
        """Return the calls of a fan-out; ``scope`` is given what the template's was."""
        call, index = self._call, self._call.index
        if not times:  # what is wrong with them is said all the same
            self._values(scope.out_of_use(), {index: LATE})
            none = plan.Call(f"{path}[*]", call.task, call.location)
            return plan.Repeat(path, none, 0, index, call.location)
        self._resolver.budget.spend_on_part(STEPS_PER_CALL * times)
        values = self._values(scope, {index: 0})
        varying = {
            name: (
                getattr(values, name),
                *(self._value(name, scope, {index: number}) for number in range(1, times)),
            )
            for name, nodes in self._nodes().items()
            if self._resolver.depends_on(nodes, index)
        }
        numbered = self._keys.args is None
        budget = self._resolver.budget
        for name in ("args", "kwargs", "options"):
            value = (0,) if numbered and name == "args" else getattr(values, name)
            if value and name not in varying:
                budget.spend_on_value(value, times)
            for each in varying.get(name, ()):
                budget.spend_on_value(each)
        member = self._planned(f"{path}[*]", values)
        return plan.Repeat(path, member, times, index, call.location, varying, numbered)

    def _nodes(self) -> dict[str, list[Node]]:
        """Return what is written for each field of a call."""
        keys = self._keys
        return {
            "args": [] if keys.args is None else [keys.args],
            "kwargs": [] if keys.kwargs is None else [keys.kwargs],
            "options": list(keys.options.values()),
            "retry": retry_nodes(keys.retry),
        }

    @cached_property
    def _fixed(self) -> _Values | None:
        """What each call is given where no expression says anything else."""
        if any(texts_in(node) for nodes in self._nodes().values() for node in nodes):
            return None
        return self._values(Scope(Inputs({})), {})

    def _values(self, scope: Scope, names: Mapping[str, Any]) -> _Values:
        before = self._resolver.deferred
        values = {name: self._value(name, scope, names) for name in self._nodes()}
        return _Values(**values, open=self._resolver.deferred > before)

    def _value(self, name: str, scope: Scope, names: Mapping[str, Any]) -> Any:
        """Return the value of a call's field."""
        keys, resolver, problems = self._keys, self._resolver, self._problems
        if name == "args":
            return () if keys.args is None else tuple(resolver.value(keys.args, scope, names))
        if name == "kwargs":
            return {} if keys.kwargs is None else resolver.value(keys.kwargs, scope, names)
        if name == "options":
            return resolve_options(self._definition, keys.options, resolver, problems, scope, names)
        return resolve_retry(keys.retry, resolver, problems, scope, names)

    def _planned(self, path: str, values: _Values) -> plan.Call:
        identifier = self._call.id
        return plan.Call(
            path,
            self._call.task,
            self._call.location,
            args=values.args,
            kwargs=values.kwargs,
            options=values.options,
            immutable=bool(self._keys.immutable),
            id=None if identifier is None else str(identifier.value),
            retry=values.retry,
            open=values.open,
        )
