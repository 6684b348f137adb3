"""What a resumed run uses again and what it runs: the plan's tree, for people and programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flowrunner.render.progress import paths_of_line, text_of_line
from flowrunner.render.tree import tree_lines
from flowrunner.render.value import shown_name

if TYPE_CHECKING:
    from flowrunner.resumption import Resumption

__all__ = ["resumption_lines", "resumption_to_json"]


def resumption_lines(ahead: Resumption) -> list[str]:
    """Return the plan's tree, each line with how many results are used again and what runs."""
    rows = [(text_of_line(line), paths_of_line(line)) for line in tree_lines(ahead.plan)]
    width = max((len(text) for text, paths in rows if paths), default=0)
    lines = [shown_name(ahead.plan.name)]
    for text, paths in rows:
        said = _said(ahead, paths)
        lines.append(f"{text:{width}}   {said}" if said else text)
    runs = len(ahead.why)
    lines.append(f"{runs:,} to run · {len(ahead.attempt.reused):,} results used again")
    return lines


def _said(ahead: Resumption, paths: tuple[str, ...]) -> str:
    main = [path for path in paths if path in ahead.why or path in ahead.attempt.reused]
    if not main:
        return ""
    reasons = Counter(ahead.why[path] for path in main if path in ahead.why)
    reused = len(main) - reasons.total()
    if len(main) == 1:
        return "reuse" if reused else f"run: {next(iter(reasons))}"
    parts = [f"reuse {reused:,}"] if reused else []
    parts += [f"run {count:,}: {reason}" for reason, count in reasons.most_common()]
    return ", ".join(parts)


def resumption_to_json(ahead: Resumption) -> dict[str, Any]:
    """Return the same as data: each call that the author wrote, by path."""
    return {
        "attempt": str(ahead.attempt.id),
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
