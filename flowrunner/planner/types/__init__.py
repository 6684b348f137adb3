"""Static types: what calls are given against the type hints of their tasks' functions.

Literal values and inputs, and what the steps before return, as far as hints tell. A type that is
not known fits everything, so that only what is wrong for sure is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowrunner import model, plan
from flowrunner.hints import forms
from flowrunner.planner.problems import Problems
from flowrunner.planner.types.inference import Inference
from flowrunner.planner.types.reports import Reports
from flowrunner.planner.types.written_values import WrittenValues
from flowrunner.tasks import TaskRegistry

__all__ = ["check_types"]

_OUTCOME = forms.Origin(forms.DictOf((forms.UNKNOWN,)), "it is the run's outcome")


def check_types(
    workflow: model.Workflow,
    registry: TaskRegistry,
    root: plan.Node,
    handlers: Iterable[plan.Node],
    problems: Problems,
) -> None:
    """Report what does not fit in the tree of a workflow, and in those of its handlers."""
    inference = Inference(registry, Reports(WrittenValues(workflow), problems))
    inference.type_of(root, None)
    for handler in handlers:
        inference.type_of(handler, _OUTCOME)
