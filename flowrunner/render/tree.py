"""A plan as a tree of text, which is what ``--dry-run`` and ``graph`` print.

The tree is made in two passes: rows say what is to be read and stand in each other like the
plan's nodes; lines are rows with their guides drawn and their columns aligned. A line keeps
its columns apart, and knows its nodes, so that a live view can colour and count it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from unicodedata import east_asian_width

from flowrunner.plan import Call, Chain, Chord, Group, Node, Plan
from flowrunner.render.label import (
    IGNORES_INPUT,
    call_label,
    chunks_label,
    ignores_input,
    named_values,
    shown_name,
)
from flowrunner.render.stack import More, Stack, abridged, member_count, members_of, steps_of
from flowrunner.render.summary import summary

__all__ = ["TreeLine", "display_width", "render_tree", "tree_lines"]

#: Longer texts do not push their siblings' notes to the right.
WIDEST_ALIGNED_TEXT = 28


@dataclass(frozen=True, slots=True)
class TreeLine:
    """A line: guides, then columns padded to those of its siblings, then a note.

    ``nodes`` are the plan's nodes that the line stands for: one, all those of a stack, or
    none where siblings were left out.
    """

    guides: str
    role: str
    text: str
    note: str
    nodes: tuple[Node, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"{self.guides}{self.role}{self.text}{self.note}".rstrip()


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    notes: tuple[str, ...] = ()
    children: tuple[_Row, ...] = ()
    role: str = ""
    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class _Input:
    """What a step is given: nothing at all, a value, or a list of known ``length``."""

    exists: bool = False
    length: int | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        return () if self.length is None else (f"← list of {self.length:,}",)

    def within(self) -> _Input:
        """Return the same input for the steps inside: their parent's line told its length."""
        return _Input(self.exists)


def render_tree(plan: Plan, expand: bool = False) -> str:
    """Return the plan's tree, between its name and a summary of what a run costs.

    ``expand`` shows every call instead of ``×N``. There is no line ending after the last line.
    """
    title = shown_name(plan.name)
    if plan.inputs:
        title += f"   {named_values(plan.inputs.items())}"
    lines = (str(line) for line in tree_lines(plan, expand=expand))
    return "\n".join([title, *lines, summary(plan)])


def tree_lines(plan: Plan, *, expand: bool = False) -> Iterator[TreeLine]:
    """Yield the lines of the tree below a plan's name: its main part, then its handlers."""
    rows = [_row(Stack((plan.root,)), _Input(), expand)]
    for handler in plan.handlers:
        rows.append(_row(Stack((handler.root,)), _Input(True), expand, handler.name))
    return _lines(rows, "")


def _lines(rows: Sequence[_Row], guides: str) -> Iterator[TreeLine]:
    role_width = max((display_width(row.role) + 2 for row in rows if row.role), default=0)
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
        role = _padded(row.role, role_width) if row.role else ""
        text = _padded(row.text, text_width) + "   " if row.notes else row.text
        yield TreeLine(guides + branch, role, text, " · ".join(row.notes), row.nodes)
        yield from _lines(row.children, guides + stem)


def _row(stack: Stack, given: _Input, expand: bool, role: str = "") -> _Row:
    """Return the row of a stack, with the rows of what is inside it."""
    match stack.nodes:
        case ():
            return _Row(f"nothing{stack.multiplier}", role=role)
        case (Call(), *_):
            return _call_row(stack, given, role)
        case (Chain(), *_):
            return _chain_row(stack, given, expand, role)
        case (Group(), *_):
            return _group_row(stack, given, expand, role)
        case _:
            return _chord_row(stack, given, expand, role)


def _call_row(stack: Stack, given: _Input, role: str) -> _Row:
    calls = [node for node in stack.nodes if isinstance(node, Call)]
    label = call_label(stack, calls)
    arrival = given.notes
    if given.exists and ignores_input(calls[0]):
        arrival = (IGNORES_INPUT,)
    text = f"{label.text}{stack.multiplier}"
    return _Row(text, (*arrival, *label.notes), role=role, nodes=stack.nodes)


def _chain_row(stack: Stack, given: _Input, expand: bool, role: str) -> _Row:
    chains = [node for node in stack.nodes if isinstance(node, Chain)]
    steps, inputs = steps_of(chains), [given.within()]
    if not steps:
        text = f"empty chain{stack.multiplier}"
        return _Row(text, (*given.notes, "passes its input on"), role=role, nodes=stack.nodes)
    for step in chains[0].steps:
        inputs.append(_value_of(step, inputs[-1]))
    children = [
        _Row(str(entry)) if isinstance(entry, More) else _row(*entry, expand)
        for entry in abridged(list(zip(steps, inputs, strict=False)), expand=expand)
    ]
    return _Row(f"chain{stack.multiplier}", given.notes, tuple(children), role, stack.nodes)


def _group_row(stack: Stack, given: _Input, expand: bool, role: str) -> _Row:
    groups = [node for node in stack.nodes if isinstance(node, Group)]
    count = member_count(groups[0])
    if groups[0].batched:
        return _chunks_row(stack, groups, given, expand, role)
    if not count:
        return _Row(f"empty group{stack.multiplier}", ("gives []",), role=role, nodes=stack.nodes)
    members = members_of(groups, expand=expand)
    if len(members) == 1 and stack.count is None and _says_group(members[0], role):
        return _row(members[0], given, expand, role)
    children = [
        _Row(str(entry)) if isinstance(entry, More) else _row(entry, given.within(), expand)
        for entry in abridged(members, expand=expand, size=lambda member: member.count or 1)
    ]
    text = f"group of {count:,}{stack.multiplier}"
    return _Row(text, given.notes, tuple(children), role, stack.nodes)


def _chunks_row(
    stack: Stack, groups: Sequence[Group], given: _Input, expand: bool, role: str
) -> _Row:
    label = chunks_label(groups)
    numbers, *others = label.notes
    arrival = (IGNORES_INPUT,) if given.exists else ()
    batches = members_of(groups, expand=True) if expand else []
    children = tuple(_row(batch, _Input(), expand) for batch in batches)
    text = f"{label.text}{stack.multiplier}"
    return _Row(text, (numbers, *arrival, *others), children, role, stack.nodes)


def _says_group(member: Stack, role: str) -> bool:
    """Tell whether an only member reads as a group without a line for the group above it."""
    if role == "header":
        return not isinstance(member.nodes[0], Group)
    return member.count is not None


def _chord_row(stack: Stack, given: _Input, expand: bool, role: str) -> _Row:
    chords = [node for node in stack.nodes if isinstance(node, Chord)]
    headers = Stack(tuple(chord.header for chord in chords))
    bodies = Stack(tuple(chord.body for chord in chords))
    results = _value_of(chords[0].header, given)
    children = (
        _row(headers, given.within(), expand, "header"),
        _row(bodies, results, expand, "body"),
    )
    return _Row(f"chord{stack.multiplier}", given.notes, children, role, stack.nodes)


def _value_of(node: Node, given: _Input) -> _Input:
    """Return what a node gives to the step after it."""
    match node:
        case Call():
            return _Input(True, len(node.args) if node.kind in ("map", "starmap") else None)
        case Chain():
            for step in node.steps:
                given = _value_of(step, given)
            return given
        case Group():
            return _Input(True, member_count(node))
        case Chord():
            return _value_of(node.body, _value_of(node.header, given))
        case _:
            raise AssertionError(f"BUG: {type(node).__name__} is not known here")


def _padded(text: str, width: int) -> str:
    return text + " " * (width - display_width(text))


def display_width(text: str) -> int:
    """Return the columns that a terminal gives a text: two for most of East Asia's letters."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)
