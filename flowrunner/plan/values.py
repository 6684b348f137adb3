"""Values of a plan that are not data yet: run time, or the environment, has to say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowrunner.source import Location

__all__ = ["Deferred", "Secret", "has_secret", "is_open"]


@dataclass(frozen=True, slots=True)
class Deferred:
    """A value that is known once its step begins: a text with ``${…}`` in it.

    ``names`` holds what its names stand for, as far as planning could say: loop variables, and
    of ``inputs`` those that it uses. ``steps`` maps the ids that it uses to the paths of their
    :class:`~flowrunner.plan.Named` steps; ``prev`` is what its step is given. ``bare`` says that
    the text is an expression without ``${`` and ``}``: a condition.
    """

    text: str
    location: Location = field(compare=False, repr=False)
    names: Mapping[str, Any] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """A text with ``${env.NAME}`` in it, which stays one until it is put into a message.

    ``names`` holds whatever else it uses, other secrets among it.
    """

    text: str
    location: Location = field(compare=False, repr=False)
    names: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return repr(self.text)


def is_open(value: Any) -> bool:
    """Tell whether a value, or anything in it, is :class:`Deferred`."""
    if isinstance(value, Deferred):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(is_open, value))
    if isinstance(value, Mapping):
        return any(map(is_open, value.values()))
    return False


def has_secret(value: Any) -> bool:
    """Tell whether a value, or anything in it, is a :class:`Secret`."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(has_secret, value)) if value else False
    if isinstance(value, (dict, Mapping)):
        return any(map(has_secret, value.values())) if value else False
    return False
