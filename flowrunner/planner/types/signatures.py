"""What the tasks' functions take and return, as far as their hints tell."""

from __future__ import annotations

from inspect import Parameter
from typing import Any

from msgspec import Struct

from flowrunner.hints import forms
from flowrunner.hints.models import can_make_models, has_model, is_dataclass
from flowrunner.hints.parameters import ParameterHints, Parameters
from flowrunner.hints.reading import has_model_within, read_hint
from flowrunner.tasks import TaskDefinition

__all__ = ["TaskTypes", "TypedParameter", "task_types"]


class TypedParameter(Struct, frozen=True):
    """A parameter: its hint, the type of it, and the default that it takes as well.

    ``plain`` are the Python types whose values all fit.
    """

    name: str
    hint: Any
    wanted: forms.Type
    default: Any = Parameter.empty
    plain: frozenset[type] = frozenset()

    def takes_any(self, value: Any) -> bool:
        """Tell whether a value fits whatever its type: nothing is known, or it is the default."""
        try:
            return self.wanted == forms.UNKNOWN or bool(value == self.default)
        except Exception:  # the plugin's own comparison
            return False


class TaskTypes(Struct, frozen=True):
    """A task's parameters and what it returns.

    ``lacks_pydantic`` is a parameter that needs pydantic, which is not installed.
    """

    definition: TaskDefinition
    parameters: Parameters[TypedParameter]
    returns: forms.Type
    lacks_pydantic: TypedParameter | None = None

    @property
    def written(self) -> str:
        """The task as its function is written."""
        return f"{self.definition.name}{self.definition.signature}"


def task_types(definition: TaskDefinition) -> TaskTypes:
    """Return what a task's hints say."""
    hints = ParameterHints(definition.function, definition.signature)
    of_celery = definition.celery_task is not None

    def typed(parameter: Parameter) -> TypedParameter:
        hint = hints.of(parameter)
        wanted = read_hint(hint)
        if of_celery and has_model(hint, is_dataclass):
            wanted = forms.UNKNOWN  # Celery hands on the dict, and its function may want that
        if hints.converts and wanted != forms.UNKNOWN:
            wanted = forms.Model(hint)  # only pydantic can tell what its validate_call takes
        if parameter.default is None:
            wanted = forms.any_of([wanted, forms.NULL])
        return TypedParameter(
            parameter.name, hint, wanted, parameter.default, forms.plain_types(wanted)
        )

    parameters = Parameters(definition.signature, typed)
    in_need = (each for each in parameters.all if not of_celery and has_model_within(each.hint))
    lacking = next((each for each in in_need if not can_make_models()), None)
    return TaskTypes(definition, parameters, read_hint(hints.result), lacking)
