"""Leaving out the names of steps that no expression uses: what nobody asks for costs nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from flowrunner import plan

__all__ = ["without_unused_names"]


def without_unused_names(node: plan.Node, used: Collection[str]) -> plan.Node:
    """Return the tree without the names of steps whose paths are not used."""

    def inner(node: plan.Node) -> plan.Node:
        return without_unused_names(node, used)

    match node:
        case plan.Named():
            step = inner(node.step)
            if node.path not in used:
                return step
            return node if step is node.step else replace(node, step=step)
        case plan.Chain():
            steps = _each(node.steps, used)
            return node if steps is node.steps else replace(node, steps=steps)
        case plan.Group():
            return _group(node, used)
        case plan.Chord():
            header, body = inner(node.header), inner(node.body)
            if header is node.header and body is node.body:
                return node
            assert isinstance(header, (plan.Group, plan.Each)), "BUG: no header"  # noqa: S101
            return replace(node, header=header, body=body)
        case plan.Each():
            do = inner(node.do)
            return node if do is node.do else replace(node, do=do)
        case plan.Switch():
            branches = tuple(plan.Branch(each.when, inner(each.step)) for each in node.branches)
            otherwise = None if node.otherwise is None else inner(node.otherwise)
            return replace(node, branches=branches, otherwise=otherwise)
        case plan.Rescue():
            return replace(node, step=inner(node.step), handler=inner(node.handler))
        case plan.Skipped() | plan.Given() | plan.Used():
            step = inner(node.step)
            return node if step is node.step else replace(node, step=step)
        case plan.Graph():
            return replace(
                node, steps=tuple(replace(each, step=inner(each.step)) for each in node.steps)
            )
        case plan.Call() | plan.Constant() | plan.Failing():
            return node


def _each(nodes: tuple[plan.Node, ...], used: Collection[str]) -> tuple[plan.Node, ...]:
    changed = tuple(without_unused_names(node, used) for node in nodes)
    same = all(new is old for new, old in zip(changed, nodes, strict=True))
    return nodes if same else changed


def _group(group: plan.Group, used: Collection[str]) -> plan.Group:
    members = tuple(
        member if isinstance(member, plan.Repeat) else without_unused_names(member, used)
        for member in group.members
    )
    same = all(new is old for new, old in zip(members, group.members, strict=True))
    return group if same else replace(group, members=members)
