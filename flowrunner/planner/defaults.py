"""The document's ``defaults``: keys that calls take unless they say otherwise."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from flowrunner.model import CallKeys, Workflow
from flowrunner.node import Mapping
from flowrunner.planner.problems import Problems
from flowrunner.suggestion import did_you_mean
from flowrunner.tasks import TaskDefinition, TaskRegistry

__all__ = ["check_defaults", "giving_way", "with_defaults"]

EVERY_TASK = "*"


def check_defaults(workflow: Workflow, registry: TaskRegistry, problems: Problems) -> None:
    """Report defaults for tasks that do not exist."""
    for name, (location, _) in workflow.defaults.items():
        if name != EVERY_TASK and registry.get(name) is None:
            label = did_you_mean(name, registry.names(), "no plugin provides it")
            problems.report(f"'defaults' names the unknown task '{name}'", location, label)


def with_defaults(workflow: Workflow, definition: TaskDefinition, own: CallKeys) -> CallKeys:
    """Return a call's keys, with the defaults of its task and of every task beneath them.

    Keyword arguments and options are taken name by name.
    """
    keys = own
    for name in (definition.name, EVERY_TASK):
        if name in workflow.defaults:
            keys = _merged(keys, workflow.defaults[name][1])
    return keys


def giving_way(keys: CallKeys, own: CallKeys, by_position: Collection[str]) -> CallKeys:
    """Return keys without the default keyword arguments for what is given by position.

    Those of the call's own stay: what they repeat is a mistake to be told.
    """
    if keys.kwargs is None or keys.kwargs is own.kwargs:
        return keys
    kept = tuple(
        (key, value)
        for key, value in keys.kwargs.entries
        if str(key.value) not in by_position
        or (own.kwargs is not None and str(key.value) in own.kwargs)
    )
    return replace(keys, kwargs=Mapping(kept, keys.kwargs.location))


def _merged(strong: CallKeys, weak: CallKeys) -> CallKeys:
    return CallKeys(
        args=strong.args if strong.args is not None else weak.args,
        kwargs=_merged_mappings(strong.kwargs, weak.kwargs),
        immutable=strong.immutable if strong.immutable is not None else weak.immutable,
        options={**weak.options, **strong.options},
        retry=strong.retry if strong.retry is not None else weak.retry,
    )


def _merged_mappings(strong: Mapping | None, weak: Mapping | None) -> Mapping | None:
    if strong is None or weak is None:
        return strong or weak
    added = tuple((key, value) for key, value in weak.entries if str(key.value) not in strong)
    return Mapping(strong.entries + added, strong.location)
