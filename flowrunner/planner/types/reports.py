"""What to say about values and results that do not fit."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from flowrunner import plan
from flowrunner.hints.forms import NUMBER, WHOLE, Alternatives, Model, Type, Value
from flowrunner.hints.words import hint_text, in_words
from flowrunner.planner.problems import Problems
from flowrunner.planner.types.fitting import Misfit
from flowrunner.planner.types.places import Place, Places
from flowrunner.planner.types.signatures import Taken, TaskTypes
from flowrunner.source import Location

__all__ = ["Argument", "Reports"]

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?", re.ASCII)
_LAST_INDEX = re.compile(r"\[(\d+)\]$")


class Argument(Struct, frozen=True):
    """An argument as a call gives it: by position or by name.

    ``item`` leads to it within the items of a ``map``, ``starmap`` or ``chunks``.
    """

    call: plan.Call
    task: TaskTypes
    taken: Taken
    key: int | str
    item: tuple[int, ...] = ()


class Reports:
    """Reports every parameter of a written call once, however many calls it stands for.

    ``doubt`` says that the call may never be made: what an expression gives to it may depend
    on the same as the condition does, and is not reported.
    """

    def __init__(self, places: Places, problems: Problems) -> None:
        self._places = places
        self._problems = problems
        self._said: set[tuple[int, int, str]] = set()
        self._known = problems.places()

    def type_of_input(self, argument: Argument) -> Type:
        """Return the type of an argument that an input gives which has no value yet."""
        definition = argument.task.definition
        return self._places.type_of_input(argument.call, definition, argument.key, argument.item)

    def argument(self, argument: Argument, given: Type, found: Misfit, *, doubt: bool) -> None:
        """Report an argument that does not fit."""
        call, taken = argument.call, argument.taken
        place = self._places.of_argument(
            call, argument.task.definition, argument.key, (*argument.item, *found.keys)
        )
        if doubt and place is not None and not place.written and isinstance(given, Value):
            return
        label = ""
        if place is None and call.index is not None:
            label = "it is the index; 'args: []' passes none"
        self._report(call, argument.task, taken, found, place, label)

    def previous(
        self,
        call: plan.Call,
        task: TaskTypes,
        taken: Taken,
        given: Type,
        found: Misfit,
        *,
        doubt: bool,
    ) -> None:
        """Report that what comes before a call does not fit its first parameter."""
        item = found.origin.item if found.origin is not None else None
        if item is not None and isinstance(found.given, Value):
            number = _LAST_INDEX.search(item.path)
            keys = (int(number[1]), *found.keys) if number else found.keys
            place = self._places.of_item(item.location, keys)
            if not (doubt and place is not None and not place.written):
                self._report(call, task, taken, found, place, "")
        elif self._is_new(call, taken, call.location):
            note = found.origin.note if found.origin is not None else ""
            if isinstance(given, Alternatives) and isinstance(found.given, Value):
                given = found.given
            self._problems.report(
                f"task '{call.task}' gets {in_words(given)} and wants {hint_text(taken.hint)}",
                call.location,
                _joined(found.reason, f"it comes as '{taken.name}' of {task.written}"),
                (note,) if note else (),
            )

    def no_pydantic(self, call: plan.Call, taken: Taken) -> None:
        """Report a call of a task whose arguments pydantic has to make."""
        if self._is_new(call, taken, call.location):
            self._problems.report(
                f"task '{call.task}' takes {hint_text(taken.hint)} as '{taken.name}', which needs "
                f"pydantic",
                call.location,
                "install it here and for the workers: pip install pydantic",
            )

    def no_list(self, location: Location, given: Type) -> None:
        """Report that an ``each`` is not given a list."""
        self._problems.report(f"'each' gets {in_words(given)} and needs a list", location)

    def _report(
        self,
        call: plan.Call,
        task: TaskTypes,
        taken: Taken,
        found: Misfit,
        place: Place | None,
        label: str,
    ) -> None:
        location = call.location if place is None else place.location
        if not self._is_new(call, taken, location):
            return
        where, hint = _name(taken.name, found.keys), hint_text(taken.hint)
        if isinstance(found.wanted, Model):
            wanted = hint_text(found.wanted.hint)
            message = f"task '{call.task}' gets a '{where}' that {wanted} refuses: {found.reason}"
            reason = ""
        else:
            wanted = in_words(found.wanted) if found.keys else hint
            message = f"task '{call.task}' gets {in_words(found.given)} as '{where}'"
            message += f" and wants {wanted}"
            reason = found.reason or _cure(found, place)
        self._problems.report(
            message,
            location,
            _joined(reason, label, f"it is {task.written}"),
        )

    def _is_new(self, call: plan.Call, taken: Taken, location: Location) -> bool:
        if (id(location.source), location.start) in self._known:
            return False  # what is wrong there may be why
        key = (id(call.location.source), call.location.start, taken.name)
        if key in self._said:
            return False
        self._said.add(key)
        return True


def _name(parameter: str, keys: tuple[Any, ...]) -> str:
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return parameter + "".join(parts)


def _cure(found: Misfit, place: Place | None) -> str:
    if place is None or not isinstance(found.given, Value) or found.wanted not in (NUMBER, WHOLE):
        return ""
    value = found.given.value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return "write it without quotes" if place.written else "write int(…) or float(…)"
    if isinstance(value, float):
        return "write a whole number" if place.written else "write round(…) or //"
    return ""


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))
