"""The functions that expressions may call."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import fsum
from typing import Any, Final, NamedTuple, TypeAlias

from flowrunner.expressions.conversion import as_text, require_text_length
from flowrunner.expressions.errors import OperandError
from flowrunner.expressions.kinds import (
    BOOLEAN,
    DICT,
    LIST,
    NUMBER,
    TEXT,
    kind_of,
    kinds_in,
    require_number,
)
from flowrunner.expressions.limits import Work
from flowrunner.expressions.operations import calculated, require_list_length
from flowrunner.suggestion import quoted

__all__ = ["FUNCTIONS", "Function"]

Arguments: TypeAlias = Sequence[Any]

#: Longer texts are no numbers that anyone wrote; reading them takes quadratic time.
_LONGEST_NUMBER: Final = 400
# Plain ASCII: Python also reads other scripts' digits and 1_000.
_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
#: Converting an item is Python code, several times the price of a copied one.
_STEPS_PER_TEXT: Final = 4
#: Rounding an integer to minus a billion digits would compute 10**1_000_000_000.
_MOST_DIGITS: Final = 308


class Function(NamedTuple):
    """A function with how many arguments it takes, and how to write its call.

    ``call`` gets the arguments and raises :class:`OperandError`. ``most`` is ``None`` where
    there is no limit.
    """

    call: Callable[[Arguments, Work], Any]
    least: int
    most: int | None
    usage: str


def _require(arguments: Arguments, position: int, kind: str, name: str) -> Any:
    value = arguments[position]
    given = kind_of(value)
    if given is not kind:
        cure = ": write (1 if … else 0)" if kind is NUMBER and given is BOOLEAN else ""
        raise OperandError(f"{name} needs {kind} here, but this is {given}{cure}", position)
    return value


def _require_whole(arguments: Arguments, position: int, name: str) -> int:
    value = _require(arguments, position, NUMBER, name)
    if isinstance(value, float):
        raise OperandError(f"{name} needs an integer here: write int(…) or use //", position)
    return int(value)


def _length(arguments: Arguments, work: Work) -> int:
    kind = kind_of(arguments[0])
    if kind not in (TEXT, LIST, DICT):
        raise OperandError(f"len needs a string, a list or a mapping, but this is {kind}", 0)
    return len(arguments[0])


def _spend_on_ordering(values: Sequence[Any], name: str, rounds: int, work: Work) -> None:
    work.spend(len(values))
    kinds = kinds_in(values)
    if kinds - {NUMBER} and kinds - {TEXT}:
        raise OperandError(
            f"{name} compares only numbers or only strings, not {' and '.join(sorted(kinds))}"
        )
    if kinds == {TEXT}:
        work.spend_on_characters(sum(map(len, values)) * rounds)


def _extreme(name: str, choose: Callable[[Sequence[Any]], Any]) -> Function:
    def call(arguments: Arguments, work: Work) -> Any:
        values = arguments
        if len(arguments) == 1:
            kind = kind_of(arguments[0])
            if kind is not LIST:
                raise OperandError(
                    f"{name} needs a list, or two values or more, but this is {kind}", 0
                )
            values = arguments[0]
        if not values:
            raise OperandError(f"{name} needs at least one item, but the list is empty", 0)
        _spend_on_ordering(values, name, 1, work)
        return choose(values)

    return Function(call, 1, None, f"{name}(list) or {name}(a, b, …)")


def _sum(arguments: Arguments, work: Work) -> Any:
    values = _require(arguments, 0, LIST, "sum")
    work.spend(len(values))
    other = kinds_in(values) - {NUMBER}
    if other:
        cure = ": write join(list) for strings" if TEXT in other else ""
        raise OperandError(f"sum adds numbers only, but the list has {min(other)}{cure}", 0)
    # Python's own sum of floats changed with 3.12; fsum is exact in every version.
    return calculated(fsum if float in set(map(type, values)) else sum, values)


def _range(arguments: Arguments, work: Work) -> list[int]:
    numbers = [_require_whole(arguments, each, "range") for each in range(len(arguments))]
    if len(numbers) == 1:
        numbers.insert(0, 0)
    start, stop, step = numbers if len(numbers) == 3 else (*numbers, 1)
    if step == 0:
        raise OperandError("range needs a step other than 0", 2)
    length = max(0, -((start - stop) // step))
    require_list_length(length)
    work.spend(length)
    return list(range(start, stop, step))


def _abs(arguments: Arguments, work: Work) -> Any:
    return calculated(abs, _require(arguments, 0, NUMBER, "abs"))


def _round(arguments: Arguments, work: Work) -> Any:
    value = _require(arguments, 0, NUMBER, "round")
    require_number(value)
    if len(arguments) == 1:
        return calculated(round, value)
    digits = _require_whole(arguments, 1, "round")
    if abs(digits) > _MOST_DIGITS:
        raise OperandError(f"round takes {-_MOST_DIGITS} to {_MOST_DIGITS} digits", 1)
    return calculated(round, value, digits)


def _str(arguments: Arguments, work: Work) -> str:
    return as_text(arguments[0], work)


def _converted(arguments: Arguments, name: str, form: re.Pattern[str], type_: type) -> Any:
    value = arguments[0]
    kind = kind_of(value)
    if kind is TEXT:
        if len(value) > _LONGEST_NUMBER or not form.fullmatch(value):
            wanted = (
                "write digits, with at most a sign"
                if type_ is int
                else "write for example 1.5 or -2e3"
            )
            cure = "; write int(float(…))" if type_ is int and _FLOAT.fullmatch(value[:400]) else ""
            if len(value) > _LONGEST_NUMBER:
                wanted, cure = f"it has more than {_LONGEST_NUMBER} characters", ""
            raise OperandError(f"{name} cannot read {quoted(value)}: {wanted}{cure}", 0)
    elif kind is NUMBER:
        require_number(value)
    else:
        cure = ": write (1 if … else 0)" if kind is BOOLEAN else ""
        raise OperandError(f"{name} needs a number or a string, but this is {kind}{cure}", 0)
    return calculated(type_, value)


def _int(arguments: Arguments, work: Work) -> Any:
    return _converted(arguments, "int", _INTEGER, int)


def _float(arguments: Arguments, work: Work) -> Any:
    return _converted(arguments, "float", _FLOAT, float)


def _sorted(arguments: Arguments, work: Work) -> list[Any]:
    values = _require(arguments, 0, LIST, "sorted")
    require_list_length(len(values))
    _spend_on_ordering(values, "sorted", len(values).bit_length(), work)
    return sorted(values)


def _keys(arguments: Arguments, work: Work) -> list[str]:
    mapping = _require(arguments, 0, DICT, "keys")
    require_list_length(len(mapping))
    work.spend(len(mapping))
    return list(mapping)


def _join(arguments: Arguments, work: Work) -> str:
    items = _require(arguments, 0, LIST, "join")
    separator = _require(arguments, 1, TEXT, "join") if len(arguments) == 2 else ""
    work.spend(len(items) * _STEPS_PER_TEXT)
    length = len(separator) * max(0, len(items) - 1)
    require_text_length(length)
    texts: list[str] = []
    for item in items:
        text = as_text(item, work)
        length += len(text)
        require_text_length(length)
        texts.append(text)
    work.spend_on_characters(length)
    return separator.join(texts)


#: What can be called, by name.
FUNCTIONS: Final[dict[str, Function]] = {
    "abs": Function(_abs, 1, 1, "abs(number)"),
    "float": Function(_float, 1, 1, "float(value)"),
    "int": Function(_int, 1, 1, "int(value)"),
    "join": Function(_join, 1, 2, "join(list) or join(list, separator)"),
    "keys": Function(_keys, 1, 1, "keys(mapping)"),
    "len": Function(_length, 1, 1, "len(value)"),
    "max": _extreme("max", max),
    "min": _extreme("min", min),
    "range": Function(_range, 1, 3, "range(stop), range(start, stop) or range(start, stop, step)"),
    "round": Function(_round, 1, 2, "round(number) or round(number, digits)"),
    "sorted": Function(_sorted, 1, 1, "sorted(list)"),
    "str": Function(_str, 1, 1, "str(value)"),
    "sum": Function(_sum, 1, 1, "sum(list)"),
}
