"""Steps as templates: their deferred values are told names, their paths become a member's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flowrunner import plan
from flowrunner.plan import Deferred, Secret

if TYPE_CHECKING:
    from flowrunner.expressions import Expression, Template

__all__ = ["bind", "instantiate", "names_used", "parsed"]


@lru_cache(maxsize=4096)
def parsed(text: str, bare: bool) -> Template | Expression:
    """Return what a deferred text is, which has been found right before."""
    from flowrunner.expressions import parse_expression, parse_template

    return parse_expression(text) if bare else parse_template(text)


@lru_cache(maxsize=4096)
def names_used(text: str, bare: bool = False) -> frozenset[str]:
    """Return the names that a deferred text uses."""
    return frozenset(reference.name for reference in parsed(text, bare).references)


def instantiate(each: plan.Each, number: int, item: Any) -> plan.Node:
    """Return the step of a fan-out's member."""
    change = _Change({each.variable: item}, f"{each.path}[*]", f"{each.path}[{number}]")
    return _instance(each.do, change)


def bind(node: plan.Node, names: Mapping[str, Any]) -> plan.Node:
    """Return a node of which the deferred values know these names as well."""
    return _instance(node, _Change(names))


@dataclass(frozen=True)
class _Change:
    """What becomes of a template: names get values, and paths that begin with ``old`` ``new``."""

    names: Mapping[str, Any]
    old: str = ""
    new: str = ""

    def path(self, path: str) -> str:
        return self.new + path[len(self.old) :] if path.startswith(self.old) else path

    def without(self, name: str) -> _Change:
        if name not in self.names:
            return self
        return replace(self, names={key: each for key, each in self.names.items() if key != name})

    def value(self, value: Any) -> Any:
        if isinstance(value, (Deferred, Secret)):
            return self._deferred(value)
        if isinstance(value, Mapping):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.value, value))
        return value

    def _deferred(self, value: Deferred | Secret) -> Deferred | Secret:
        used = names_used(value.text, isinstance(value, Deferred) and value.bare)
        added = {
            name: each
            for name, each in self.names.items()
            if name in used and name not in value.names
        }
        names = {**value.names, **added}
        if isinstance(value, Secret):
            return replace(value, names=names)
        steps = {name: self.path(path) for name, path in value.steps.items()}
        return replace(value, names=names, steps=steps)


def _instance(node: plan.Node, change: _Change) -> plan.Node:
    path = change.path(node.path)
    match node:
        case plan.Call():
            return _instance_of_call(node, change)
        case plan.Chain():
            steps = tuple(_instance(step, change) for step in node.steps)
            return replace(node, path=path, steps=steps)
        case plan.Group():
            return _instance_of_group(node, change)
        case plan.Chord():
            header = _instance(node.header, change)
            assert isinstance(header, (plan.Group, plan.Each)), "BUG: no header"  # noqa: S101
            # Its body has errors of its own.
            after = change.without("errors") if node.header.tolerate is not None else change
            return replace(node, path=path, header=header, body=_instance(node.body, after))
        case plan.Each():
            do = _instance(node.do, change.without(node.variable))
            return replace(node, path=path, items=change.value(node.items), do=do)
        case plan.Switch():
            return _instance_of_switch(node, change)
        case plan.Skipped() | plan.Named():
            return replace(node, path=path, step=_instance(node.step, change))
        case plan.Rescue():
            step, handler = _instance(node.step, change), _instance(node.handler, change)
            return replace(node, path=path, step=step, handler=handler)
        case plan.Given():
            step = _instance(node.step, change)
            return replace(node, path=path, value=change.value(node.value), step=step)
        case plan.Constant():
            return replace(node, path=path, value=change.value(node.value))
        case plan.Used():
            step = _instance(node.step, change.without("inputs"))
            return replace(node, path=path, inputs=change.value(node.inputs), step=step)
        case plan.Graph():
            inner = tuple(replace(each, step=_instance(each.step, change)) for each in node.steps)
            return replace(node, path=path, steps=inner)
        case plan.Failing():
            return replace(node, path=path)


def _instance_of_call(call: plan.Call, change: _Change) -> plan.Call:
    path = change.path(call.path)
    if not call.open:
        return call.as_member(path)
    args, kwargs = change.value(call.args), change.value(call.kwargs)
    return replace(call, path=path, args=args, kwargs=kwargs, options=change.value(call.options))


def _instance_of_group(group: plan.Group, change: _Change) -> plan.Group:
    members: list[plan.Node | plan.Repeat] = []
    for member in group.members:
        if isinstance(member, plan.Repeat):
            members.append(_instance_of_repeat(member, change))
        else:
            members.append(_instance(member, change))
    return replace(group, path=change.path(group.path), members=tuple(members))


def _instance_of_repeat(fan_out: plan.Repeat, change: _Change) -> plan.Repeat:
    path, call = change.path(fan_out.path), _instance_of_call(fan_out.call, change)
    varying = fan_out.varying
    if call.open:
        varying = {name: tuple(map(change.value, values)) for name, values in varying.items()}
    return replace(fan_out, path=path, call=call, varying=varying)


def _instance_of_switch(switch: plan.Switch, change: _Change) -> plan.Switch:
    branches = tuple(
        plan.Branch(change.value(branch.when), _instance(branch.step, change))
        for branch in switch.branches
    )
    otherwise = None if switch.otherwise is None else _instance(switch.otherwise, change)
    return replace(switch, path=change.path(switch.path), branches=branches, otherwise=otherwise)
