"""Plans of texts, with tasks whose values tell how they were called."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Lookup
from typing import Any

from flowrunner.errors import Diagnostic, WorkflowError
from flowrunner.loader import load_workflow, parse_value
from flowrunner.node import Mapping
from flowrunner.plan import Plan
from flowrunner.planner import plan_workflow
from flowrunner.semantics import Failure, evaluate
from flowrunner.source import Source
from flowrunner.tasks import TaskRegistry


def call(*args: Any, **kwargs: Any) -> Any:
    """Take anything, and return it."""
    return {"args": list(args), **kwargs} if kwargs else list(args)


def power(value: float, expo: float = 2) -> float:
    return value**expo


def amass(values: list[float]) -> float:
    return sum(values)


def keyed(*, name: str) -> str:
    return name


def positional(value: int, /) -> int:
    return value


def none() -> None:
    return None


def fail(*args: Any) -> Any:
    raise ValueError(*args)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (call, power, amass, keyed, positional, none, fail)
}


def registry() -> TaskRegistry:
    tasks = TaskRegistry()
    plugin = tasks.for_plugin("tests")
    for function in FUNCTIONS.values():
        plugin.add(function)
    plugin.add(call, name="queued", queue="slow", priority=3)
    return tasks


def planned(text: str, inputs: Lookup[str, str] | None = None, **options: Any) -> Plan:
    """Return the plan of a workflow's text."""
    given = parse_value(
        Source("inputs", "{" + ", ".join(map(": ".join, (inputs or {}).items())) + "}")
    )
    assert isinstance(given, Mapping)
    return plan_workflow(load_workflow(Source("test.yaml", text)), registry(), given, **options)


def refused(text: str, inputs: Lookup[str, str] | None = None) -> list[str]:
    """Return what is wrong with a workflow's text."""
    return [problem.message for problem in diagnostics(text, inputs)]


def diagnostics(text: str, inputs: Lookup[str, str] | None = None) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of a workflow's text that is refused."""
    try:
        planned(text, inputs)
    except WorkflowError as error:
        return error.diagnostics
    raise AssertionError(f"it was planned: {text}")


def value(text: str, inputs: Lookup[str, str] | None = None) -> Any:
    """Return the value that the semantics give to a workflow's text."""

    def call_task(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return FUNCTIONS.get(name, call)(*args, **kwargs)

    found = evaluate(planned(text, inputs).root, call_task)
    assert not isinstance(found, Failure)
    return found
