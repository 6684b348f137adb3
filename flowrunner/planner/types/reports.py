"""What to say about values and results that do not fit."""

from __future__ import annotations

import re

from flowrunner.hints import forms
from flowrunner.hints.fitting import Misfit
from flowrunner.hints.words import hint_text, in_words, path_text
from flowrunner.planner.problems import Problems
from flowrunner.planner.types.written_values import Argument, WrittenValue, WrittenValues
from flowrunner.source import Location

__all__ = ["Reports"]

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?", re.ASCII)
_LAST_INDEX = re.compile(r"\[(\d+)\]$")


class Reports:
    """Reports every parameter of a written call once, however many calls it stands for."""

    def __init__(self, values: WrittenValues, problems: Problems) -> None:
        self.values = values
        self._problems = problems
        self._said: set[tuple[int, int, str]] = set()
        self._known = problems.places()

    def argument(self, argument: Argument, given: forms.Type, found: Misfit) -> None:
        """Report an argument that does not fit."""
        written = self.values.of_argument(argument, found.keys)
        is_index = written is None and argument.call.index is not None
        label = "it is the index; 'args: []' passes none" if is_index else ""
        self._report(argument, given, found, written, label)

    def previous(self, argument: Argument, given: forms.Type, found: Misfit) -> None:
        """Report that the previous result does not fit a call's first parameter."""
        call, parameter = argument.call, argument.parameter
        origin = found.origin or forms.Origin(given)
        if origin.item is not None and isinstance(found.given, forms.Value):
            number = _LAST_INDEX.search(origin.item.path)
            keys = (int(number[1]), *found.keys) if number else found.keys
            written = self.values.of_item(origin.item.location, keys)
            self._report(argument, found.given, found, written)
        elif self._is_new(argument, call.location):
            if isinstance(given, forms.Alternatives) and isinstance(found.given, forms.Value):
                given = found.given
            self._problems.report(
                f"task '{call.task}' gets {in_words(given)} and wants {hint_text(parameter.hint)}",
                call.location,
                _joined(found.reason, f"it comes as '{parameter.name}' of {argument.task.written}"),
                tuple(filter(None, [origin.note])),
            )

    def no_pydantic(self, argument: Argument) -> None:
        """Report a call of a task whose arguments pydantic has to make."""
        call, parameter = argument.call, argument.parameter
        if self._is_new(argument, call.location):
            self._problems.report(
                f"task '{call.task}' takes {hint_text(parameter.hint)} as '{parameter.name}', "
                "which needs pydantic",
                call.location,
                "install it here and for the workers: pip install pydantic",
            )

    def no_list(self, location: Location, given: forms.Type) -> None:
        """Report that an ``each`` is not given a list."""
        self._problems.report(f"'each' gets {in_words(given)} and needs a list", location)

    def _report(
        self,
        argument: Argument,
        given: forms.Type,
        found: Misfit,
        written: WrittenValue | None,
        label: str = "",
    ) -> None:
        task, parameter = argument.call.task, argument.parameter
        of_expression = written is not None and not written.is_literal
        if argument.doubt and of_expression and isinstance(given, forms.Value):
            return
        location = argument.call.location if written is None else written.location
        if not self._is_new(argument, location):
            return
        name = parameter.name + path_text(found.keys)
        if isinstance(found.wanted, forms.Model):
            wanted = hint_text(found.wanted.hint)
            message = f"task '{task}' gets a '{name}' that {wanted} refuses: {found.reason}"
            reason = ""
        else:
            wanted = in_words(found.wanted) if found.keys else hint_text(parameter.hint)
            message = f"task '{task}' gets {in_words(found.given)} as '{name}' and wants {wanted}"
            reason = found.reason or _cure(found, written)
        self._problems.report(
            message, location, _joined(reason, label, f"it is {argument.task.written}")
        )

    def _is_new(self, argument: Argument, location: Location) -> bool:
        if (id(location.source), location.start) in self._known:
            return False  # what is wrong there may be why
        call = argument.call.location
        key = (id(call.source), call.start, argument.parameter.name)
        is_new = key not in self._said
        self._said.add(key)
        return is_new


def _cure(found: Misfit, written: WrittenValue | None) -> str:
    wants_number = found.wanted in (forms.NUMBER, forms.WHOLE)
    if written is None or not isinstance(found.given, forms.Value) or not wants_number:
        return ""
    value = found.given.value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return "write it without quotes" if written.is_literal else "write int(…) or float(…)"
    if isinstance(value, float):
        return "write a whole number" if written.is_literal else "write round(…) or //"
    return ""


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))
