"""What to write for a list in place of a mapping and the reverse, in the user's own names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

__all__ = ["call_cure", "shape_cure"]

#: Names that are told, and characters of a value that is told.
_MOST_NAMES: Final = 4
_LONGEST_VALUE: Final = 30
_NAME: Final = re.compile(r"[^\W\d][\w.-]{0,60}")


def shape_cure(key: str, value: Any) -> str:
    """Return what to write for a key's value of the wrong shape; empty if that is not known."""
    cure = _CURES.get(key)
    return "" if cure is None or not value else cure(value)


def call_cure(key: str, value: Any) -> str:
    """Return the call that is meant by a task's name as a key; empty if it is no name."""
    if not _NAME.fullmatch(key):
        return ""
    given = ""
    if isinstance(value, dict) and value:
        given = f", kwargs: {_mapping([{name: each} for name, each in value.items()]) or '{…}'}"
    elif value not in (None, {}):
        items = value if isinstance(value, list) else [value]
        given = f", args: {_shown(items)}" if _shown(items) != "…" else ", args: […]"
    return f"to call the task '{key}', write {{task: {key}{given}}}"


def _names(value: Any) -> list[str]:
    """Return the names in a list: texts, or the keys of mappings with one entry."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        return []
    names = [
        next(iter(each)) if isinstance(each, dict) and len(each) == 1 else each for each in items
    ]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        return []
    return [str(name) for name in names]


def _mapping(value: Any, filler: str = "…") -> str:
    """Return a list as the mapping that it is meant for."""
    names = _names(value)
    if not names:
        return ""
    items = value if isinstance(value, list) else [value]
    parts = [
        f"{name}: {_shown(item[name]) if isinstance(item, dict) else filler}"
        for name, item in zip(names, items, strict=True)
    ]
    more = ", …" if len(parts) > _MOST_NAMES else ""
    return "{" + ", ".join(parts[:_MOST_NAMES]) + more + "}"


def _shown(value: Any) -> str:
    if isinstance(value, str) and _NAME.fullmatch(value) and len(value) <= _LONGEST_VALUE:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else "…"


def _written(filler: str = "…") -> Callable[[Any], str]:
    def cure(value: Any) -> str:
        found = _mapping(value, filler)
        return f"write {found}" if found else ""

    return cure


def _kwargs(value: Any) -> str:
    if isinstance(value, list) and not _names(value):
        return f"write values by position as 'args: {_shown(value)}'"
    return _written()(value)


def _args(value: Any) -> str:
    if isinstance(value, dict):
        return (
            f"write arguments by name as 'kwargs: {_mapping([{k: v} for k, v in value.items()])}'"
        )
    return f"write [{_shown(value)}]" if isinstance(value, (int, float, str)) else ""


def _chord(value: Any) -> str:
    names = _names(value)
    if len(names) < 2:
        return ""
    return f"write {{header: [{', '.join(names[:-1][:_MOST_NAMES])}], body: {names[-1]}}}"


def _graph(value: Any) -> str:
    if not isinstance(value, list):
        return ""
    names = [
        str(each.get("id") or each.get("name") or each.get("task") or "")
        if isinstance(each, dict)
        else str(each)
        for each in value
    ]
    if not all(map(_NAME.fullmatch, names)):
        return ""
    more = ", …" if len(names) > _MOST_NAMES else ""
    return f"write {{{', '.join(f'{name}: STEP' for name in names[:_MOST_NAMES])}{more}}}"


def _chain(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return f"write a list of steps: [{', '.join(map(str, list(value)[:_MOST_NAMES]))}]"


def _retry(value: Any) -> str:
    number = value[0] if isinstance(value, list) and len(value) == 1 else None
    return f"write retry: {number}" if type(number) is int else ""


def _items(value: Any) -> str:
    return f"write {{task: TASK, over: {_shown(value)}}}" if isinstance(value, list) else ""


_CURES: Final[dict[str, Callable[[Any], str]]] = {
    "inputs": _written(),
    "with": _written(),
    "kwargs": _kwargs,
    "headers": _written(),
    "properties": _written("{type: …}"),
    "outputs": _written("${…}"),
    "defaults": _written("{queue: …}"),
    "args": _args,
    "chord": _chord,
    "graph": _graph,
    "chain": _chain,
    "retry": _retry,
    **dict.fromkeys(("map", "starmap", "chunks"), _items),
}
