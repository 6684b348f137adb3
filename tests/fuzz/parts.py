"""Parts of files that stand in them many times, and how they are written."""

from __future__ import annotations

import json
from typing import Any, Final

from hypothesis import strategies as st

__all__ = ["Many", "counts", "many", "written"]

COUNTS: Final = (0, 1, 1, 2, 2, 3, 5, 30, 300, 5_000, 60_000)
counts = st.sampled_from(COUNTS)


class Many:
    """A part that stands in the file so many times, as far as there is room."""

    def __init__(self, part: Any, count: int) -> None:
        self.part = part
        self.count = count


def many(part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return lists of few different parts, one of them repeated."""
    return st.builds(
        lambda first, repeated, count: [*first, Many(repeated, count)],
        st.lists(part, max_size=3),
        part,
        counts,
    )


def written(value: Any, room: int) -> str:
    """Return a value as JSON, which is YAML; parts are repeated as far as there is room."""
    if isinstance(value, Many):
        return written([value], room)[1:-1] or '""'
    if isinstance(value, dict):
        parts = [(_text(key) + ": ", each) for key, each in value.items()]
    elif isinstance(value, list):
        parts = [("", each) for each in value]
    else:
        return _text(value)
    found: list[str] = []
    for before, each in parts:
        if isinstance(each, Many) and isinstance(each.part, str) and len(each.part) == 1:
            text = _text(each.part * max(0, min(each.count, room - 2)))
        elif isinstance(each, Many):
            one = written(each.part, room)
            fits = max(0, min(each.count, room // (len(one) + 1)))
            inside = ",".join([one] * fits)
            text = f"[{inside}]" if before else inside
        else:
            text = written(each, room)
        if text:
            found.append(before + text)
            room -= len(found[-1]) + 1
    inner = ",".join(found)
    return f"{{{inner}}}" if isinstance(value, dict) else f"[{inner}]"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
