"""Steps side by side: ``group``, ``chord``, ``xN`` and ``chunks``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flowrunner import model, plan
from flowrunner.planner.calls import PREVIOUS
from flowrunner.planner.context import PlanContext, joined
from flowrunner.planner.policies import Limits
from flowrunner.planner.scope import LATE, Ended, Scope
from flowrunner.planner.steps.calls import repeated, single_call
from flowrunner.planner.steps.each import build_members
from flowrunner.planner.steps.items import batches

__all__ = ["build_call", "build_chord", "build_chunks", "build_group"]


def build_group(
    context: PlanContext, group: model.Group, path: str, scope: Scope, ended: Ended
) -> plan.Group | plan.Each:
    """Return a group that is a step of its own."""
    return _group(context, group, joined(path, "group"), scope, ended)


def _group(
    context: PlanContext, group: model.Group, path: str, scope: Scope, ended: Ended
) -> plan.Group | plan.Each:
    """Return a group; an ``each`` that stands in place of its members is the group."""
    limits = context.limits(group.parallel, scope)
    each = _only_each(group)
    if each is not None:
        with context.within(*_around(group.members[0])):
            own = context.limits(each.parallel, scope)
            limits = Limits(
                own.max_parallel or limits.max_parallel, own.tolerate or limits.tolerate
            )
            return build_members(context, each, joined(path, "each"), scope, limits)
    # What may fail has not certainly ended.
    certain: Ended = {} if group.parallel.tolerate is not None else ended
    members = tuple(_members(context, group, path, scope, certain))
    return _limited(plan.Group(path, members, group.location), limits)


def build_chord(
    context: PlanContext, chord: model.Chord, path: str, scope: Scope, ended: Ended
) -> plan.Chord:
    """Return a chord; where its header tolerates failures, its body knows the ``errors``."""
    path = joined(path, "chord")
    own: Ended = {}
    with context.within(chord.header):
        header = _group(context, chord.header, f"{path}.header", scope, own)
    after = scope.after(PREVIOUS, own)
    if _may_tolerate(chord.header):
        # There are none where the header turns out to tolerate none.
        after = after.with_name("errors", [] if header.tolerate is None else LATE)
    body = context.step(chord.body, f"{path}.body", after, own)
    ended |= own
    return plan.Chord(path, header, body, chord.location)


def build_call(
    context: PlanContext, call: model.TaskCall, path: str, scope: Scope, ended: Ended
) -> plan.Node:
    """Return a call; one with ``times`` is a group where it is a step of its own."""
    path = path or "task"
    if call.times is None:
        return single_call(context, call, path, scope)
    repeat = repeated(context, call, call.times, path, scope)
    group = plan.Group(path, (repeat,), call.location)
    return _limited(group, context.limits(call.parallel, scope))


def build_chunks(
    context: PlanContext, chunks: model.Chunks, path: str, scope: Scope, ended: Ended
) -> plan.Group:
    """Return the group of batches that a ``chunks`` is where it is a step of its own."""
    path = joined(path, "chunks")
    group = plan.Group(
        path, (batches(context, chunks, path, scope),), chunks.location, batched=True
    )
    return _limited(group, context.limits(chunks.parallel, scope))


def _limited(group: plan.Group, limits: Limits) -> plan.Group:
    if limits == Limits():
        return group
    most, tolerate = limits.of(group.count)
    return replace(group, max_parallel=most, tolerate=tolerate)


def _members(
    context: PlanContext, group: model.Group, path: str, scope: Scope, ended: Ended
) -> Iterator[plan.Node | plan.Repeat]:
    for position, member in enumerate(group.members):
        place = f"{path}[{position}]" if group.listed else path
        bare = member.step if isinstance(member, model.Named) else member
        if isinstance(bare, model.TaskCall) and bare.times is not None:
            with context.within(*_around(member)):
                yield repeated(context, bare, bare.times, place, scope)
        elif isinstance(bare, model.Chunks):
            with context.within(*_around(member)):
                yield batches(context, bare, joined(place, "chunks"), scope)
        else:
            _refuse_keys(context, member, only=not group.listed)
            yield context.step(member, place, scope, ended)


def _around(member: model.Step) -> tuple[model.Step, ...]:
    return (member, member.step) if isinstance(member, model.Named) else (member,)


def _refuse_keys(context: PlanContext, member: model.Step, *, only: bool) -> None:
    """Refuse a condition, or a handler, of what multiplies in place among members.

    An ``each`` does where it is the ``only`` one, in place of the list.
    """
    key, step = "", member
    while isinstance(step, (model.Named, model.Rescue, model.Switch)):
        if isinstance(step, model.Switch):
            if step.written != "when":
                return
            key, step = key or "when", step.branches[0].step
        else:
            key = key or ("on_error" if isinstance(step, model.Rescue) else "")
            step = step.step
    if key and (_multiplies(step) or (only and isinstance(step, model.Each))):
        context.problems.report(
            f"'{key}' cannot be used on a step that adds members to its group",
            step.location,
            f"write '{key}' beside that group, or make this step its own 'group'",
        )


def _multiplies(step: model.Step) -> bool:
    times = step.times if isinstance(step, model.TaskCall) else None
    return times is not None or isinstance(step, model.Chunks)


def _only_each(group: model.Group) -> model.Each | None:
    """Return the ``each`` that stands in place of a group's members."""
    if group.listed:
        return None
    (only,) = group.members
    step = only.step if isinstance(only, model.Named) else only
    return step if isinstance(step, model.Each) else None


def _may_tolerate(header: model.Group) -> bool:
    each = _only_each(header)
    limits = (header.parallel, *(() if each is None else (each.parallel,)))
    return any(parallel.tolerate is not None for parallel in limits)
