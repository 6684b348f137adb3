"""A plan: a workflow with every name resolved, every call checked and every value known.

A plan knows no Celery. It has two forms. ``root`` keeps the nesting of the file and is what
people see and what :mod:`flowrunner.semantics` gives a value to. ``sequence`` is the normal
form that engines run (DESIGN section 3, *The normal form*): its steps are calls, or forks
whose members are such sequences and whose join is one call. The document's ``on_error`` and
``finally`` are handlers: each has the same two forms.

What only run time can say stays in the tree: values that are :class:`Deferred`, and nodes that a
driver decides about. Such a plan has no ``sequence`` of its own: its tree is unfolded, part by
part, while it runs (:mod:`flowrunner.runs.unfolding`).
"""

from __future__ import annotations

from flowrunner.plan.nodes import (
    Branch,
    Call,
    CallKind,
    Chain,
    Chord,
    Constant,
    Each,
    Failing,
    Given,
    Graph,
    GraphStep,
    Group,
    Named,
    Node,
    Repeat,
    Rescue,
    Skipped,
    Switch,
    Used,
)
from flowrunner.plan.policy import (
    Retry,
    Tolerance,
    built_in_exception,
    built_in_exceptions,
)
from flowrunner.plan.properties import (
    Passing,
    Reuse,
    has_own_expression,
    is_static,
    may_run_in_parallel,
    passing,
    reuse_of,
    runtime_word,
)
from flowrunner.plan.sequence import (
    Fork,
    Item,
    Sequence,
    calls_of,
    parts_of,
    without_continuations,
)
from flowrunner.plan.tree import calls_in, inner_nodes
from flowrunner.plan.values import (
    Deferred,
    Secret,
    has_secret,
    is_open,
)
from flowrunner.plan.whole import (
    Cost,
    Handler,
    Plan,
)

__all__ = [
    "Branch",
    "Call",
    "CallKind",
    "Chain",
    "Chord",
    "Constant",
    "Cost",
    "Deferred",
    "Each",
    "Failing",
    "Fork",
    "Given",
    "Graph",
    "GraphStep",
    "Group",
    "Handler",
    "Item",
    "Named",
    "Node",
    "Passing",
    "Plan",
    "Repeat",
    "Rescue",
    "Retry",
    "Reuse",
    "Secret",
    "Sequence",
    "Skipped",
    "Switch",
    "Tolerance",
    "Used",
    "built_in_exception",
    "built_in_exceptions",
    "calls_in",
    "calls_of",
    "has_own_expression",
    "has_secret",
    "inner_nodes",
    "is_open",
    "is_static",
    "may_run_in_parallel",
    "parts_of",
    "passing",
    "reuse_of",
    "runtime_word",
    "without_continuations",
]
