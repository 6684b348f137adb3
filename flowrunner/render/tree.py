"""A plan as a tree of text, which is what ``--dry-run`` and ``graph`` print.

The tree is made in two passes: rows say what is to be read and stand in each other like the
plan's nodes; lines are rows with their guides drawn and their columns aligned. A line keeps
its columns apart, and knows its nodes, so that a live view can colour and count it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from flowrunner.plan import Node, Plan
from flowrunner.render.layout import display_width, wrapped
from flowrunner.render.row import Row, rows_of
from flowrunner.render.summary import summary
from flowrunner.render.value import named_values, shown_name

__all__ = ["TreeLine", "display_width", "render_tree", "tree_lines"]

#: Longer texts do not push their siblings' notes to the right, nor longer roles their texts.
WIDEST_ALIGNED_TEXT = 28
WIDEST_ALIGNED_ROLE = 20


class TreeLine(Struct, frozen=True):
    """A line: guides, then columns padded to those of its siblings, then a note.

    ``nodes`` are the plan's nodes that the line stands for: one, all those of a stack, or
    none where siblings were left out.
    """

    guides: str
    role: str
    text: str
    note: str
    nodes: tuple[Node, ...] = ()

    def __str__(self) -> str:
        return f"{self.guides}{self.role}{self.text}{self.note}".rstrip()


def render_tree(plan: Plan, expand: bool = False, width: int | None = None) -> str:
    """Return the plan's tree, between its name and a summary of what a run costs.

    ``expand`` shows every call instead of ``×N``. On a terminal of ``width`` columns lines are
    broken between words. There is no line ending after the last line.
    """
    title = shown_name(plan.name)
    if plan.inputs:
        title += f"   {named_values(plan.inputs.items())}"
    lines = list(tree_lines(plan, expand=expand))
    shown = list(map(str, lines)) if width is None else _broken(lines, width)
    return "\n".join([*wrapped(title, width), *shown, *wrapped(summary(plan), width)])


def _broken(lines: Sequence[TreeLine], width: int) -> list[str]:
    """Return lines that fit, the guides of each before what was broken off it."""
    shown: list[str] = []
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        has_children = following is not None and len(following.guides) > len(line.guides)
        stem = "│  " if line.guides.endswith("├─ ") else "   "
        guides = line.guides[:-3] + stem + ("│  " if has_children else "   ")
        if display_width(str(line)) <= width:
            shown.append(str(line))
            continue
        text = f"{line.role}{line.text}".rstrip()
        first, *others = wrapped(text, width, indent=len(guides))
        others += wrapped(line.note, width, indent=len(guides)) if line.note else []
        shown.append(line.guides + first)
        shown += (guides + each for each in others)
    return shown


def tree_lines(plan: Plan, *, expand: bool = False) -> Iterator[TreeLine]:
    """Yield the lines of the tree below a plan's name: its main part, then its handlers."""
    return _lines(rows_of(plan, expand=expand), "")


def _lines(rows: Sequence[Row], guides: str) -> Iterator[TreeLine]:
    widths = (display_width(row.role) for row in rows if row.role)
    role_width = max((width for width in widths if width <= WIDEST_ALIGNED_ROLE), default=0) + 2
    text_width = max(
        (
            width
            for row in rows
            if row.notes and (width := display_width(row.text)) <= WIDEST_ALIGNED_TEXT
        ),
        default=0,
    )
    for position, row in enumerate(rows, start=1):
        branch, stem = ("├─ ", "│  ") if position < len(rows) else ("└─ ", "   ")
        role = _padded(f"{row.role}  ", role_width) if row.role else ""
        text = _padded(row.text, text_width) + "   " if row.notes else row.text
        yield TreeLine(guides + branch, role, text, " · ".join(row.notes), row.nodes)
        yield from _lines(row.children, guides + stem)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))
