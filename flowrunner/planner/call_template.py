"""A call's arguments: resolved once, and again for each index where they use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flowrunner import model, plan
from flowrunner.planner.calls import CallProblem, check_call, positional_names
from flowrunner.planner.defaults import giving_way
from flowrunner.planner.options import resolve_options
from flowrunner.planner.problems import Problems
from flowrunner.planner.resolver import Resolver
from flowrunner.source import Location
from flowrunner.tasks import TaskDefinition

__all__ = ["CallTemplate"]


@dataclass(frozen=True)
class _Values:
    """What a call is given."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: dict[str, Any]


class CallTemplate:
    """What the calls of one written step have in common.

    ``keys`` are the step's own with the document's defaults beneath them; ``given`` is
    what comes before its arguments, if anything does.
    """

    def __init__(
        self,
        call: model.TaskCall,
        keys: model.CallKeys,
        definition: TaskDefinition,
        resolver: Resolver,
        problems: Problems,
        *,
        given: str | None,
    ) -> None:
        self._call = call
        self._given = None if keys.immutable else given
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
        keywords = () if self._keys.kwargs is None else self._keys.kwargs.names()
        for problem in check_call(
            self._definition, given=self._given, args=self._arguments, keywords=keywords
        ):
            self._problems.report(problem.message, self._place(problem), problem.label)

    def _place(self, problem: CallProblem) -> Location:
        kwargs = self._keys.kwargs
        if problem.keyword is None or kwargs is None:
            return self._call.location
        key = kwargs.key(problem.keyword)
        return self._call.location if key is None else key.location

    def call(self, path: str) -> plan.Call:
        """Return the one call."""
        return self._planned(path, self._values({}), None)

    def calls(self, path: str, times: int) -> Iterator[plan.Call]:
        """Yield the calls of a fan-out."""
        name, keys = self._call.index, self._keys
        nodes = [node for node in (keys.args, keys.kwargs, *keys.options.values()) if node]
        # Not any(): each is read, so that what is wrong is said for no calls as well.
        changing = max((self._resolver.depends_on(node, name) for node in nodes), default=False)
        values = _Values((), {}, {})
        for index in range(times):
            if index == 0 or changing:
                values = self._values({name: index})
            if keys.args is None:
                values = replace(values, args=(index,))
            yield self._planned(f"{path}[{index}]", values, index)

    def _values(self, loop: dict[str, Any]) -> _Values:
        args, kwargs = self._keys.args, self._keys.kwargs
        resolver = self._resolver
        return _Values(
            () if args is None else tuple(resolver.value(args, loop)),
            {} if kwargs is None else resolver.value(kwargs, loop),
            resolve_options(self._definition, self._keys.options, resolver, self._problems, loop),
        )

    def _planned(self, path: str, values: _Values, index: int | None) -> plan.Call:
        identifier = self._call.id
        return plan.Call(
            path,
            self._call.task,
            self._call.location,
            args=values.args,
            kwargs=values.kwargs,
            options=values.options,
            immutable=bool(self._keys.immutable),
            index=index,
            id=None if identifier is None else str(identifier.value),
        )
