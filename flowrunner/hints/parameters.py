"""The hints of a function's parameters and of its result, with the names in them looked up."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, Final

from flowrunner.hints.reading import resolved

__all__ = ["POSITIONAL", "ParameterHints"]

POSITIONAL: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class ParameterHints:
    """Reads the hints of one function; ``Parameter.empty`` stands for a hint that cannot be read.

    ``converts`` says that pydantic's ``validate_call`` converts the arguments already.
    """

    def __init__(self, function: Callable[..., Any], signature: Signature) -> None:
        self.signature = signature
        self.converts = hasattr(function, "raw_function")
        self._namespace = _namespace(function)

    def of(self, parameter: Parameter) -> Any:
        """Return a parameter's hint."""
        return self._resolved(parameter.annotation)

    @property
    def result(self) -> Any:
        """The hint of the function's result."""
        return self._resolved(self.signature.return_annotation)

    def _resolved(self, annotation: Any) -> Any:
        if annotation is Parameter.empty:
            return annotation
        try:
            return resolved(annotation, self._namespace)
        except Exception:  # any expression can stand in an annotation, and fail
            return Parameter.empty


def _namespace(function: Any) -> dict[str, Any]:
    """Return the names that a function's annotations may use: those of its module."""
    inner = inspect.unwrap(function)
    found = getattr(inner, "__globals__", None) or getattr(
        type(inner).__call__, "__globals__", None
    )
    return found if isinstance(found, dict) else {}
