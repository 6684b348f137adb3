"""How the tasks of shapes behave: what they raise, by what they are given and how often.

The one thing that the tasks and the evaluator share.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

#: What stands before each label in a run: the key of its trial.
KEY = re.compile(r"k\d+-[0-9a-f]{6}/")


def lot(arguments: Sequence[Any]) -> int:
    """Return a number that follows from a call's arguments, whatever the key of its trial is.

    What dicts hold does not count: the errors that handlers are given have tracebacks in them.
    """
    return crc32(KEY.sub("", _plain(arguments)).encode())


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return "{}" if isinstance(value, dict) else json.dumps(value)


PLANNED, PASSING = "PlannedFailureError", "PassingFailureError"

_ERRORS: dict[str, Callable[[Sequence[Any], int], str | None]] = {
    "fail": lambda arguments, attempt: PLANNED,
    "sometimes": lambda arguments, attempt: PLANNED if lot(arguments) % 2 else None,
    "fail_once": lambda arguments, attempt: PASSING if attempt == 1 else None,
    "fail_twice": lambda arguments, attempt: PASSING if attempt <= 2 else None,
}


def error_of(behaviour: str, arguments: Sequence[Any], attempt: int) -> str | None:
    """Return the type of the error that a call raises at an attempt, if it does."""
    decide = _ERRORS.get(behaviour)
    return None if decide is None else decide(arguments, attempt)
