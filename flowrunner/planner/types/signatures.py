"""What the tasks' functions take and return, as far as their hints tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import Parameter
from typing import Any

from msgspec import Struct

from flowrunner.hints.forms import NULL, UNKNOWN, Model, Type, any_of
from flowrunner.hints.models import can_make_models, has_model, is_dataclass
from flowrunner.hints.parameters import POSITIONAL, ParameterHints
from flowrunner.hints.reading import has_model_within, read_hint
from flowrunner.planner.types.fitting import plain_types
from flowrunner.tasks import TaskDefinition

__all__ = ["Taken", "TaskTypes", "task_types"]


class Taken(Struct, frozen=True):
    """A parameter: its hint, what that stands for, and the default that it takes as well.

    ``plain`` are the Python types of values that need no second look.
    """

    name: str
    hint: Any
    wanted: Type
    default: Any = Parameter.empty
    plain: frozenset[type] = frozenset()


class TaskTypes(Struct, frozen=True):
    """A task's parameters, by position and by name, and what it returns.

    ``lacks_pydantic`` is a parameter that needs pydantic, which is not installed.
    """

    definition: TaskDefinition
    positional: tuple[Taken, ...]
    keywords: Mapping[str, Taken]
    further: Taken | None
    further_keywords: Taken | None
    returns: Type
    lacks_pydantic: Taken | None = None

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
    hints = ParameterHints(definition.function, signature)
    of_celery = definition.celery_task is not None
    taken = {
        each.name: _taken(each, hints, of_celery=of_celery)
        for each in signature.parameters.values()
    }
    kinds = {each.name: each.kind for each in signature.parameters.values()}
    return TaskTypes(
        definition,
        tuple(taken[name] for name, kind in kinds.items() if kind in POSITIONAL),
        {
            name: taken[name]
            for name, kind in kinds.items()
            if kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        },
        _of_kind(Parameter.VAR_POSITIONAL, kinds, taken),
        _of_kind(Parameter.VAR_KEYWORD, kinds, taken),
        _read(hints.result),
        None if of_celery else _lacking_pydantic(taken.values()),
    )


def _of_kind(kind: Any, kinds: Mapping[str, Any], taken: Mapping[str, Taken]) -> Taken | None:
    return next((taken[name] for name, each in kinds.items() if each is kind), None)


def _taken(parameter: Parameter, hints: ParameterHints, *, of_celery: bool) -> Taken:
    hint = hints.of(parameter)
    wanted = _read(hint)
    if of_celery and has_model(hint, is_dataclass):
        wanted = UNKNOWN  # Celery hands on the dict, and its function may want that
    if hints.converts and wanted != UNKNOWN:
        wanted = Model(hint)  # only pydantic can tell what its validate_call takes
    if parameter.default is None:
        wanted = any_of([wanted, NULL])
    return Taken(parameter.name, hint, wanted, parameter.default, plain_types(wanted))


def _lacking_pydantic(taken: Iterable[Taken]) -> Taken | None:
    in_need = (each for each in taken if has_model_within(each.hint))
    return next((each for each in in_need if not can_make_models()), None)


def _read(hint: Any) -> Type:
    return UNKNOWN if hint is None or hint is Parameter.empty else read_hint(hint)
