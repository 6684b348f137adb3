"""What a run of a plan costs, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from flowrunner.plan import (
    Call,
    Cost,
    Each,
    Group,
    Handler,
    Node,
    Plan,
    Repeat,
    inner_nodes,
    is_static,
    runtime_word,
)
from flowrunner.planner.continuations import WORTH_CONTINUING
from flowrunner.render.label import counted

__all__ = ["shown_bytes", "shown_cost", "summary"]

_EACH: Final = "each (counted with 1 item)"
#: The order in which they are told.
_LATE: Final = (
    _EACH,
    "switch",
    "when",
    "graph",
    "on_error",
    "retry",
    "max_parallel",
    "tolerate",
)
_UNITS: Final = ("KB", "MB", "GB", "TB")


def summary(plan: Plan) -> str:
    """Return what a run queues, and what kind of workers it needs and why: two lines.

    Of a plan that unfolds, the first says how much that is at least, the second what only run
    time decides. What the handlers would take stands in a third one: they may not run.
    """
    lines = [_least(plan), _unfolding(plan)] if plan.unfolds else [_totals(plan), _canvas(plan)]
    if plan.handlers:
        lines.append(" · ".join(map(_of_handler, plan.handlers)))
    return "\n".join(lines)


def _of_handler(handler: Handler) -> str:
    if not is_static(handler.root):
        return f"{handler.name}: at least {counted(handler.cost.messages, 'message')}"
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
    parts = [counted(tasks, "task"), messages, shown_cost(cost)]
    return " · ".join([*parts, *_timeout(plan)])


def _timeout(plan: Plan) -> list[str]:
    return [] if plan.timeout is None else [f"timeout {plan.timeout:g} s"]


def _least(plan: Plan) -> str:
    cost = plan.cost
    parts = [f"at least {counted(cost.messages, 'message')}", shown_cost(cost)]
    return " · ".join([*parts, *_timeout(plan)])


def _unfolding(plan: Plan) -> str:
    counts = Counter(_late_parts(plan.root))
    parts = sorted(counts, key=lambda part: _LATE.index(part) if part in _LATE else len(_LATE))
    shown = [f"{counts[part]:,} {part}" for part in parts]
    decided = ", ".join(shown) or "values that steps are given"
    return f"for plain Celery workers; decided as it runs: {decided}"


def _late_parts(node: Node | Repeat) -> Iterator[str]:
    """Yield a word for whatever in a tree is decided by run time."""
    if isinstance(node, (Call, Repeat)):
        retries = node.values("retry") if isinstance(node, Repeat) else iter((node.retry,))
        yield from ("retry" for retry in retries if retry is not None)
        return
    word = runtime_word(node)
    if word is not None:
        yield _EACH if word == "each" else word
    if isinstance(node, (Each, Group)):
        if node.max_parallel is not None:
            yield "max_parallel"
        if node.tolerate is not None:
            yield "tolerate"
    for inner in inner_nodes(node):
        yield from _late_parts(inner)


def _canvas(plan: Plan) -> str:
    if not plan.continuations:
        return (
            f"one canvas for plain Celery workers (continuations would save less than "
            f"{shown_bytes(WORTH_CONTINUING)})"
        )
    parts = counted(plan.continuations, "continuation")
    whole = shown_bytes(plan.one_canvas.bytes)
    return f"{parts}, for workers with flowrunner (as one canvas: about {whole})"


def shown_cost(cost: Cost) -> str:
    """Return the bytes of a cost, which are an estimate: ``about 14 KB · largest about 1.3 KB``."""
    if not cost.messages:
        return shown_bytes(0)
    return f"about {shown_bytes(cost.bytes)} · largest about {shown_bytes(cost.largest)}"


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
