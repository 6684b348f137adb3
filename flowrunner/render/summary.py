"""What a run of a plan costs, in one line."""

from __future__ import annotations

from flowrunner.plan import Plan
from flowrunner.render.label import counted

__all__ = ["summary"]


def summary(plan: Plan) -> str:
    """Return the plan's tasks and messages, and what the messages beyond the tasks are for."""
    tasks, messages = plan.task_count, plan.message_count
    parts = [counted(tasks, "task"), counted(messages, "message")]
    if messages > tasks:
        parts[-1] += f" ({messages - tasks:,} celery.accumulate to join results)"
    if plan.timeout is not None:
        parts.append(f"timeout {plan.timeout:g} s")
    return " · ".join(parts)
