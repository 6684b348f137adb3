"""A plan as nodes and edges.

An edge says that a value goes from one call to the next. Members of a group start from what
came before it and meet in the call that takes their list, or in a small node for the list
where no single call does. What depends on a condition or on a failure has an edge that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flowrunner.plan import (
    Call,
    Chain,
    Chord,
    Constant,
    Deferred,
    Each,
    Failing,
    Given,
    Graph,
    Group,
    Handler,
    Named,
    Plan,
    Rescue,
    Skipped,
    Switch,
    Used,
)
from flowrunner.render.flow_graph import Flow, FlowEdge, FlowNode, NodeShape, Origin, Value, either
from flowrunner.render.label import (
    IGNORES_INPUT,
    call_label,
    chunks_label,
    each_text,
    ignores_input,
    item_note,
    reason,
)
from flowrunner.render.policy import limits
from flowrunner.render.row import short_text
from flowrunner.render.stack import More, Stack, abridged, members_of, steps_of
from flowrunner.render.value import late_text, named_values, shown_name, value_text

__all__ = ["flow_of"]

#: How many a fan-out of run time is.
UNKNOWN_NUMBER = " ×n"
MOST_OUTPUTS = 10


def flow_of(plan: Plan, *, expand: bool = False) -> Flow:
    """Return the plan's graph; ``expand`` gives every call a node of its own."""
    builder = _FlowBuilder(expand)
    end = builder.join(builder.add(Stack((plan.root,)), Value(), ""), "")
    for handler in plan.handlers:
        builder.add_handler(handler, end)
    return Flow(plan.name, tuple(builder.nodes), tuple(builder.edges))


class _FlowBuilder:
    """Adds nodes and edges along the way of the values.

    ``multiplier`` is how many of a node there are: that of each stack it is inside, outermost
    first.
    """

    def __init__(self, expand: bool) -> None:
        self.expand = expand
        self.nodes: list[FlowNode] = []
        self.edges: list[FlowEdge] = []
        self._named: dict[str, Value] = {}

    def add(self, stack: Stack, given: Value, multiplier: str) -> Value:
        """Add a stack and what is inside it; return the value that it gives."""
        if not stack.nodes:
            return Value()
        multiplier += stack.multiplier
        match stack.nodes[0]:
            case Call():
                return self._add_call(stack, given, multiplier)
            case Chain():
                chains = [node for node in stack.nodes if isinstance(node, Chain)]
                return self._add_steps(steps_of(chains), given, multiplier)
            case Group():
                groups = [node for node in stack.nodes if isinstance(node, Group)]
                return self._add_groups(groups, given, multiplier)
            case Chord():
                chords = [node for node in stack.nodes if isinstance(node, Chord)]
                headers = Stack(tuple(each.header for each in chords))
                results = self.add(headers, given, multiplier)
                return self.add(Stack(tuple(each.body for each in chords)), results, multiplier)
            case Each():
                return self._add_each(stack, given, multiplier)
            case Switch():
                return self._add_switch(stack, given, multiplier)
            case Skipped() as skipped:
                lines = (short_text(Stack((skipped.step,))) + multiplier, reason(skipped))
                self._add_node(given.waited_for, "skipped", *lines)
                return given
            case Rescue():
                return self._add_rescue(stack, given, multiplier)
            case Named() | Used() as outer:
                inner = [node.step for node in stack.nodes if isinstance(node, (Named, Used))]
                value = self.add(Stack(tuple(inner)), given, multiplier)
                if isinstance(outer, Named):
                    self._named[outer.path] = value
                return value
            case Given():
                members = [node for node in stack.nodes if isinstance(node, Given)]
                steps = Stack(tuple(member.step for member in members))
                return self._add_member(steps, given.waited_for, multiplier, item_note(members))
            case Constant() as constant:
                return self._add_outputs(constant, given, multiplier)
            case Graph():
                return self._add_graph(stack, given, multiplier)
            case Failing() as failing:
                return self._add_node(given, "call", shown_name(failing.step) + multiplier)

    def add_handler(self, handler: Handler, end: Value) -> None:
        """Add a handler, which waits for the end of the main part."""
        outcome = self._add_node(end.waited_for, "handler", handler.name)
        self.join(self.add(Stack((handler.root,)), outcome, ""), "")

    def join(self, value: Value, multiplier: str) -> Value:
        """Return a value that comes from its own nodes alone, adding one for an open list."""
        if not value.listed:
            return value
        return self._add_node(value, "list", f"{value.listed}{multiplier}")

    def _add_call(self, stack: Stack, given: Value, multiplier: str, *notes: str) -> Value:
        calls = [node for node in stack.nodes if isinstance(node, Call)]
        label = call_label(stack, calls)
        shape: NodeShape = "stack" if multiplier else "call"
        lines = (label.text + multiplier, *notes, *label.notes)
        uses = (calls[0].args, calls[0].kwargs)
        if not ignores_input(calls[0]):
            return self._add_node(given, shape, *lines, uses=uses)
        if given.origins:
            lines += (IGNORES_INPUT,)
        return self._add_node(given.waited_for, shape, *lines, uses=uses)

    def _add_member(self, steps: Stack, given: Value, multiplier: str, note: str) -> Value:
        """Add what stands in a fan-out, each of them given what ``note`` says."""
        if isinstance(steps.nodes[0], Call):
            return self._add_call(steps, given, multiplier, note)
        items = self._add_node(given, "list", note)
        return self.add(steps, items, multiplier)

    def _add_steps(self, steps: Sequence[Stack], given: Value, multiplier: str) -> Value:
        for entry in abridged(steps, expand=self.expand):
            if isinstance(entry, More):
                given = self._add_node(self.join(given, multiplier), "more", str(entry))
            else:
                given = self.add(entry, given, multiplier)
        return given

    def _add_groups(self, groups: Sequence[Group], given: Value, multiplier: str) -> Value:
        count = groups[0].count
        listed = f"list of {count:,}"
        given = self.join(given, multiplier)
        if not count:
            return self._add_node(given.waited_for, "list", f"[]{multiplier}")
        notes = tuple(limits(groups[0]))
        if groups[0].batched and not self.expand:
            label = chunks_label(groups)
            arrival = (IGNORES_INPUT,) if given.origins else ()
            lines = (label.text + multiplier, *label.notes, *notes, *arrival)
            return Value(self._add_node(given.waited_for, "stack", *lines).origins, listed)
        if notes:
            given = self._add_node(given, "list", *notes)
        members = members_of(groups, expand=self.expand)
        origins: list[Origin] = []
        for entry in abridged(members, expand=self.expand, size=lambda each: each.count or 1):
            if isinstance(entry, More):
                value = self._add_node(given, "more", str(entry))
            else:
                own = self.add(entry, given, multiplier)
                value = self.join(own, multiplier + entry.multiplier)
            origins += value.origins
        return Value(tuple(origins), listed)

    def _add_each(self, stack: Stack, given: Value, multiplier: str) -> Value:
        eaches = [node for node in stack.nodes if isinstance(node, Each)]
        first, text = eaches[0], each_text(eaches)
        given = self.join(given, multiplier)
        if not _uses_input(first.items):
            given = given.waited_for
        steps = Stack(tuple(each.do for each in eaches))
        inner, notes = f"{multiplier}{UNKNOWN_NUMBER}", tuple(limits(first))
        if isinstance(first.do, Call):
            value = self._add_call(steps, given, inner, text, *notes)
            self._add_uses(first.items, value.origins[0].key)
        else:
            items = self._add_node(given, "list", text + multiplier, *notes, uses=first.items)
            value = self.join(self.add(steps, items, inner), inner)
        return Value(value.origins, "list")

    def _add_switch(self, stack: Stack, given: Value, multiplier: str) -> Value:
        switches = [node for node in stack.nodes if isinstance(node, Switch)]
        first = switches[0]
        conditions = [branch.when for branch in first.branches]
        given = self.join(given, multiplier)
        choice = self._add_node(given, "choice", first.written + multiplier, uses=conditions)
        key = choice.origins[0].key
        values = []
        for number, when in enumerate(conditions):
            steps = Stack(tuple(switch.branches[number].step for switch in switches))
            values.append(self._add_branch(steps, key, late_text(when), multiplier))
        others = [switch.otherwise for switch in switches if switch.otherwise is not None]
        if others:
            values.append(self._add_branch(Stack(tuple(others)), key, "else", multiplier))
        else:
            values.append(Value((Origin(key, "condition", "else"),)))
        return either(values)

    def _add_branch(self, steps: Stack, choice: str, label: str, multiplier: str) -> Value:
        given = Value((Origin(choice, "condition", label),))
        return self.join(self.add(steps, given, multiplier), multiplier)

    def _add_rescue(self, stack: Stack, given: Value, multiplier: str) -> Value:
        rescues = [node for node in stack.nodes if isinstance(node, Rescue)]
        steps = Stack(tuple(each.step for each in rescues))
        handlers = Stack(tuple(each.handler for each in rescues))
        value = self.join(self.add(steps, given, multiplier), multiplier)
        handled = self.add(handlers, value.when_it_fails("on_error"), multiplier)
        return either([value, self.join(handled, multiplier)])

    def _add_graph(self, stack: Stack, given: Value, multiplier: str) -> Value:
        graphs = [node for node in stack.nodes if isinstance(node, Graph)]
        given = self.join(given, multiplier)
        values: dict[str, Value] = {}
        for number, step in _in_order(graphs[0]):
            inner = Stack(tuple(graph.steps[number].step for graph in graphs))
            needed = either(values[name] for name in step.needs) if step.needs else given
            value = self.join(self.add(inner, needed, multiplier), multiplier)
            values[step.name] = self._named[step.step.path] = value
        return values[graphs[0].result]

    def _add_outputs(self, constant: Constant, given: Value, multiplier: str) -> Value:
        value = constant.value
        lines = [f"outputs{multiplier}"]
        if isinstance(value, Mapping):
            shown = list(value.items())[:MOST_OUTPUTS]
            lines += (named_values([pair]) for pair in shown)
            more = len(value) - len(shown)
            lines += [str(More(more))] if more else []
        else:
            lines.append(value_text(value))
        given = self.join(given, multiplier)
        if not _uses_input(value):
            given = given.waited_for
        return self._add_node(given, "list", *lines, uses=value)

    def _add_node(self, given: Value, shape: NodeShape, *lines: str, uses: Any = None) -> Value:
        """Add a node with an edge from each origin, and from the steps whose ids it ``uses``."""
        key = f"n{len(self.nodes) + 1}"
        self.nodes.append(FlowNode(key, shape, lines))
        self.edges += [FlowEdge(each.key, key, each.kind, each.label) for each in given.origins]
        self._add_uses(uses, key)
        return Value((Origin(key),))

    def _add_uses(self, value: Any, key: str) -> None:
        for name, path in dict.fromkeys(_ids_in(value)):
            for origin in self._named.get(path, Value()).origins:
                self.edges.append(FlowEdge(origin.key, key, "id", shown_name(name)))


def _in_order(graph: Graph) -> Iterator[tuple[int, Any]]:
    """Yield a graph's steps, each after those that it needs."""
    waiting = list(enumerate(graph.steps))
    done: set[str] = set()
    while waiting:
        ready = [each for each in waiting if done.issuperset(each[1].needs)]
        assert ready, "BUG: a graph's steps need each other in a circle"  # noqa: S101
        yield from ready
        done.update(step.name for _, step in ready)
        waiting = [each for each in waiting if each[1].name not in done]


def _deferred_in(value: Any) -> Iterator[Deferred]:
    if isinstance(value, Deferred):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _deferred_in(each)
    elif isinstance(value, Mapping):
        yield from _deferred_in(list(value.values()))


def _ids_in(value: Any) -> Iterator[tuple[str, str]]:
    for each in _deferred_in(value):
        yield from each.steps.items()


def _uses_input(value: Any) -> bool:
    return any("prev" in each.text for each in _deferred_in(value))
