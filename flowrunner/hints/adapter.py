"""What stands between JSON and a task's function: its arguments are converted, its result too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Any, Final

from flowrunner.hints.conversion import Converter, UnfitValueError, converter_of, optional
from flowrunner.hints.models import dumped
from flowrunner.hints.parameters import POSITIONAL, ParameterHints
from flowrunner.hints.reading import has_model_within
from flowrunner.values import NotJSONError, require_json

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
        self._positional: list[tuple[str, Converter | None]] = []
        self._named: dict[str, Converter | None] = {}
        self._further: tuple[str, Converter | None] = ("", None)
        self._further_named: Converter | None = None
        hints = ParameterHints(function, signature)
        for parameter in signature.parameters.values():
            self._add(parameter, None if hints.converts else _converter(parameter, hints, context))
        self._dumps = context is not None and has_model_within(hints.result)
        every = [*self._named.values(), self._further_named, self._further[1]]
        every += [convert for _, convert in self._positional]
        self.converts = any(each is not None for each in every)

    def _add(self, parameter: Parameter, convert: Converter | None) -> None:
        if parameter.kind in POSITIONAL:
            self._positional.append((parameter.name, convert))
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            self._named[parameter.name] = convert
        if parameter.kind is Parameter.VAR_POSITIONAL:
            self._further = (parameter.name, convert)
        if parameter.kind is Parameter.VAR_KEYWORD:
            self._further_named = convert

    def args(self, args: Sequence[Any], before: int = 0) -> tuple[Any, ...]:
        """Return positional arguments as the function gets them, after ``before`` others.

        Raises :class:`ValidationError`, and pydantic's.
        """
        if not self.converts:
            return tuple(args)
        return tuple(self._at(position, value) for position, value in enumerate(args, before))

    def _at(self, position: int, value: Any) -> Any:
        known = position < len(self._positional)
        name, convert = self._positional[position] if known else self._further
        return _converted(name, convert, value)

    def kwargs(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return keyword arguments as the function gets them; see :meth:`args`."""
        if not self.converts:
            return dict(kwargs)
        return {
            name: _converted(name, self._named.get(name, self._further_named), value)
            for name, value in kwargs.items()
        }

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


def _converter(
    parameter: Parameter, hints: ParameterHints, context: dict[str, Any] | None
) -> Converter | None:
    hint = hints.of(parameter)
    if hint is None or hint is Parameter.empty:
        return None
    convert = converter_of(hint, context)
    return optional(convert) if parameter.default is None else convert


def _converted(name: str, convert: Converter | None, value: Any) -> Any:
    if convert is None:
        return value
    try:
        return convert(value)
    except UnfitValueError as misfit:
        raise ValidationError(f"the argument '{name}{misfit.keys}' {misfit.reason}") from None
