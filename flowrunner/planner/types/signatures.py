"""What the tasks' functions take and return, as far as their hints tell."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from flowrunner.planner.types.fitting import plain_types
from flowrunner.planner.types.forms import NULL, UNKNOWN, Model, Type, any_of
from flowrunner.planner.types.hints import read_hint, resolved
from flowrunner.tasks import TaskDefinition

__all__ = ["Taken", "TaskTypes", "task_types"]

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Taken:
    """A parameter: its hint, what that stands for, and the default that it takes as well.

    ``plain`` are the Python types of values that need no second look.
    """

    name: str
    hint: Any
    wanted: Type
    default: Any = Parameter.empty
    plain: frozenset[type] = frozenset()


@dataclass(frozen=True)
class TaskTypes:
    """A task's parameters, by position and by name, and what it returns."""

    definition: TaskDefinition
    positional: tuple[Taken, ...]
    keywords: Mapping[str, Taken]
    further: Taken | None
    further_keywords: Taken | None
    returns: Type

    @property
    def written(self) -> str:
        """The task as its function is written."""
        return f"{self.definition.name}{self.definition.signature}"

    def at(self, position: int) -> Taken | None:
        """Return the parameter that a positional argument lands on."""
        return self.positional[position] if position < len(self.positional) else self.further

    def named(self, name: str) -> Taken | None:
        """Return the parameter that a keyword argument lands on."""
        return self.keywords.get(name, self.further_keywords)


def task_types(definition: TaskDefinition) -> TaskTypes:
    """Return what a task's hints say."""
    signature = definition.signature
    namespace = _namespace(definition.function)
    # pydantic's validate_call converts what a function is given: only pydantic can tell of it.
    converts = hasattr(definition.function, "raw_function")
    taken = {
        each.name: _taken(each, namespace, converts=converts)
        for each in signature.parameters.values()
    }
    kinds = {each.name: each.kind for each in signature.parameters.values()}
    return TaskTypes(
        definition,
        tuple(taken[name] for name, kind in kinds.items() if kind in _POSITIONAL),
        {
            name: taken[name]
            for name, kind in kinds.items()
            if kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        },
        _of_kind(Parameter.VAR_POSITIONAL, kinds, taken),
        _of_kind(Parameter.VAR_KEYWORD, kinds, taken),
        _read(_resolved(signature.return_annotation, namespace)),
    )


def _of_kind(kind: Any, kinds: Mapping[str, Any], taken: Mapping[str, Taken]) -> Taken | None:
    return next((taken[name] for name, each in kinds.items() if each is kind), None)


def _taken(parameter: Parameter, namespace: dict[str, Any], *, converts: bool) -> Taken:
    hint = _resolved(parameter.annotation, namespace)
    wanted = _read(hint)
    if converts and wanted != UNKNOWN:
        wanted = Model(hint)
    if parameter.default is None:
        wanted = any_of([wanted, NULL])
    return Taken(parameter.name, hint, wanted, parameter.default, plain_types(wanted))


def _read(hint: Any) -> Type:
    return UNKNOWN if hint is None or hint is Parameter.empty else read_hint(hint)


def _resolved(annotation: Any, namespace: dict[str, Any]) -> Any:
    if annotation is Parameter.empty:
        return annotation
    try:
        return resolved(annotation, namespace)
    except Exception:  # any expression can stand in an annotation, and fail
        return Parameter.empty


def _namespace(function: Any) -> dict[str, Any]:
    """Return the names that a function's annotations may use: those of its module."""
    inner = inspect.unwrap(function)
    found = getattr(inner, "__globals__", None) or getattr(
        type(inner).__call__, "__globals__", None
    )
    return found if isinstance(found, dict) else {}
