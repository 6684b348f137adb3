"""What stands between JSON and a task's function: its arguments are converted, its result too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Any, Final

from flowrunner.hints import forms
from flowrunner.hints.conversion import Converter, UnfitValueError, converter_of, optional
from flowrunner.hints.fitting import Misfit
from flowrunner.hints.models import dumped
from flowrunner.hints.parameters import ParameterHints, Parameters
from flowrunner.hints.reading import has_model_within
from flowrunner.hints.words import hint_text, in_words, path_text
from flowrunner.values import EXACT_FLOATS, NotJSONError, require_json

__all__ = ["ADAPTS", "Adapter", "ValidationError"]

#: What a function is marked with that converts its arguments itself.
ADAPTS: Final = "flowrunner_adapts"


class ValidationError(ValueError):
    """An argument does not fit its parameter's hint. pydantic has an error of the same name."""


class Adapter:
    """Converts the arguments of one function, and its result.

    ``context`` is what pydantic's validators get to know. Without it, as for a Celery task,
    which says itself whether it uses pydantic, only numbers are converted.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        signature: Signature,
        context: dict[str, Any] | None = None,
    ) -> None:
        hints = ParameterHints(function, signature)

        def converter(parameter: Parameter) -> tuple[str, Converter] | None:
            convert = None if hints.converts else converter_of(hints.of(parameter), context)
            convert = optional(convert) if parameter.default is None else convert
            return convert and (parameter.name, convert)

        self._parameters = Parameters(signature, converter)
        self._dumps = context is not None and has_model_within(hints.result)
        self.converts = any(self._parameters.all)

    def args(self, args: Sequence[Any], before: int = 0) -> tuple[Any, ...]:
        """Return positional arguments as the function gets them, after ``before`` others.

        Raises :class:`ValidationError`, and pydantic's.
        """
        if not self.converts:
            return tuple(args)
        at = self._parameters.at
        return tuple(_converted(at(position), value) for position, value in enumerate(args, before))

    def kwargs(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return keyword arguments as the function gets them; see :meth:`args`."""
        named = self._parameters.named
        return {name: _converted(named(name), value, name) for name, value in kwargs.items()}

    def result(self, value: Any) -> Any:
        """Return a result as JSON data; raises :class:`~flowrunner.values.NotJSONError`."""
        try:
            require_json(value)
        except NotJSONError:
            if not self._dumps:
                raise
            value = dumped(value)
            require_json(value)
        return value


def _converted(converter: tuple[str, Converter] | None, value: Any, name: str = "") -> Any:
    if converter is None:
        return value
    parameter, convert = converter
    try:
        return convert(value)
    except UnfitValueError as error:
        where = f"{name or parameter}{path_text(error.misfit.keys)}"
        raise ValidationError(f"the argument '{where}' {_reason(error.misfit)}") from None


def _reason(misfit: Misfit) -> str:
    given, wanted = misfit.given, misfit.wanted
    value = given.value if isinstance(given, forms.Value) else None
    if misfit.reason == EXACT_FLOATS:
        return f"is {value!r}: {misfit.reason}"
    if isinstance(wanted, forms.Record) and misfit.reason:
        return f"{misfit.reason.removeprefix('it ')}, which {hint_text(wanted.hint)} needs"
    container = "a dict" if isinstance(value, dict) else "a list"
    is_container = isinstance(value, (dict, list, tuple))
    return f"is {container if is_container else in_words(given)}, not {in_words(wanted)}"
