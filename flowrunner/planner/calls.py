"""Checking a call against the signature of its task's function."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import Parameter
from typing import Final

from msgspec import Struct

from flowrunner.suggestion import did_you_mean
from flowrunner.tasks import TaskDefinition

__all__ = ["ERROR", "ITEM", "OUTCOME", "PREVIOUS", "CallProblem", "check_call", "positional_names"]

#: What a step may be given as its first positional argument.
PREVIOUS: Final = "the previous result"
OUTCOME: Final = "the run's outcome"
ITEM: Final = "the item"
ERROR: Final = "the error"

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class CallProblem(Struct, frozen=True):
    """What is wrong with a call; ``keyword`` is the argument's name where it is one's fault."""

    message: str
    label: str
    keyword: str | None = None


def positional_names(definition: TaskDefinition) -> list[str]:
    """Return the names of the parameters that take positional arguments, in their order."""
    parameters = definition.signature.parameters.values()
    return [each.name for each in parameters if each.kind in _POSITIONAL]


def check_call(
    definition: TaskDefinition, *, given: str | None, args: int, keywords: Iterable[str]
) -> list[CallProblem]:
    """Return what is wrong with a call of ``args`` positional and some keyword arguments.

    ``given`` is what comes before them, :data:`PREVIOUS` or another of these, if anything does.
    """
    parameters = definition.signature.parameters
    positional = positional_names(definition)
    count = args + (given is not None)
    keywords = list(keywords)
    problems = _unknown_keywords(definition, keywords)
    takes_any = any(each.kind is Parameter.VAR_POSITIONAL for each in parameters.values())
    if count > len(positional) and not takes_any:
        problems.append(_too_many(definition, positional, count, given))
    filled = positional[:count]
    problems += (
        CallProblem(
            f"task '{definition.name}' receives the argument '{keyword}' twice",
            _twice_label(filled.index(keyword), given),
            keyword,
        )
        for keyword in keywords
        if keyword in filled and parameters[keyword].kind is not Parameter.POSITIONAL_ONLY
    )
    missing = [
        each.name
        for each in parameters.values()
        if each.default is Parameter.empty
        and each.kind in (*_POSITIONAL, Parameter.KEYWORD_ONLY)
        and each.name not in filled
        and (each.name not in keywords or each.kind is Parameter.POSITIONAL_ONLY)
    ]
    if missing:
        problems.append(_missing(definition, missing))
    return problems


def _unknown_keywords(definition: TaskDefinition, keywords: list[str]) -> list[CallProblem]:
    parameters = definition.signature.parameters
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values()):
        return []
    known = [
        each.name
        for each in parameters.values()
        if each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    ]
    problems = []
    for keyword in keywords:
        if keyword in known:
            continue
        label = did_you_mean(keyword, known, _signature_label(definition))
        message = f"task '{definition.name}' has no argument '{keyword}'"
        problems.append(CallProblem(message, label, keyword))
    return problems


def _too_many(
    definition: TaskDefinition, positional: list[str], count: int, given: str | None
) -> CallProblem:
    takes = "no positional argument" if not positional else f"at most {len(positional)}"
    if given is None:
        arguments = "1 positional argument" if count == 1 else f"{count} positional arguments"
        message = f"task '{definition.name}' receives {arguments} but takes {takes}"
        return CallProblem(message, _signature_label(definition))
    gets = (
        given
        if count == 1
        else f"{given} and {count - 1} more positional argument{'s'[: count - 2]}"
    )
    return CallProblem(
        f"task '{definition.name}' receives {gets} but takes {takes}",
        f"{_signature_label(definition)}; to omit {given}, use 'immutable: true'",
    )


def _twice_label(position: int, given: str | None) -> str:
    if given is not None and position == 0:
        return f"{given} comes first; to omit it, use 'immutable: true'"
    return "pass it once: by position or by name ('args: []' omits the index of xN)"


def _missing(definition: TaskDefinition, missing: list[str]) -> CallProblem:
    names = ", ".join(f"'{name}'" for name in missing)
    plural = "s" if len(missing) > 1 else ""
    return CallProblem(
        f"task '{definition.name}' needs the argument{plural} {names}",
        _signature_label(definition),
    )


def _signature_label(definition: TaskDefinition) -> str:
    return f"the signature is {definition.name}{definition.signature}"
