"""A call's arguments: resolved once, and again for each index where they use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

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


@dataclass(frozen=True, slots=True)
class _Values:
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
        return self._planned(path, values, values.args, None)

    def calls(self, path: str, times: int, scope: Scope) -> Iterator[plan.Call]:
        """Yield the calls of a fan-out; ``scope`` is given what the template's was."""
        name, indexed = self._call.index, self._keys.args is None
        if not times:  # what is wrong with them is said all the same
            self._values(scope.out_of_use(), {name: LATE})
        changing = self._resolver.depends_on(self._nodes(), name)
        for index in range(times):
            if index == 0 or changing:
                values = self._values(scope, {name: index})
            args = (index,) if indexed else values.args
            yield self._planned(f"{path}[{index}]", values, args, index)

    def _nodes(self) -> list[Node]:
        keys = self._keys
        given = [node for node in (keys.args, keys.kwargs) if node is not None]
        return [*given, *keys.options.values(), *retry_nodes(keys.retry)]

    @cached_property
    def _fixed(self) -> _Values | None:
        """What each call is given where no expression says anything else."""
        if any(texts_in(node) for node in self._nodes()):
            return None
        return self._values(Scope(Inputs({})), {})

    def _values(self, scope: Scope, names: Mapping[str, Any]) -> _Values:
        keys, resolver = self._keys, self._resolver
        before = resolver.deferred
        return _Values(
            () if keys.args is None else tuple(resolver.value(keys.args, scope, names)),
            {} if keys.kwargs is None else resolver.value(keys.kwargs, scope, names),
            resolve_options(self._definition, keys.options, resolver, self._problems, scope, names),
            resolve_retry(keys.retry, resolver, self._problems, scope, names),
            open=resolver.deferred > before,
        )

    def _planned(
        self, path: str, values: _Values, args: tuple[Any, ...], index: int | None
    ) -> plan.Call:
        identifier = self._call.id
        budget = self._resolver.budget
        budget.spend_on_part(STEPS_PER_CALL)
        for value in (args, values.kwargs, values.options):
            if value:
                budget.spend_on_value(value)
        return plan.Call(
            path,
            self._call.task,
            self._call.location,
            args=args,
            kwargs=values.kwargs,
            options=values.options,
            immutable=bool(self._keys.immutable),
            index=index,
            id=None if identifier is None else str(identifier.value),
            retry=values.retry,
            open=values.open,
        )
