"""What a step can know: the names of its expressions, and what comes before its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from flowrunner.plan import Secret

__all__ = [
    "LATE",
    "SECRET",
    "UNKNOWN",
    "Ended",
    "Inputs",
    "Late",
    "Scope",
    "StepValue",
    "Unknown",
    "is_unknown",
]


class Unknown:
    """A value that is not known while a file is checked: it hangs on an input without a value."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()


def is_unknown(value: Any) -> bool:
    """Tell whether a value, or anything in it, is not known."""
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    return value is UNKNOWN


class Late:
    """A value that run time gives to a name."""

    def __repr__(self) -> str:
        return "late"


LATE: Final = Late()


class SecretValue:
    """A value that has a secret in it, which only a message is given."""

    def __repr__(self) -> str:
        return "secret"


SECRET: Final = SecretValue()


class StepValue(Struct, frozen=True):
    """The value of a step that has an id: ``path`` is that of its :class:`~flowrunner.plan.Named`.

    It is ``None`` where the step has ``passed_nothing_on``: it gives what it is given, and nothing
    comes before it.
    """

    path: str
    passed_nothing_on: bool = False


#: What has certainly ended once a step has, by id: the step adds its own.
Ended: TypeAlias = dict[str, StepValue]


class Inputs:
    """The inputs of a file: their values, and which are not known, come late or are secret."""

    __slots__ = ("late", "secret", "unknown", "values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values: Mapping[str, Any] = values
        self.unknown = frozenset(name for name, value in values.items() if is_unknown(value))
        self.late = frozenset(name for name, value in values.items() if value is LATE)
        self.secret = frozenset(k for k, value in values.items() if isinstance(value, Secret))


class Scope(Struct, frozen=True):
    """What is known where a step stands.

    ``given`` says what comes before its calls' arguments, if anything does; with ``may_be_given``
    something may or may not. ``names`` are loop variables and ``prev``, ``ids`` the steps that have
    certainly ended. Nothing is evaluated in an ``idle`` step: it does not run. ``env`` are the
    variables of the environment that the file lists.
    """

    inputs: Inputs
    given: str | None = None
    names: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, StepValue] = field(default_factory=dict)
    may_be_given: bool = False
    idle: bool = False
    env: frozenset[str] = frozenset()

    def after(self, given: str, ended: dict[str, StepValue]) -> Scope:
        """Return the scope of what comes after a step, by whose end these ids have ended."""
        ids = dict(self.ids.items()) | ended if ended else self.ids
        names = {**self.names, "prev": LATE}
        return Scope(self.inputs, given, names, ids, idle=self.idle, env=self.env)

    def perhaps_after(self, given: str, ended: dict[str, StepValue]) -> Scope:
        """Return the scope of what comes after a step that may pass on that it is given nothing."""
        after = self.after(given, ended)
        return replace(after, may_be_given=True, names={**self.names, "prev": UNKNOWN})

    def with_given(self, given: str, value: Any, name: str = "prev") -> Scope:
        """Return the scope of a step that is given a value, for which ``name`` stands too."""
        names = {**self.names, "prev": value, name: value}
        # Not replace(), here and above: this is for every member of a fan-out.
        return Scope(self.inputs, given, names, self.ids, idle=self.idle, env=self.env)

    def with_name(self, name: str, value: Any) -> Scope:
        """Return the scope in which a name stands for a value."""
        return replace(self, names={**self.names, name: value})

    def with_ids(self, ended: dict[str, StepValue]) -> Scope:
        """Return the scope in which these ids have ended as well."""
        return replace(self, ids=dict(self.ids.items()) | ended)

    def out_of_use(self) -> Scope:
        """Return the scope of a step that does not run."""
        return replace(self, idle=True)
