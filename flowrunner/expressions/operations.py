"""The operators, on values that are known.

Python's meaning, over JSON's kinds: nothing is converted silently, and what would not be JSON
or would be too large is refused before the work is done. Every function raises
:class:`OperandError`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from flowrunner.expressions.conversion import require_text_length
from flowrunner.expressions.errors import OperandError
from flowrunner.expressions.kinds import BOOLEAN, DICT, LIST, NULL, NUMBER, TEXT, kind_of
from flowrunner.expressions.limits import LARGEST_INTEGER, LONGEST_LIST, SMALLEST_INTEGER, Work
from flowrunner.suggestion import quoted, suggestion

__all__ = [
    "BINARY",
    "COMPARISONS",
    "Operation",
    "calculated",
    "negated",
    "positive",
    "require_boolean",
    "require_list_length",
    "selected",
]

Operation: TypeAlias = Callable[[Any, Any, Work], Any]

#: Comparing one pair of values is Python code, several times the price of a copied item.
_STEPS_PER_COMPARISON: Final = 5
#: What it takes to see that two items of lists are the same integer.
_STEPS_PER_PAIR: Final = 2
#: Below this length Python may search a text in quadratic time.
_SHORT_TEXT: Final = 30_000

_BOOLEAN_CURES: Final = {
    NULL: "compare it, for example … != null",
    NUMBER: "compare it, for example … != 0",
    TEXT: "compare it, for example len(…) > 0",
    LIST: "compare it, for example len(…) > 0",
    DICT: "compare it, for example len(…) > 0",
}


def require_boolean(value: Any, what: str) -> bool:
    """Return a boolean, and refuse anything else: JSON has no truth of other kinds."""
    kind = kind_of(value)
    if kind is not BOOLEAN:
        raise OperandError(f"{what} needs a boolean, but this is {kind}: {_BOOLEAN_CURES[kind]}")
    return bool(value)


def require_list_length(items: int) -> None:
    """Refuse a list that is too long."""
    if items > LONGEST_LIST:
        raise OperandError(f"the list would have more than {LONGEST_LIST:,} items")


def calculated(calculate: Callable[..., Any], *numbers: Any) -> Any:
    """Return the result of a calculation with numbers, if JSON readers can hold it."""
    try:
        result = calculate(*numbers)
    except ZeroDivisionError:
        raise OperandError("division by zero", len(numbers) - 1) from None
    except OverflowError:
        raise OperandError("the result is too large for a number") from None
    if isinstance(result, float):
        if result - result != 0:  # NaN or infinite; cheaper than a call
            fault = "no number" if result != result else "too large for a number"
            raise OperandError(f"the result is {fault}")
    elif not SMALLEST_INTEGER <= result <= LARGEST_INTEGER:
        raise OperandError("the result is outside the integers that fit: -2**63 to 2**63 - 1")
    return result


def negated(value: Any) -> Any:
    """Return -value."""
    return calculated(operator.neg, _signed(value, "-"))


def positive(value: Any) -> Any:
    """Return +value."""
    return calculated(operator.pos, _signed(value, "+"))


def _signed(value: Any, sign: str) -> Any:
    kind = kind_of(value)
    if kind is not NUMBER:
        raise OperandError(f"'{sign}' needs a number, but this is {kind}{_number_cure(kind)}", 0)
    return value


def _number_cure(*kinds: str) -> str:
    if BOOLEAN in kinds:
        return ": write (1 if … else 0) for a boolean"
    if TEXT in kinds:
        return ": write int(…) or float(…) for a string"
    return ""


def _add(left: Any, right: Any, work: Work) -> Any:
    kind, other = kind_of(left), kind_of(right)
    if kind is other:
        if kind is NUMBER:
            return calculated(operator.add, left, right)
        if kind is TEXT:
            require_text_length(len(left) + len(right))
            work.spend_on_characters(len(left) + len(right))
            return left + right
        if kind is LIST:
            require_list_length(len(left) + len(right))
            work.spend(len(left) + len(right))
            return left + right
    if TEXT in (kind, other):
        converted = other if kind is TEXT else kind
        cure = f": write str(…) around {converted.replace('a ', 'the ')}"
    elif LIST in (kind, other):
        cure = ": write [ ] around the single item"
    else:
        cure = _number_cure(kind, other)
    raise OperandError(f"'+' cannot join {kind} and {other}{cure}")


def _multiply(left: Any, right: Any, work: Work) -> Any:
    kind, other = kind_of(left), kind_of(right)
    if kind is NUMBER:
        if other is NUMBER:
            return calculated(operator.mul, left, right)
        left, right, kind, other = right, left, other, kind
    if other is NUMBER and kind in (TEXT, LIST):
        if isinstance(right, float):
            raise OperandError(f"{kind} is repeated by an integer: write int(…)")
        length = len(left) * max(right, 0)
        if kind is TEXT:
            require_text_length(length)
            work.spend_on_characters(length)
        else:
            require_list_length(length)
            work.spend(length)
        # An empty one times 10**30 would be an OverflowError of Python's.
        return left * right if length else left[:0]
    raise OperandError(f"'*' cannot multiply {kind} and {other}{_number_cure(kind, other)}")


def _arithmetic(sign: str, calculate: Callable[[Any, Any], Any]) -> Operation:
    def apply(left: Any, right: Any, work: Work) -> Any:
        kind, other = kind_of(left), kind_of(right)
        if kind is not NUMBER or other is not NUMBER:
            cure = _number_cure(kind, other)
            if sign == "%" and kind is TEXT:
                cure = ": to format a string, join strings with + and str(…)"
            raise OperandError(f"'{sign}' needs two numbers, but has {kind} and {other}{cure}")
        return calculated(calculate, left, right)

    return apply


#: The operators between two values.
BINARY: Final[dict[str, Operation]] = {
    "+": _add,
    "-": _arithmetic("-", operator.sub),
    "*": _multiply,
    "/": _arithmetic("/", operator.truediv),
    "//": _arithmetic("//", operator.floordiv),
    "%": _arithmetic("%", operator.mod),
}


def _equal(left: Any, right: Any, work: Work) -> bool:
    """Compare by kind first, at every depth: 1 is 1.0 but not true."""
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        work.spend(_STEPS_PER_COMPARISON)
        kind = kind_of(left)
        if kind is not kind_of(right):
            return False
        if kind is LIST:
            if len(left) != len(right):
                return False
            work.spend(len(left) * _STEPS_PER_PAIR)
            pairs.extend(pair for pair in zip(left, right, strict=True) if not _same(*pair))
        elif kind is DICT:
            work.spend(len(left))
            if left.keys() != right.keys():
                return False
            pairs.extend((value, right[key]) for key, value in left.items())
        else:
            if kind is TEXT:
                work.spend_on_characters(min(len(left), len(right)))
            if left != right:
                return False
    return True


def _same(left: Any, right: Any) -> bool:
    """Tell at once that two integers, or two uses of one string, are equal."""
    kind = type(left)
    return (kind is int and kind is type(right) and left == right) or (
        kind is str and left is right
    )


def _different(left: Any, right: Any, work: Work) -> bool:
    return not _equal(left, right, work)


def _ordered(sign: str, compare: Callable[[Any, Any], Any]) -> Operation:
    def apply(left: Any, right: Any, work: Work) -> bool:
        kind, other = kind_of(left), kind_of(right)
        if kind is not other or kind not in (NUMBER, TEXT):
            cure = _number_cure(kind, other) if NUMBER in (kind, other) else ""
            raise OperandError(
                f"'{sign}' compares two numbers or two strings, not {kind} and {other}{cure}"
            )
        if kind is TEXT:
            work.spend_on_characters(min(len(left), len(right)))
        return bool(compare(left, right))

    return apply


def _contained(left: Any, right: Any, work: Work) -> bool:
    kind, container = kind_of(left), kind_of(right)
    if container is LIST:
        return _among(left, kind, right, work)
    if container is TEXT and kind is TEXT:
        if len(right) < _SHORT_TEXT:
            work.spend(len(right) * min(len(left), 64) // 64)
        work.spend(len(right) // 8)
        return left in right
    if container is DICT and kind is TEXT:
        return left in right
    if container in (TEXT, DICT):
        searched = "another string" if container is TEXT else "the keys of a mapping"
        raise OperandError(f"'in' looks for a string in {searched}, but this is {kind}", 0)
    raise OperandError(f"'in' looks into a list, a string or a mapping, but this is {container}", 1)


def _among(left: Any, kind: str, items: list[Any], work: Work) -> bool:
    if kind in (LIST, DICT):
        return any(_equal(left, item, work) for item in items)
    work.spend(len(items))
    if kind is TEXT:
        work.spend_on_characters(sum(len(each) for each in items if isinstance(each, str)))
        return left in items
    if kind is NUMBER:
        return any(each == left for each in items if type(each) is not bool)
    return any(each is left for each in items)


def _not_contained(left: Any, right: Any, work: Work) -> bool:
    return not _contained(left, right, work)


#: The operators that give a boolean and can be chained.
COMPARISONS: Final[dict[str, Operation]] = {
    "==": _equal,
    "!=": _different,
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
    "in": _contained,
    "not in": _not_contained,
}


def selected(container: Any, key: Any, *, by_name: bool) -> Any:
    """Return an item of a list or a dict; ``by_name`` tells ``a.b`` from ``a['b']``."""
    kind, wanted = kind_of(container), kind_of(key)
    if kind is DICT:
        if wanted is not TEXT:
            raise OperandError(f"the keys of a mapping are strings, but this is {wanted}", 1)
        if key not in container:
            raise OperandError(f"no key {quoted(key)}; {suggestion(key, container, 'keys')}")
        return container[key]
    if kind is LIST and not by_name:
        if wanted is not NUMBER or isinstance(key, float):
            what = "a number with a fraction" if wanted is NUMBER else wanted
            raise OperandError(f"a list's items are counted 0, 1, 2, …, but this is {what}", 1)
        if not -len(container) <= key < len(container):
            raise OperandError(_out_of_range(len(container), key))
        return container[key]
    if by_name:
        cure = ": write …[0] for an item" if kind is LIST else ""
        raise OperandError(f"{kind} has no keys, so no {quoted(key)}{cure}")
    raise OperandError(f"only lists and mappings have items, but this is {kind}")


def _out_of_range(length: int, index: int) -> str:
    if not length:
        return "the list is empty, so it has no items"
    last = f"0 to {length - 1}" if length > 1 else "0"
    # Python refuses to write integers of thousands of digits, which a name may hold.
    number = f" {index}" if SMALLEST_INTEGER <= index <= LARGEST_INTEGER else " so far out"
    return f"no item{number}: the list has {last}"
