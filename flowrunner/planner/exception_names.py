"""The names in ``only`` and ``never`` of ``retry`` that no exception has, or that get lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from flowrunner import model
from flowrunner.errors import Diagnostic
from flowrunner.node import Scalar
from flowrunner.plan import built_in_exception, built_in_exceptions
from flowrunner.planner.exception_classes import Reach, survives_pickling
from flowrunner.planner.proof import inner_steps
from flowrunner.suggestion import nearest
from flowrunner.tasks import TaskRegistry

__all__ = ["ENGINE_EXCEPTIONS", "ExceptionWarnings", "exception_warnings"]

#: Names that are told of: to look for each takes a while.
MOST_WARNINGS: Final = 50

#: What Celery, the engines and the check of arguments raise for a call, whatever its task.
ENGINE_EXCEPTIONS: Final = frozenset(
    {
        *("BackendError", "BackendGetMetaError", "BackendStoreError", "CeleryError", "ChordError"),
        *(
            "ImproperlyConfigured",
            "IncompleteStream",
            "InvalidTaskError",
            "MaxRetriesExceededError",
        ),
        *("NotRegistered", "QueueNotFound", "SecurityError", "SoftTimeLimitExceeded", "TaskError"),
        *("TaskRevokedError", "Terminated", "TimeLimitExceeded", "WorkerLostError"),
        *("ContentDisallowed", "DecodeError", "EncodeError", "OperationalError"),
        *("EnvironmentValueError", "ExpressionError", "Failure", "NotJSONError", "PartLostError"),
        *("PluginError", "ProcessDiedError", "TaskExitedError", "TaskLostError"),
        "ValidationError",
    }
)


class _Name(NamedTuple):
    written: Scalar
    task: str

    @property
    def own(self) -> str:
        """The last part, which is the class's own name."""
        return str(self.written.value).rpartition(".")[2]


class ExceptionWarnings(NamedTuple):
    """What is to be said of the names: the label says what to do, the note why that matters.

    ``unknown`` has the names that no exception has, ``lost`` those of exceptions whose instances
    may not survive pickling, which is all that plain workers keep.
    """

    unknown: list[Diagnostic]
    lost: list[Diagnostic]


def exception_warnings(
    workflows: Iterable[model.Workflow], registry: TaskRegistry, *, pickled: bool
) -> ExceptionWarnings:
    """Return what is to be said of the names in these workflows; of lost ones with ``pickled``.

    Of a task whose function is not at hand nothing is said.
    """
    reach = cache(lambda task: _reach(registry, task))
    unknown: dict[Diagnostic, None] = {}
    lost: dict[str, Diagnostic] = {}  # once for each name, wherever it is written
    for workflow in workflows:
        names_by_place = _names_by_place(workflow).values()
        for names in sorted(names_by_place, key=lambda each: each[0].written.location.start):
            if len(unknown) + len(lost) >= MOST_WARNINGS:
                break
            name, reaches = names[0], [each for name in names if (each := reach(name.task))]
            classes = [found for each in reaches if (found := each.find(name.own)) is not None]
            if not classes and reaches and all(each.known for each in reaches):
                unknown[_unknown(name, reaches)] = None
            elif pickled and not all(map(survives_pickling, classes)):
                lost.setdefault(name.own, _lost(name))
    return ExceptionWarnings(list(unknown), list(lost.values()))


def _reach(registry: TaskRegistry, task: str) -> Reach | None:
    definition = registry.get(task)
    return None if definition is None else Reach(definition.function)


def _names_by_place(workflow: model.Workflow) -> dict[int, list[_Name]]:
    """Return the names of a workflow, each with every task that it is for."""
    found: dict[int, list[_Name]] = {}
    calls = list(_calls(workflow))
    defaults = workflow.defaults
    retries = [(task, retry) for task, retry in calls if retry is not None]
    retries += [
        (task, keys.retry)
        for name, (_, keys) in defaults.items()
        for task in ([name] if name != "*" else dict.fromkeys(task for task, _ in calls))
        if keys.retry is not None
    ]
    for task, retry in retries:
        for written in (*retry.only, *retry.never):
            name = _Name(written, task)
            if name.own not in ENGINE_EXCEPTIONS and built_in_exception(name.own) is None:
                found.setdefault(id(written), []).append(name)
    return found


def _calls(workflow: model.Workflow) -> Iterator[tuple[str, model.RetryKeys | None]]:
    waiting: list[model.Step] = [workflow.step, *workflow.handlers.values()]
    while waiting:
        step = waiting.pop()
        if isinstance(step, model.TaskCall):
            yield step.task, step.keys.retry
        elif isinstance(step, (model.ItemCalls, model.Chunks)):
            yield step.task, step.retry
        waiting += inner_steps(step)


def _lost(name: _Name) -> Diagnostic:
    return Diagnostic(
        f"instances of '{name.own}' may not survive pickling",
        name.written.location,
        "run the task with 'flowrunner worker', or give the class a __reduce__",
        ("plain workers store a base class instead, which 'only' and 'never' do not match",),
    )


def _unknown(name: _Name, reaches: list[Reach]) -> Diagnostic:
    aliases = (each.alias_of(name.own) for each in reaches)
    near = next(filter(None, aliases), None)
    if near is None:
        known = dict.fromkeys(each for reach in reaches for each in reach.names())
        near = nearest(name.own, [*built_in_exceptions(), *known])
    modules = ", ".join(dict.fromkeys(each.own[0].__name__ for each in reaches))
    return Diagnostic(
        f"unknown exception '{name.own}'",
        name.written.location,
        "write the class's own name" if near is None else f"did you mean '{near}'?",
        (
            f"neither Python nor the module {modules}, nor a module that it imports, defines it: "
            f"no failure matches it",
        ),
    )
