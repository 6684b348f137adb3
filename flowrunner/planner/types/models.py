"""Values for pydantic's models, where a plugin uses them: they are checked by pydantic itself.

It is asked in its lax mode, and again as if the value came as JSON. Only faults of the value's
form count: validators that look at a disk or a database may find another one on a worker.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

__all__ = ["ModelRefusal", "refusal_of_model"]

_COUNTED: Final = (
    *("missing", "extra_forbidden", "literal_error", "enum", "multiple_of", "int_from_float"),
    *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
    *("too_short", "too_long", "string_too_short", "string_too_long", "string_pattern_mismatch"),
    *("union_tag_invalid", "union_tag_not_found"),
)
_COUNTED_ENDS: Final = ("_type", "_parsing")


@dataclass(frozen=True)
class ModelRefusal:
    """The keys that lead to a fault, and what pydantic says of it."""

    keys: tuple[str | int, ...]
    reason: str


def refusal_of_model(hint: Any, value: Any) -> ModelRefusal | None:
    """Return why pydantic makes nothing of a value, or ``None`` where it does or cannot tell."""
    try:
        text = json.dumps(value)
        adapter = _adapter(hint)
    except Exception:  # something in the value is deferred, or the model is not complete
        return None
    if _refusal(lambda: adapter.validate_python(value)) is None:
        return None
    return _refusal(lambda: adapter.validate_json(text))


@lru_cache(maxsize=256)
def _adapter(hint: Any) -> Any:
    return sys.modules["pydantic"].TypeAdapter(hint)


def _refusal(validate: Any) -> ModelRefusal | None:
    try:
        validate()
    except sys.modules["pydantic"].ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            if fault["type"] in _COUNTED or fault["type"].endswith(_COUNTED_ENDS):
                return ModelRefusal(tuple(fault["loc"]), _as_written(fault["msg"]))
    except Exception:  # a validator of the plugin's own
        return None
    return None


def _as_written(message: str) -> str:
    return message[:1].lower() + message[1:]
