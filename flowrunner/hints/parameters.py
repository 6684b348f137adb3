"""A function's parameters with their hints, found by the position or the name of an argument."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, Generic, TypeVar

__all__ = ["ParameterHints", "Parameters"]

Item = TypeVar("Item")


class Parameters(Generic[Item]):
    """What ``make`` returns for each parameter of a function, by position and by name."""

    def __init__(self, signature: Signature, make: Callable[[Parameter], Item]) -> None:
        self._positional: list[Item] = []
        self._named: dict[str, Item] = {}
        self._further: dict[Any, Item] = {}
        self.all = [make(parameter) for parameter in signature.parameters.values()]
        for parameter, item in zip(signature.parameters.values(), self.all, strict=True):
            if parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
                self._positional.append(item)
            if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
                self._named[parameter.name] = item
            if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
                self._further[parameter.kind] = item

    def at(self, position: int) -> Item | None:
        """Return the item of the parameter that receives a positional argument."""
        if position < len(self._positional):
            return self._positional[position]
        return self._further.get(Parameter.VAR_POSITIONAL)

    def named(self, name: str) -> Item | None:
        """Return the item of the parameter that receives a keyword argument."""
        return self._named.get(name, self._further.get(Parameter.VAR_KEYWORD))


class ParameterHints:
    """Reads the hints of one function; ``Parameter.empty`` stands for a hint that cannot be read.

    ``converts`` tells that pydantic's ``validate_call`` converts the arguments already.
    """

    def __init__(self, function: Callable[..., Any], signature: Signature) -> None:
        self.converts = hasattr(function, "raw_function")
        self._returned = signature.return_annotation
        inner: Any = inspect.unwrap(function)
        called = inner if hasattr(inner, "__globals__") else type(inner).__call__
        self._namespace = getattr(called, "__globals__", None)

    def of(self, parameter: Parameter) -> Any:
        """Return a parameter's hint."""
        return self._resolved(parameter.annotation)

    @property
    def result(self) -> Any:
        """The hint of the function's result."""
        return self._resolved(self._returned)

    def _resolved(self, annotation: Any) -> Any:
        holder = types.SimpleNamespace(__annotations__={"hint": annotation})
        try:
            return typing.get_type_hints(holder, self._namespace, include_extras=True)["hint"]
        except Exception:  # any expression can stand in an annotation, and fail
            return Parameter.empty
