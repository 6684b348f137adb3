"""What may travel between tasks: JSON values, unchanged.

Values between tasks are JSON on every engine (DESIGN section 1, *Data*). A tuple arrives as a
list; whatever else JSON would change or refuse is reported at the task that made it, instead
of as a wrong value three steps later.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final

__all__ = ["EXACT_FLOATS", "NotJSONError", "require_json", "shown", "whole_number"]

#: Deeper values could not be encoded: Python's JSON encoder recurses.
MAXIMUM_DEPTH: Final = 200
#: Python does not convert longer whole numbers to texts (``sys.set_int_max_str_digits``).
MAXIMUM_DIGITS: Final = 4300
_TOO_LARGE: Final = 10**MAXIMUM_DIGITS
#: Why a float beyond that is no integer: the number that was written may be another one.
EXACT_FLOATS: Final = "a float is exact only up to ±2^53; write the digits"


class NotJSONError(TypeError):
    """A task returned what JSON would change or refuse."""


def require_json(value: Any, where: str = "the result") -> None:
    """Raise :class:`NotJSONError`, naming what and where, unless JSON carries the value as is."""
    _check(value, where, 0)


def _check(value: Any, where: str, depth: int) -> None:
    if value is None:
        return
    if isinstance(value, str):
        if not value.isascii():
            _check_text(value, where)
        return
    if isinstance(value, int):
        if not -_TOO_LARGE < value < _TOO_LARGE:
            raise NotJSONError(
                f"{where} is an integer of more than {MAXIMUM_DIGITS} digits, which Python "
                f"does not write; return a string, for instance hex(value)"
            )
        return
    if isinstance(value, float):
        if not isfinite(value):
            raise NotJSONError(
                f"{where} is {value}, which JSON does not have; return None or a string"
            )
        return
    if depth >= MAXIMUM_DEPTH:
        raise NotJSONError(f"{where} is nested more than {MAXIMUM_DEPTH} levels deep")
    if isinstance(value, (list, tuple)):
        for position, item in enumerate(value):
            _check(item, f"{where}[{position}]", depth + 1)
    elif isinstance(value, dict):
        if value.keys() == {"__type__", "__value__"}:
            raise NotJSONError(
                f"{where} is a dict of only '__type__' and '__value__', which Celery's JSON "
                f"reserves; add a third key"
            )
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotJSONError(
                    f"{where} has the key {key!r}, a {type(key).__name__}; JSON has only "
                    f"strings as keys: use str(key)"
                )
            if not key.isascii():
                _check_text(key, f"a key of {where}")
            _check(item, f"{where}[{key!r}]", depth + 1)
    else:
        raise NotJSONError(f"{where} is a {_type_name(value)}; {_cure(value)}")


def _check_text(value: str, where: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotJSONError(
            f"{where} contains half of a surrogate pair; return a complete string"
        ) from None


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _cure(value: Any) -> str:
    if isinstance(value, (set, frozenset)):
        return "return a list, for instance sorted(…)"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "return a string, for instance value.decode() or base64"
    if hasattr(value, "isoformat"):
        return "return a string, for instance value.isoformat()"
    if type(value).__name__ in ("Decimal", "UUID"):
        return "return a string, for instance str(value)"
    if hasattr(value, "__dataclass_fields__"):
        return "return a dict, for instance dataclasses.asdict(value)"
    if hasattr(value, "model_dump"):
        return "return a dict, for instance value.model_dump(mode='json')"
    if hasattr(value, "__next__"):
        return "return a list, for instance list(…)"
    return "return None, a boolean, a number, a string, a list or a dict"


def shown(value: Any) -> str:
    """Return a value as people write it, cut to a line."""
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else f"'{value}'"
    return text if len(text) <= 60 else f"{text[:57]}…"


def whole_number(value: float) -> int | None:
    """Return a whole float as the integer; ``None`` beyond ±2^53, where floats are not exact."""
    return int(value) if abs(value) <= 2**53 else None
