"""What to say about values and results that do not fit."""

from __future__ import annotations

import re

from msgspec import Struct

from flowrunner import plan
from flowrunner.hints import forms
from flowrunner.hints.fitting import Misfit
from flowrunner.hints.words import hint_text, in_words, path_text
from flowrunner.planner.problems import Problems
from flowrunner.planner.types.places import Place, Places
from flowrunner.planner.types.signatures import Taken, TaskTypes
from flowrunner.source import Location

__all__ = ["Argument", "Reports"]

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?", re.ASCII)
_LAST_INDEX = re.compile(r"\[(\d+)\]$")


class Argument(Struct, frozen=True):
    """An argument of a call, by position or by name.

    ``item`` leads to it within the items of a ``map``, ``starmap`` or ``chunks``.
    """

    call: plan.Call
    task: TaskTypes
    taken: Taken
    key: int | str
    item: tuple[int, ...] = ()


class Reports:
    """Reports every parameter of a written call once, however many calls it stands for.

    ``doubt`` tells that the call may never be made: an expression in it may depend on the same
    as the condition does, and is not reported.
    """

    def __init__(self, places: Places, problems: Problems) -> None:
        self._places = places
        self._problems = problems
        self._said: set[tuple[int, int, str]] = set()
        self._known = problems.places()

    def type_of_input(self, argument: Argument) -> forms.Type:
        """Return the type of an argument that is an input without a value."""
        definition = argument.task.definition
        return self._places.type_of_input(argument.call, definition, argument.key, argument.item)

    def argument(
        self, argument: Argument, given: forms.Type, found: Misfit, *, doubt: bool
    ) -> None:
        """Report an argument that does not fit."""
        call, definition = argument.call, argument.task.definition
        keys = (*argument.item, *found.keys)
        place = self._places.of_argument(call, definition, argument.key, keys)
        of_expression = place is not None and not place.written and isinstance(given, forms.Value)
        if doubt and of_expression:
            return
        is_index = place is None and call.index is not None
        label = "it is the index; 'args: []' passes none" if is_index else ""
        self._report(argument, found, place, label)

    def previous(
        self, argument: Argument, given: forms.Type, found: Misfit, *, doubt: bool
    ) -> None:
        """Report that the previous result does not fit a call's first parameter."""
        call, taken = argument.call, argument.taken
        origin = found.origin or forms.Origin(given)
        if origin.item is not None and isinstance(found.given, forms.Value):
            number = _LAST_INDEX.search(origin.item.path)
            keys = (int(number[1]), *found.keys) if number else found.keys
            place = self._places.of_item(origin.item.location, keys)
            if not (doubt and place is not None and not place.written):
                self._report(argument, found, place)
        elif self._is_new(argument, call.location):
            if isinstance(given, forms.Alternatives) and isinstance(found.given, forms.Value):
                given = found.given
            self._problems.report(
                f"task '{call.task}' gets {in_words(given)} and wants {hint_text(taken.hint)}",
                call.location,
                _joined(found.reason, f"it comes as '{taken.name}' of {argument.task.written}"),
                tuple(filter(None, [origin.note])),
            )

    def no_pydantic(self, call: plan.Call, task: TaskTypes, taken: Taken) -> None:
        """Report a call of a task whose arguments pydantic has to make."""
        if self._is_new(Argument(call, task, taken, 0), call.location):
            self._problems.report(
                f"task '{call.task}' takes {hint_text(taken.hint)} as '{taken.name}', which needs "
                f"pydantic",
                call.location,
                "install it here and for the workers: pip install pydantic",
            )

    def no_list(self, location: Location, given: forms.Type) -> None:
        """Report that an ``each`` is not given a list."""
        self._problems.report(f"'each' gets {in_words(given)} and needs a list", location)

    def _report(
        self, argument: Argument, found: Misfit, place: Place | None, label: str = ""
    ) -> None:
        task, taken = argument.call.task, argument.taken
        location = argument.call.location if place is None else place.location
        if not self._is_new(argument, location):
            return
        name = taken.name + path_text(found.keys)
        if isinstance(found.wanted, forms.Model):
            wanted = hint_text(found.wanted.hint)
            message = f"task '{task}' gets a '{name}' that {wanted} refuses: {found.reason}"
            reason = ""
        else:
            given = in_words(found.given)
            wanted = in_words(found.wanted) if found.keys else hint_text(taken.hint)
            message = f"task '{task}' gets {given} as '{name}' and wants {wanted}"
            reason = found.reason or _cure(found, place)
        self._problems.report(
            message, location, _joined(reason, label, f"it is {argument.task.written}")
        )

    def _is_new(self, argument: Argument, location: Location) -> bool:
        if (id(location.source), location.start) in self._known:
            return False  # what is wrong there may be why
        call = argument.call.location
        key = (id(call.source), call.start, argument.taken.name)
        is_new = key not in self._said
        self._said.add(key)
        return is_new


def _cure(found: Misfit, place: Place | None) -> str:
    wants_number = found.wanted in (forms.NUMBER, forms.WHOLE)
    if place is None or not isinstance(found.given, forms.Value) or not wants_number:
        return ""
    value = found.given.value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return "write it without quotes" if place.written else "write int(…) or float(…)"
    if isinstance(value, float):
        return "write a whole number" if place.written else "write round(…) or //"
    return ""


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))
