"""What a run of a plan costs, in words."""

from __future__ import annotations

from typing import Final

from flowrunner.plan import Handler, Plan
from flowrunner.planner.continuations import WORTH_CONTINUING
from flowrunner.render.label import counted

__all__ = ["shown_bytes", "summary"]

_UNITS: Final = ("KB", "MB", "GB", "TB")


def summary(plan: Plan) -> str:
    """Return what a run queues, and what kind of workers it needs and why: two lines.

    What the handlers would take stands in a third one: they may not run.
    """
    lines = [_totals(plan), _canvas(plan)]
    if plan.handlers:
        lines.append(" · ".join(map(_of_handler, plan.handlers)))
    return "\n".join(lines)


def _of_handler(handler: Handler) -> str:
    tasks, messages = handler.task_count, handler.cost.messages
    more = f", {counted(messages, 'message')}" if messages > tasks else ""
    if handler.continuations:
        more += f", {counted(handler.continuations, 'continuation')} (for workers with flowrunner)"
    return f"{handler.name}: {counted(tasks, 'task')}{more}"


def _totals(plan: Plan) -> str:
    tasks, cost = plan.task_count, plan.cost
    joins = cost.messages - tasks - plan.continuations
    added = [
        f"{count:,} {purpose}"
        for count, purpose in ((joins, "to join results"), (plan.continuations, "to continue"))
        if count
    ]
    messages = counted(cost.messages, "message") + (f" ({', '.join(added)})" if added else "")
    parts = [
        counted(tasks, "task"),
        messages,
        shown_bytes(cost.bytes),
        f"largest {shown_bytes(cost.largest)}",
    ]
    if plan.timeout is not None:
        parts.append(f"timeout {plan.timeout:g} s")
    return " · ".join(parts)


def _canvas(plan: Plan) -> str:
    if not plan.continuations:
        return (
            f"one canvas for plain Celery workers (continuations would save less than "
            f"{shown_bytes(WORTH_CONTINUING)})"
        )
    parts = counted(plan.continuations, "continuation")
    whole = shown_bytes(plan.one_canvas.bytes)
    return f"{parts}, for workers with flowrunner (as one canvas: {whole})"


def shown_bytes(count: int) -> str:
    """Return a number of bytes as people read it: ``0.9 KB``, ``384 KB``, ``2.6 MB``.

    In units of 1,000 bytes.
    """
    amount = count / 1000
    for unit in _UNITS:
        if amount < 999.5 or unit == _UNITS[-1]:
            return f"{amount:.1f} {unit}" if amount < 99.95 else f"{amount:,.0f} {unit}"
        amount /= 1000
    raise AssertionError("BUG: there is a last unit")
