"""Values of a plan as JSON, also those that are not known yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from flowrunner.plan import Deferred, Secret

__all__ = ["value_document"]

_EXPRESSION: Final = "$expression"
_SECRET: Final = "$secret"  # noqa: S105
#: Keys of data that read as one of these, or would once a dollar is taken away.
_ALIKE: Final = re.compile(r"\$+(?:expression|secret)")


def value_document(value: Any) -> Any:
    """Return a value as JSON.

    ``{"$expression": "${prev.count}"}`` is one that run time says; ``{"$secret": "${env.TOKEN}"}``
    one that is put in where its message is made. In a mapping of the workflow's own with such a
    key, that has one dollar more.
    """
    match value:
        case Deferred():
            return {_EXPRESSION: value.text}
        case Secret():
            return {_SECRET: value.text}
        case list() | tuple():
            return list(map(value_document, value))
        case Mapping():
            return {_key(key): value_document(each) for key, each in value.items()}
        case _:
            return value


def _key(key: Any) -> Any:
    return f"${key}" if isinstance(key, str) and _ALIKE.fullmatch(key) else key
