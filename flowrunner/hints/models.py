"""Models: pydantic's, and dataclasses, which pydantic makes of JSON as well.

pydantic is imported when the first value meets such a hint. It is asked as Celery's
``@shared_task(pydantic=True)`` asks it: leniently, since values come as JSON. Before a run only
faults of a value's form count: validators may look at a disk or a database of the worker's.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import typing
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from flowrunner.hints.forms import DEEPEST

__all__ = [
    "can_make_models",
    "dumped",
    "has_model",
    "is_dataclass",
    "is_model",
    "made",
    "named_hint",
    "refusal_of_model",
]

_COUNTED: Final = (
    *("missing", "extra_forbidden", "literal_error", "enum", "multiple_of", "int_from_float"),
    *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
    *("too_short", "too_long", "string_too_short", "string_too_long", "string_pattern_mismatch"),
    *("union_tag_invalid", "union_tag_not_found", "unexpected_keyword_argument"),
)
_COUNTED_ENDS: Final = ("_type", "_parsing")


def is_dataclass(hint: Any) -> bool:
    """Tell whether a hint is a dataclass."""
    kind = typing.get_origin(hint) or hint
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def is_model(hint: Any) -> bool:
    """Tell whether a hint is a pydantic model or a dataclass."""
    kind = typing.get_origin(hint) or hint
    # A plugin that uses pydantic has imported it.
    base = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    return is_dataclass(hint) or (
        isinstance(kind, type) and isinstance(base, type) and issubclass(kind, base)
    )


def named_hint(hint: Any) -> Any:
    """Return the hint that a ``NewType`` or a type alias names; ``None`` for any other hint."""
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    # Python 3.12: type X = …
    return hint.__value__ if type(hint).__name__ == "TypeAliasType" else None


def has_model(hint: Any, is_one: Callable[[Any], bool] = is_model, depth: int = 0) -> bool:
    """Tell whether a hint is a model, or has one among its items, values or alternatives."""
    if is_one(hint):
        return True
    if depth > DEEPEST or typing.get_origin(hint) is type:
        return False
    named = named_hint(hint)
    inner = typing.get_args(hint) if named is None else (named,)
    return any(has_model(each, is_one, depth + 1) for each in inner)


def can_make_models() -> bool:
    """Tell whether pydantic is installed."""
    return "pydantic" in sys.modules or find_spec("pydantic") is not None


def made(hint: Any, value: Any, context: dict[str, Any]) -> Any:
    """Return what a function gets for JSON data where its hint has models.

    Raises pydantic's ``ValidationError``, and :class:`RuntimeError` without pydantic.
    """
    if not can_make_models():
        raise RuntimeError("pydantic is not installed, which makes dataclasses of JSON")
    return _adapter(hint).validate_python(value, strict=False, context=context)


def dumped(value: Any) -> Any:
    """Return a result with the models in it as JSON data."""
    if isinstance(value, (list, tuple)):
        return [dumped(each) for each in value]
    if isinstance(value, dict):
        return {key: dumped(each) for key, each in value.items()}
    if not is_model(type(value)):
        return value
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if not can_make_models():
        return dataclasses.asdict(value)
    return _adapter(type(value)).dump_python(value, mode="json")


def refusal_of_model(hint: Any, value: Any) -> tuple[tuple[str | int, ...], str] | None:
    """Return the keys that lead to a fault, and pydantic's message.

    ``None`` if pydantic takes the value, or cannot tell before the run.
    """
    try:
        text = json.dumps(value)
        adapter = _adapter(hint)
    except Exception:  # something in the value is deferred, or the model is not complete
        return None
    refusal = _refusal(lambda: adapter.validate_python(value, strict=False))
    # In JSON's words, where JSON is refused as well: "an object", not "a dictionary".
    return refusal and (_refusal(lambda: adapter.validate_json(text, strict=False)) or refusal)


def _refusal(validate: Callable[[], Any]) -> tuple[tuple[str | int, ...], str] | None:
    try:
        validate()
    except sys.modules["pydantic"].ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            if fault["type"] in _COUNTED or fault["type"].endswith(_COUNTED_ENDS):
                return tuple(fault["loc"]), fault["msg"][:1].lower() + fault["msg"][1:]
    except Exception:  # a validator of the plugin's own
        return None
    return None


def _adapter(hint: Any) -> Any:
    try:
        return _kept_adapter(hint)
    except TypeError:  # a hint without a hash: something in Annotated[…] has none
        return _kept_adapter.__wrapped__(hint)


@lru_cache(maxsize=256)
def _kept_adapter(hint: Any) -> Any:
    return import_module("pydantic").TypeAdapter(hint)
