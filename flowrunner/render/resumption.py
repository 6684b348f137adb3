"""What a resumed run uses again and what it runs: the plan's tree, for people and programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flowrunner.render.label import counted
from flowrunner.render.layout import (
    NARROWEST_LABEL,
    cut,
    display_width,
    with_state,
    wrapped,
)
from flowrunner.render.line_index import LineIndex
from flowrunner.render.progress import text_of_line
from flowrunner.render.summary import shown_cost
from flowrunner.render.tree import tree_lines
from flowrunner.render.value import shown_name
from flowrunner.resumption import cost_ahead

if TYPE_CHECKING:
    from flowrunner.resumption import Resumption

__all__ = ["resumption_lines", "resumption_to_json"]


def resumption_lines(ahead: Resumption, *, columns: int | None = None) -> list[str]:
    """Return the plan's tree, each line with how many results are used again and what runs.

    On a terminal of so many ``columns`` labels are cut.

    The last line is what that puts on a broker.
    """
    tree = list(tree_lines(ahead.plan))
    index = LineIndex(tree)
    paths: list[list[str]] = [[] for _ in tree]
    for path in {*ahead.why, *ahead.attempt.reused}:
        line = index.line_of(path)
        if line is not None:
            paths[line].append(path)
    texts, said = list(map(text_of_line, tree)), [_said(ahead, here) for here in paths]
    wide = [text for text, words in zip(texts, said, strict=True) if words]
    width = max(map(display_width, wide), default=0)
    if columns is not None:
        room = columns - max(map(display_width, said), default=0) - 3
        width = min(width, max(room, NARROWEST_LABEL))
    lines = wrapped(shown_name(ahead.plan.name), columns)
    for text, words in zip(texts, said, strict=True):
        label = cut(text, width) if words else with_state(text, "", columns)
        lines.append(f"{label}{' ' * (width - display_width(label))}   {words}" if words else label)
    runs = len(ahead.why)
    least = "at least " if ahead.plan.unfolds else ""
    reused = counted(len(ahead.attempt.reused), "result")
    lines.append(f"{least}{runs:,} to run · {reused} used again")
    cost = cost_ahead(ahead)
    messages = f"{least}{counted(cost.messages, 'message')}"
    lines.append(f"{messages} · {shown_cost(cost)}")
    return lines


def _said(ahead: Resumption, paths: list[str]) -> str:
    if not paths:
        return ""
    reasons = Counter(ahead.why[path] for path in paths if path in ahead.why)
    reused = len(paths) - reasons.total()
    if len(paths) == 1:
        return "reuse" if reused else f"run: {next(iter(reasons))}"
    parts = [f"reuse {reused:,}"] if reused else []
    parts += [f"run {count:,}: {reason}" for reason, count in reasons.most_common()]
    return ", ".join(parts)


def resumption_to_json(ahead: Resumption) -> dict[str, Any]:
    """Return the same as data: each call that the author wrote, by path."""
    cost = cost_ahead(ahead)
    return {
        "attempt": str(ahead.attempt.id),
        "messages": cost.messages,
        "bytes": cost.bytes,
        "largest_message": cost.largest,
        "steps": [
            {
                "path": call.path,
                "task": call.task,
                "action": "run" if call.path in ahead.why else "reuse",
                "why": ahead.why.get(call.path),
            }
            for call in ahead.calls
        ],
    }
