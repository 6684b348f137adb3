"""What is to be read of a plan: rows, which stand in each other like the plan's nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from flowrunner.plan import (
    Call,
    Chain,
    Chord,
    Constant,
    Each,
    Failing,
    Given,
    Graph,
    Group,
    Named,
    Node,
    Plan,
    Rescue,
    Skipped,
    Switch,
    Used,
)
from flowrunner.render.label import (
    IGNORES_INPUT,
    call_label,
    chunks_label,
    condition,
    counted,
    each_text,
    ignores_input,
    item_note,
    needs_note,
    reason,
    use_text,
)
from flowrunner.render.policy import limits
from flowrunner.render.stack import (
    More,
    Stack,
    abridged,
    is_each,
    members_of,
    steps_of,
)
from flowrunner.render.value import named_values, shown_name, value_text

if TYPE_CHECKING:
    from flowrunner.source import Source

__all__ = ["Row", "rows_of", "short_text"]

#: So many outputs stand on one line.
MOST_OUTPUTS_ON_A_LINE = 3


class Input(Struct, frozen=True):
    """What a step is given: nothing at all, a value, or a list whose ``length`` may be known."""

    exists: bool = False
    length: int | None = None
    is_list: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say of it beside the step."""
        if self.length is not None:
            return (f"← list of {self.length:,}",)
        return ("← list",) if self.is_list else ()

    def within(self) -> Input:
        """Return the same input for the steps inside: their parent's line told its length."""
        return Input(self.exists)


class Row(Struct, frozen=True):
    """A line to be: its ``role`` in its parent, its text, notes beside it, rows beneath it.

    ``nodes`` are what it stands for: one node, those of a stack, or none where siblings were
    left out.
    """

    text: str
    notes: tuple[str, ...] = ()
    children: tuple[Row, ...] = ()
    role: str = ""
    nodes: tuple[Node, ...] = ()

    def noting(self, *notes: str) -> Row:
        """Return the row with more notes after its own, each once."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))

    def with_last(self, child: Row) -> Row:
        """Return the row with one more beneath it."""
        return replace(self, children=(*self.children, child))


def rows_of(plan: Plan, *, expand: bool) -> list[Row]:
    """Return the rows below a plan's name: its step, its outputs, its handlers."""
    builder = _RowBuilder(expand, plan.source)
    step, outputs = _with_outputs(plan.root)
    rows = [builder.row(Stack((step,)), Input())]
    if outputs is not None:
        rows.append(builder.outputs(Stack((outputs,))))
    for handler in plan.handlers:
        rows.append(builder.row(Stack((handler.root,)), Input(True), handler.name))
    return rows


def short_text(stack: Stack) -> str:
    """Return what a stack is, without what is inside it."""
    return _RowBuilder(False, stack.nodes[0].location.source).row(stack, Input()).text


def _with_outputs(node: Node) -> tuple[Node, Constant | None]:
    """Return a file's step, and the outputs that follow it, if there are any."""
    match node:
        case Chain(steps=(step, Constant() as outputs)):
            return step, outputs
        case _:
            return node, None


class _RowBuilder:
    """Makes rows; ``source`` is the file that the row around it stands in."""

    def __init__(self, expand: bool, source: Source) -> None:
        self._expand = expand
        self._source = source

    def row(self, stack: Stack, given: Input, role: str = "") -> Row:
        """Return the row of a stack, with the rows of what is inside it."""
        if not stack.nodes:
            return Row(f"nothing{stack.multiplier}", role=role)
        outer, own = self._source, stack.nodes[0].location.source
        if own.name == outer.name:
            return self._row(stack, given, role)
        self._source = own
        row = self._row(stack, given, role)
        self._source = outer
        return row.noting(f"from {shown_name(own.name)}")

    def _row(self, stack: Stack, given: Input, role: str) -> Row:
        match stack.nodes[0]:
            case Call():
                return _call_row(stack, given, role)
            case Chain():
                return self._chain(stack, given, role)
            case Group():
                return self._group(stack, given, role)
            case Chord():
                return self._chord(stack, given, role)
            case Each():
                return self._each(stack, given, role)
            case Switch():
                return self._switch(stack, given, role)
            case Skipped():
                return self._skipped(stack, given, role)
            case Rescue():
                return self._rescue(stack, given, role)
            case Named() as named:
                inner = [node.step for node in stack.nodes if isinstance(node, Named)]
                return self.row(stack.of(inner), given, role).noting(f"id={shown_name(named.name)}")
            case Given():
                return self._given(stack, role)
            case Constant():
                return replace(self.outputs(stack), role=role or "outputs")
            case Used():
                return self._use(stack, given, role)
            case Graph():
                return self._graph(stack, given, role)
            case Failing() as failing:
                return Row(shown_name(failing.step), (shown_name(failing.message),), role=role)

    def _entries(self, entries: Sequence[Stack | More], given: Input) -> tuple[Row, ...]:
        return tuple(
            Row(str(entry)) if isinstance(entry, More) else self.row(entry, given)
            for entry in entries
        )

    def _chain(self, stack: Stack, given: Input, role: str) -> Row:
        chains = [node for node in stack.nodes if isinstance(node, Chain)]
        step, outputs = _with_outputs(chains[0])
        steps, inputs = steps_of(chains), [given.within()]
        if outputs is not None:
            row = self.row(stack.of(chain.steps[0] for chain in chains), given, role)
            return row.with_last(self.outputs(steps[1]))
        if not steps:
            text = f"empty chain{stack.multiplier}"
            return Row(text, (*given.notes, "passes its input on"), role=role, nodes=stack.nodes)
        for step in chains[0].steps:
            inputs.append(_value_of(step, inputs[-1]))
        children = tuple(
            Row(str(entry)) if isinstance(entry, More) else self.row(*entry)
            for entry in abridged(list(zip(steps, inputs, strict=False)), expand=self._expand)
        )
        return Row(f"chain{stack.multiplier}", given.notes, children, role, stack.nodes)

    def _group(self, stack: Stack, given: Input, role: str) -> Row:
        groups = [node for node in stack.nodes if isinstance(node, Group)]
        count, notes = groups[0].count, tuple(limits(groups[0]))
        if groups[0].batched:
            return self._chunks(stack, groups, given, role).noting(*notes)
        if not count:
            text = f"empty group{stack.multiplier}"
            return Row(text, ("gives []",), role=role, nodes=stack.nodes)
        members = members_of(groups, expand=self._expand)
        if len(members) == 1 and stack.count is None and _says_group(members[0], role):
            return self.row(members[0], given, role).noting(*notes)
        entries = abridged(members, expand=self._expand, size=lambda member: member.count or 1)
        word, arrival = ("each", ()) if is_each(groups[0]) else ("group", given.notes)
        text = f"{word} of {count:,}{stack.multiplier}"
        children = self._entries(entries, given.within())
        return Row(text, (*arrival, *notes), children, role, stack.nodes)

    def _chunks(self, stack: Stack, groups: Sequence[Group], given: Input, role: str) -> Row:
        label = chunks_label(groups)
        numbers, *others = label.notes
        arrival = (IGNORES_INPUT,) if given.exists else ()
        batches = members_of(groups, expand=True) if self._expand else []
        children = tuple(self.row(batch, Input()) for batch in batches)
        text = f"{label.text}{stack.multiplier}"
        return Row(text, (numbers, *arrival, *others), children, role, stack.nodes)

    def _chord(self, stack: Stack, given: Input, role: str) -> Row:
        chords = [node for node in stack.nodes if isinstance(node, Chord)]
        headers = Stack(tuple(chord.header for chord in chords))
        bodies = Stack(tuple(chord.body for chord in chords))
        results = _value_of(chords[0].header, given)
        children = (
            self.row(headers, given.within(), "header"),
            self.row(bodies, results, "body"),
        )
        return Row(f"chord{stack.multiplier}", given.notes, children, role, stack.nodes)

    def _each(self, stack: Stack, given: Input, role: str) -> Row:
        eaches = [node for node in stack.nodes if isinstance(node, Each)]
        text = f"{each_text(eaches)}{stack.multiplier}"
        child = self.row(Stack(tuple(each.do for each in eaches)), Input(True))
        notes = (*given.notes, *limits(eaches[0]))
        return Row(text, notes, (child,), role, stack.nodes)

    def _switch(self, stack: Stack, given: Input, role: str) -> Row:
        switches = [node for node in stack.nodes if isinstance(node, Switch)]
        first = switches[0]
        steps = [
            [switch.branches[number].step for switch in switches]
            for number in range(len(first.branches))
        ]
        if first.written == "when" and len(steps) == 1:
            row = self.row(stack.of(steps[0]), given, role)
            notes = tuple(dict.fromkeys((condition(first.branches[0].when), *row.notes)))
            return replace(row, notes=notes, nodes=(*stack.nodes, *row.nodes))
        children = [
            self.row(Stack(tuple(inner)), given.within(), f"{condition(branch.when)}:")
            for branch, inner in zip(first.branches, steps, strict=True)
        ]
        others = [switch.otherwise for switch in switches if switch.otherwise is not None]
        if others:
            children.append(self.row(Stack(tuple(others)), given.within(), "else:"))
        return Row(f"switch{stack.multiplier}", given.notes, tuple(children), role, stack.nodes)

    def _skipped(self, stack: Stack, given: Input, role: str) -> Row:
        skipped = [node for node in stack.nodes if isinstance(node, Skipped)]
        steps = [node.step for node in skipped]
        text = self.row(stack.of(steps), given, role).text
        if isinstance(steps[0], Chain) and not steps[0].steps:
            text = f"switch{stack.multiplier}"
        return Row(text, (reason(skipped[0]),), role=role, nodes=stack.nodes)

    def _rescue(self, stack: Stack, given: Input, role: str) -> Row:
        rescues = [node for node in stack.nodes if isinstance(node, Rescue)]
        row = self.row(stack.of(each.step for each in rescues), given, role)
        handlers = Stack(tuple(each.handler for each in rescues))
        return row.with_last(self.row(handlers, Input(True), "on_error"))

    def _given(self, stack: Stack, role: str) -> Row:
        members = [node for node in stack.nodes if isinstance(node, Given)]
        row = self.row(stack.of(member.step for member in members), Input(True), role)
        return replace(row, notes=(item_note(members), *row.notes))

    def _use(self, stack: Stack, given: Input, role: str) -> Row:
        uses = [node for node in stack.nodes if isinstance(node, Used)]
        first = uses[0]
        outer = self._source
        self._source = first.step.location.source
        child = self.row(Stack(tuple(use.step for use in uses)), given.within())
        self._source = outer
        inputs = named_values(first.inputs.items())
        notes = (*given.notes, *((f"with {inputs}",) if inputs else ()))
        return Row(f"{use_text(first)}{stack.multiplier}", notes, (child,), role, stack.nodes)

    def _graph(self, stack: Stack, given: Input, role: str) -> Row:
        graphs = [node for node in stack.nodes if isinstance(node, Graph)]
        children = []
        for number, step in enumerate(graphs[0].steps):
            inner = Stack(tuple(graph.steps[number].step for graph in graphs))
            arrival = Input(True) if step.needs else given.within()
            row = self.row(inner, arrival, shown_name(step.name))
            needs = (needs_note(step.needs),) if step.needs else ()
            children.append(replace(row, notes=(*needs, *row.notes)))
        text = f"graph{stack.multiplier}"
        return Row(text, given.notes, tuple(children), role, stack.nodes)

    def outputs(self, stack: Stack) -> Row:
        """Return the row of a file's outputs."""
        constants = [node for node in stack.nodes if isinstance(node, Constant)]
        value = constants[0].value
        if not isinstance(value, dict):
            return Row(value_text(value), role="outputs", nodes=stack.nodes)
        whole = named_values(value.items())
        if len(value) <= MOST_OUTPUTS_ON_A_LINE and "…" not in whole:
            return Row(whole, role="outputs", nodes=stack.nodes)
        children = tuple(_output_rows(value))
        return Row(counted(len(value), "value"), (), children, "outputs", stack.nodes)


def _output_rows(values: dict[str, Any]) -> Iterator[Row]:
    for name, value in values.items():
        yield Row(value_text(value), role=shown_name(name))


def _call_row(stack: Stack, given: Input, role: str) -> Row:
    calls = [node for node in stack.nodes if isinstance(node, Call)]
    label = call_label(stack, calls)
    arrival = given.notes
    if given.exists and ignores_input(calls[0]):
        arrival = (IGNORES_INPUT,)
    text = f"{label.text}{stack.multiplier}"
    return Row(text, (*arrival, *label.notes), role=role, nodes=stack.nodes)


def _says_group(member: Stack, role: str) -> bool:
    """Tell whether an only member reads as a group without a line for the group above it."""
    if member.count is not None:
        return True
    node = member.nodes[0] if member.nodes else None
    while isinstance(node, (Named, Rescue, Skipped, Used)):
        node = node.step
    return role == "header" and isinstance(node, (Call, Chain, Chord))


def _value_of(node: Node, given: Input) -> Input:
    """Return what a node gives to the step after it."""
    match node:
        case Call():
            return Input(True, len(node.args) if node.kind in ("map", "starmap") else None)
        case Chain():
            for step in node.steps:
                given = _value_of(step, given)
            return given
        case Group():
            return Input(True, node.count)
        case Each():
            return Input(True, is_list=True)
        case Chord():
            return _value_of(node.body, _value_of(node.header, given))
        case Skipped():
            return given
        case Named() | Used():
            return _value_of(node.step, given)
        case Given():
            return _value_of(node.step, Input(True))
        case Switch() | Rescue() | Constant() | Graph() | Failing():
            return Input(True)
        case _:
            assert_never(node)
