"""Deferred values and the nodes that hang on them, once what they need is known.

The one place that says what run time makes of a plan's tree: the reference semantics and the
runs both use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flowrunner import plan
from flowrunner.plan import Deferred, Secret
from flowrunner.source import Location
from flowrunner.template import bind, instantiate, names_used, parsed
from flowrunner.values import shown

__all__ = ["MOST_MEMBERS", "NO_INPUT", "Known", "passes_on", "resolve", "value_or_none"]

#: How many members a fan-out may have that run time makes.
MOST_MEMBERS: Final = 100_000


class _NoInput:
    """What the first step of a workflow is given: nothing at all."""

    def __repr__(self) -> str:
        return "no input"


NO_INPUT: Final = _NoInput()


def value_or_none(value: Any) -> Any:
    """Return a value, ``None`` for :data:`NO_INPUT`: what a step gives that has passed that on."""
    return None if value is NO_INPUT else value


@dataclass(frozen=True)
class Known:
    """What is known when a step begins: its input, and the values of steps by their paths."""

    given: Any
    steps: Mapping[str, Any]


class _ExpressionError(Exception):
    def __init__(self, message: str, location: Location) -> None:
        super().__init__(message)
        self.message = message
        self.location = location


def resolve(node: plan.Node, known: Known) -> plan.Node:
    """Return a node with everything decided that its beginning needs.

    What comes later in it stays as it is. A step whose expressions fail becomes
    :class:`~flowrunner.plan.Failing`; its siblings do not.
    """
    try:
        return _resolved(node, known)
    except _ExpressionError as failure:
        return plan.Failing(node.path, _key_of(node), failure.message, failure.location)


def _resolved(node: plan.Node, known: Known) -> plan.Node:
    match node:
        case plan.Call():
            return _resolved_call(node, known) if node.open else node
        case plan.Chain():
            return _resolved_chain(node, known)
        case plan.Group():
            return node if plan.is_static(node) else _resolved_group(node, known)
        case plan.Chord():
            header = _resolved(node.header, known)
            assert isinstance(header, plan.Group), "BUG: a header is a group"  # noqa: S101
            return replace(node, header=header)
        case plan.Each():
            return _fan_out(node, known)
        case plan.Switch():
            return _chosen(node, known)
        case plan.Rescue() | plan.Named():
            step = resolve(node.step, known)
            return node.replaced([step, *node.children()[1:]])
        case plan.Given():
            if plan.is_static(node.step):
                return node
            step = resolve(node.step, Known(node.value, known.steps))
            return plan.Given(node.path, node.value, step, node.location, node.variable)
        case plan.Constant():
            return replace(node, value=_value(node.value, known))
        case plan.Used():
            return _resolved_use(node, known)
        case plan.Skipped() | plan.Graph() | plan.Failing():
            return node


def _resolved_call(call: plan.Call, known: Known) -> plan.Call:
    return call.replaced(
        args=tuple(_value(each, known) for each in call.args),
        kwargs={name: _value(each, known) for name, each in call.kwargs.items()},
        options={name: _value(each, known) for name, each in call.options.items()},
        open=False,
    )


def _resolved_chain(chain: plan.Chain, known: Known) -> plan.Node:
    steps = list(chain.steps)
    for position, step in enumerate(steps):
        steps[position] = resolved = resolve(step, known)
        if not passes_on(resolved):
            break  # what comes after it is given its value
    return chain.replaced(steps)


def passes_on(node: plan.Node) -> bool:
    """Tell whether a resolved node gives what it is given, and runs nothing."""
    return isinstance(node, plan.Skipped) or (
        isinstance(node, plan.Chain) and all(map(passes_on, node.steps))
    )


def _resolved_group(group: plan.Group, known: Known) -> plan.Group:
    members: list[plan.Node | plan.Repeat] = []
    for member in group.members:
        if isinstance(member, plan.Repeat):
            is_open = member.count and member.call.open
            members += (resolve(call, known) for call in member.calls()) if is_open else (member,)
        else:
            members.append(resolve(member, known))
    return replace(group, members=tuple(members))


def _fan_out(each: plan.Each, known: Known) -> plan.Node:
    items = _value(each.items, known)
    place = each.items.location if isinstance(each.items, Deferred) else each.location
    if not isinstance(items, list):
        raise _ExpressionError(f"'each' needs a list, not {shown(items)}", place)
    if len(items) > MOST_MEMBERS:
        raise _ExpressionError(
            f"'each' may have at most {MOST_MEMBERS:,} members, not {len(items):,}", place
        )
    members = []
    for number, item in enumerate(items):
        path = f"{each.path}[{number}]"
        step = instantiate(each, number, item)
        given = plan.Given(path, item, step, each.location, each.variable)
        members.append(_resolved(given, known))
    return plan.Group(
        each.path,
        tuple(members),
        each.location,
        max_parallel=each.max_parallel,
        tolerate=each.tolerate,
    )


def _chosen(switch: plan.Switch, known: Known) -> plan.Node:
    for branch in switch.branches:
        holds = _value(branch.when, known)
        if not isinstance(holds, bool):
            raise _ExpressionError(
                f"a condition must be a boolean, not {shown(holds)}", branch.when.location
            )
        if holds:
            return resolve(branch.step, known)
    if switch.otherwise is not None:
        return resolve(switch.otherwise, known)
    step: plan.Node = plan.Chain(switch.path, (), switch.location)
    if len(switch.branches) == 1:
        step = switch.branches[0].step
    why = " or ".join(branch.when.text.strip() for branch in switch.branches)
    return plan.Skipped(switch.path, step, f"when {why}", switch.location)


def _resolved_use(used: plan.Used, known: Known) -> plan.Node:
    from flowrunner.loader.integers import with_integers
    from flowrunner.loader.violation import value_problem

    inputs = {name: _value(value, known) for name, value in used.inputs.items()}
    for name, schema in used.schemas.items():
        problem = value_problem(inputs[name], schema)
        if problem is not None:
            value = used.inputs[name]
            place = value.location if isinstance(value, Deferred) else used.location
            raise _ExpressionError(f"input '{name}' {problem}", place)
        inputs[name] = with_integers(inputs[name], schema)
    return resolve(bind(used.step, {"inputs": inputs}), known)


def _key_of(node: plan.Node) -> str:
    match node:
        case plan.Call():
            return node.task
        case plan.Switch():
            return node.written
        case plan.Used():
            return "use"
        case plan.Constant():
            return "outputs"
        case _:
            return type(node).__name__.lower()


def _value(value: Any, known: Known) -> Any:
    """Return a value with everything deferred in it evaluated."""
    if isinstance(value, Deferred):
        return _evaluated(value, known)
    if not plan.is_open(value):
        return value
    if isinstance(value, Mapping):
        return {key: _value(each, known) for key, each in value.items()}
    return [_value(each, known) for each in value]


def _evaluated(deferred: Deferred, known: Known) -> Any:
    from flowrunner.expressions import ExpressionError

    names = dict(deferred.names)
    if known.given is not NO_INPUT:
        names["prev"] = known.given
    names |= {name: known.steps[path] for name, path in deferred.steps.items()}
    if _uses_secrets(deferred, names):
        used = names_used(deferred.text, deferred.bare)
        needed = {name: value for name, value in names.items() if name in used}
        return Secret(deferred.text, deferred.location, needed)
    try:
        return parsed(deferred.text, deferred.bare).evaluate(names)
    except ExpressionError as error:
        raise _ExpressionError(error.message, deferred.location) from None


def _uses_secrets(deferred: Deferred, names: Mapping[str, Any]) -> bool:
    used = names_used(deferred.text, deferred.bare)
    if "env" in used:
        return True
    secret = {name for name, value in names.get("inputs", {}).items() if isinstance(value, Secret)}
    return bool(secret) and any(
        reference.name == "inputs" and (not reference.path or reference.path[0] in secret)
        for reference in parsed(deferred.text, deferred.bare).references
    )
