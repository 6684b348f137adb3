"""Steps as templates: their deferred values are told names, their paths become a member's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from flowrunner import plan
from flowrunner.plan import Deferred, Secret

if TYPE_CHECKING:
    from flowrunner.expressions import Expression, Template

__all__ = ["bind", "instantiate", "names_used", "parsed"]


#: Most values: nothing in them can be deferred.
_PLAIN: Final = frozenset({int, str, float, bool, type(None)})


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
    instance: plan.Node = _instance(each.do, change)
    return instance


def bind(node: plan.Node, names: Mapping[str, Any]) -> plan.Node:
    """Return a node of which the deferred values know these names as well."""
    bound: plan.Node = _instance(node, _Change(names))
    return bound


@dataclass(frozen=True)
class _Change:
    """What becomes of a template: names get values, and paths that begin with ``old`` ``new``."""

    names: Mapping[str, Any]
    old: str = ""
    new: str = ""

    def path(self, path: str) -> str:
        return self.new + path[len(self.old) :] if path.startswith(self.old) else path

    def without(self, name: str | None) -> _Change:
        if name is None or name not in self.names:
            return self
        return replace(self, names={key: each for key, each in self.names.items() if key != name})

    def value(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, (Deferred, Secret)):
            return self._deferred(value)
        if isinstance(value, (dict, Mapping)):
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


def _instance(node: plan.Node | plan.Repeat, change: _Change) -> Any:
    path = change.path(node.path)
    match node:
        case plan.Call():
            return _instance_of_call(node, change)
        case plan.Repeat():
            call, varying = _instance_of_call(node.call, change), node.varying
            if call.open:
                varying = {name: tuple(map(change.value, each)) for name, each in varying.items()}
            return replace(node, path=path, call=call, varying=varying)
    fields = {name: change.value(getattr(node, name)) for name in node.deferrable}
    children = [_instance(each, change.without(node.hidden_from(each))) for each in node.children()]
    if isinstance(node, plan.Switch):
        conditions = (change.value(branch.when) for branch in node.branches)
        pairs = zip(conditions, children, strict=False)
        fields["branches"] = tuple(plan.Branch(*pair) for pair in pairs)
    return node.replaced(children, path=path, **fields)


def _instance_of_call(call: plan.Call, change: _Change) -> plan.Call:
    path = change.path(call.path)
    if not call.open:
        return call if path == call.path else call.as_member(path)
    args, kwargs = change.value(call.args), change.value(call.kwargs)
    options = change.value(call.options)
    return call.replaced(path=path, args=args, kwargs=kwargs, options=options)
